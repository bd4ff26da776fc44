"""The ScheduledJobs of a cluster through the Kubernetes client, by the user's own kubeconfig and rights."""

import json
import os
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self

import yaml
from kubernetes import config
from kubernetes.client import ApiClient, AuthenticationV1Api, Configuration, CustomObjectsApi
from kubernetes.client.exceptions import ApiException
from kubernetes.config.kube_config import KUBE_CONFIG_DEFAULT_LOCATION, KubeConfigLoader, KubeConfigMerger
from urllib3.exceptions import HTTPError

from scheduledjob_operator import names
from scheduledjob_operator.cli.clock import Clock, SystemClock
from scheduledjob_operator.cli.scheduled_jobs import Body, Named, NoAnswer, RefusedByCluster

FIELD_MANAGER = "kubectl-scheduledjob"
PAGE_SIZE = 500
SECONDS = 15
"""How long an answer may take."""
_KIND = {"group": names.GROUP, "version": names.VERSION, "plural": names.PLURAL}
_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


class _Expired(RefusedByCluster):
    """The pages of a list took so long that the API server does not know any more where they went on."""


class KubernetesScheduledJobs:
    """The real ones."""

    def __init__(self, client: ApiClient, *, namespace: str) -> None:
        self._objects = CustomObjectsApi(client)
        self._authentication = AuthenticationV1Api(client)
        self.namespace = namespace
        self.clock: Clock = SystemClock()

    @classmethod
    def connect(cls, *, kubeconfig: str | None, context: str | None) -> Self:
        """By a kubeconfig (KUBECONFIG, else ~/.kube/config), or in a Pod by its service account."""
        configuration = Configuration()
        in_pod = "KUBERNETES_SERVICE_HOST" in os.environ and not Path("~/.kube/config").expanduser().exists()
        try:
            if in_pod and kubeconfig is None and "KUBECONFIG" not in os.environ:
                config.load_incluster_config(client_configuration=configuration)
                namespace = _SERVICE_ACCOUNT.read_text().strip()
            else:
                config.load_kube_config(kubeconfig, context, client_configuration=configuration)
                namespace = _namespace_of(kubeconfig, context)
        except (config.ConfigException, OSError) as error:
            raise RefusedByCluster(f"No cluster to talk to: {error}") from None
        except (yaml.YAMLError, TypeError, AttributeError, ValueError):
            file = kubeconfig or KUBE_CONFIG_DEFAULT_LOCATION
            raise RefusedByCluster(f"No cluster to talk to: {file} is no kubeconfig.") from None
        configuration.retries = False
        return cls(ApiClient(configuration), namespace=namespace)

    def all(self, namespace: str | None) -> list[Named]:
        try:
            return self._listed(namespace, limit=PAGE_SIZE)
        except _Expired:  # as kubectl does it
            return self._listed(namespace, limit=None)

    def _listed(self, namespace: str | None, *, limit: int | None) -> list[Named]:
        found: list[Named] = []
        page: Body = {}
        while not page or page["metadata"].get("continue"):
            query = {"limit": limit, "_continue": page.get("metadata", {}).get("continue")}
            if namespace is None:
                page = _ask(self._objects.list_cluster_custom_object, **_KIND, **query)
            else:
                page = _ask(
                    self._objects.list_namespaced_custom_object, **_KIND, namespace=namespace, **query
                )
            found += [Named.of(body) for body in page["items"]]
        return found

    def get(self, namespace: str, name: str) -> Named:
        body: Body = _ask(self._objects.get_namespaced_custom_object, **_KIND, namespace=namespace, name=name)
        return Named.of(body)

    def annotate(self, namespace: str, name: str, annotations: Mapping[str, str | None]) -> None:
        self._patch(namespace, name, {"metadata": {"annotations": dict(annotations)}})

    def patch_spec(self, namespace: str, name: str, fields: Mapping[str, Any]) -> None:
        self._patch(namespace, name, {"spec": dict(fields)})

    def create(self, namespace: str, body: Body) -> Named:
        made: Body = _ask(
            self._objects.create_namespaced_custom_object,
            **_KIND,
            namespace=namespace,
            body=body,
            field_manager=FIELD_MANAGER,
        )
        return Named.of(made)

    def user(self) -> str:
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        answer = _ask(self._authentication.create_self_subject_review, body=review)
        return str(answer.status.user_info.username)

    def _patch(self, namespace: str, name: str, patch: Body) -> None:
        _ask(
            self._objects.patch_namespaced_custom_object,
            **_KIND,
            namespace=namespace,
            name=name,
            body=patch,
            field_manager=FIELD_MANAGER,
            _content_type="application/merge-patch+json",
        )


def _namespace_of(kubeconfig: str | None, context: str | None) -> str:
    merged = KubeConfigMerger(kubeconfig or KUBE_CONFIG_DEFAULT_LOCATION).config
    chosen = KubeConfigLoader(merged, active_context=context).current_context
    return str(chosen["context"].get("namespace") or "default")


def _ask(call: Callable[..., Any], **arguments: Any) -> Any:
    """The answer to one request. Raises RefusedByCluster with the API server's sentence."""
    try:
        answer = call(**arguments, _request_timeout=SECONDS)
    except ApiException as error:
        raise _kind_of(error)(_sentence(error)) from None
    except HTTPError as error:
        reason = getattr(error, "reason", None) or error
        raise NoAnswer(f"The cluster does not answer: {reason}") from None
    except json.JSONDecodeError:
        answer = ""
    if isinstance(answer, str):
        raise RefusedByCluster("What answers is no API server: its answer is not JSON.")
    return answer


def _kind_of(error: ApiException) -> type[RefusedByCluster]:
    status = int(error.status)
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return NoAnswer  # it has no time or is not well, and may be soon
    return _Expired if status == HTTPStatus.GONE else RefusedByCluster


def _sentence(error: ApiException) -> str:
    """What the API server says, or why it could not be understood."""
    if not error.status:
        return f"The cluster does not answer: {error.reason}"
    try:
        status = json.loads(error.body)
        return f"{status['message']} ({status['reason']})"
    except (TypeError, ValueError, KeyError):
        return f"the API server answers {error.status} {error.reason}"
