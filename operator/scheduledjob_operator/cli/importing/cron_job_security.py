"""What a CronJob's Pod may do: said where a ScheduledJob's Pod may less by default.

The default is the restricted Pod Security profile. A Pod that asks for more gets what it had; of one that
says nothing, a sentence names what it has now.
"""

from collections.abc import Iterator
from typing import Any

from scheduledjob_operator.pod_template import RUNNER_UID

Body = dict[str, Any]

ROOT = 0


def pod_context(pod: Body) -> Body:
    """The securityContext of the Pod."""
    context = dict(pod.get("securityContext") or {})
    if ROOT in _users(pod):
        context.setdefault("runAsNonRoot", False)
    if context.get("runAsUser") == ROOT:
        context.setdefault("runAsGroup", ROOT)
    return context


def init_context(container: Body, *, pod: Body) -> Body:
    """The securityContext of a container for which only the Pod has defaults."""
    context = dict(container.get("securityContext") or {})
    if context.get("runAsUser") == ROOT and "runAsGroup" not in (pod.get("securityContext") or {}):
        context.setdefault("runAsGroup", ROOT)
    return context


def job_context(container: Body, *, pod: Body) -> Body:
    """The securityContext of the container that is the job."""
    context = init_context(container, pod=pod)
    capabilities = context.get("capabilities") or {}
    mighty = _user(container, pod=pod) == ROOT or bool(context.get("privileged"))
    if mighty or _is_admin(capabilities):  # beside which the API server takes no other
        context.setdefault("allowPrivilegeEscalation", True)
    if mighty or capabilities:
        context["capabilities"] = {"drop": [], **capabilities}
    return context


def restrictions(pod: Body) -> str | None:
    """What the job's Pod has now and had not before, as its manifest says nothing about it."""
    found = list(_restrictions(pod, container=pod["containers"][0]))
    if not found:
        return None
    *most, last = found
    listed = f"{', '.join(most)} and {last}" if most else last
    return (
        f"its Pod gets what its manifest did not set: {listed}; write into podTemplate what it needs instead"
    )


def _restrictions(pod: Body, *, container: Body) -> Iterator[str]:
    given = pod_context(pod)
    context = job_context(container, pod=pod)
    inits = [init_context(one, pod=pod) for one in pod.get("initContainers") or []]
    for field in ("runAsUser", "runAsGroup"):
        if field not in given and any(field not in one for one in (context, *inits)):
            yield f"{field} {RUNNER_UID}"
    if "fsGroup" not in given:
        yield f"fsGroup {RUNNER_UID}"
    if "seccompProfile" not in given and any("seccompProfile" not in one for one in (context, *inits)):
        yield "the seccompProfile RuntimeDefault"
    if "capabilities" not in context:
        yield "no capabilities"
    if "allowPrivilegeEscalation" not in context:
        yield "allowPrivilegeEscalation false"
    if all(mount.get("mountPath") != "/tmp" for mount in container.get("volumeMounts") or []):  # noqa: S108
        yield "an emptyDir on /tmp"


def _users(pod: Body) -> set[int | None]:
    return {_user(one, pod=pod) for one in (*pod["containers"], *(pod.get("initContainers") or []))}


def _user(container: Body, *, pod: Body) -> int | None:
    """None is the user of the image."""
    for one in (container, pod):
        user: int | None = (one.get("securityContext") or {}).get("runAsUser")
        if user is not None:
            return user
    return None


def _is_admin(capabilities: Body) -> bool:
    return not {"SYS_ADMIN", "CAP_SYS_ADMIN"}.isdisjoint(capabilities.get("add") or [])
