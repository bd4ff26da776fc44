"""`make demo`: from nothing to a ScheduledJob that ran, on a real cluster."""

from __future__ import annotations

import sys
from typing import Any

import yaml

from tests.cluster import providers, release
from tests.cluster.access import Cluster
from tests.cluster.paths import CHECKOUT, OUTPUT
from tests.cluster.progress import ClusterError, say, step
from tests.waiting import wait_until

NAMESPACE = "scheduledjob-demo"
EXAMPLE = CHECKOUT / "examples" / "10-hello.yaml"
NAME = "hello"
LABELS = {"pod-security.kubernetes.io/enforce": "restricted"}

NEXT = """\
Try next:
  export KUBECONFIG={kubeconfig} PATH={tools}:$PATH
  kubectl config set-context --current --namespace={namespace}
  kubectl get scheduledjobs --watch               # a run each minute
  kubectl explain scheduledjob.spec               # every field, with its default
  kubectl describe scheduledjob {name}
  kubectl create job once --from=cronjob/{name}   # a run of your own: it is recorded as Manual
  kubectl patch scheduledjob {name} --type=merge --patch='{{"spec": {{"enabled": false}}}}'
  kubectl apply --filename=examples/40-retries.yaml
  make cluster-down                               # when you have seen enough
"""


def show(title: str, text: str) -> None:
    sys.stdout.write(f"\n$ {title}\n{text.rstrip()}\n")
    sys.stdout.flush()


def first_run(cluster: Cluster) -> dict[str, Any]:
    """The newest finished run; waits for the next full minute when there is none yet."""

    def finished() -> dict[str, Any]:
        found = cluster.get("scheduledjob", NAME, f"--namespace={NAMESPACE}")
        run: dict[str, Any] = found.get("status", {}).get("lastRun") or {}
        return run

    return wait_until(finished, timeout=150, describe=f"the first run of {NAME} is in its status")


def demo() -> None:
    provider = providers.choose()
    cluster = Cluster(provider.up(), provider.name)
    providers.remember(provider)
    images = provider.load_images()
    with step("installing the operator with its chart"):
        release.install(cluster, images)
    cluster.create_namespace(NAMESPACE, labels=LABELS)
    cluster.apply(EXAMPLE, namespace=NAMESPACE)
    show(f"cat {EXAMPLE.relative_to(CHECKOUT)}", EXAMPLE.read_text())
    with step("waiting for its next run, on the full minute"):
        run = first_run(cluster)
    where = f"--namespace={NAMESPACE}"
    show("kubectl get scheduledjobs", cluster.kubectl("get", "scheduledjobs", where).stdout)
    status = cluster.get("scheduledjob", NAME, where)["status"]
    shown = yaml.safe_dump({"status": status}, sort_keys=False, width=110)
    show(f"kubectl get scheduledjob {NAME} --output=yaml", shown)
    log = cluster.kubectl("logs", f"job/{run['jobName']}", where, check=False)
    show(f"kubectl logs job/{run['jobName']}", log.stdout or log.stderr)
    sys.stdout.write(
        "\n"
        + NEXT.format(kubeconfig=cluster.kubeconfig, tools=OUTPUT / "bin", namespace=NAMESPACE, name=NAME)
    )


def main() -> int:
    try:
        demo()
    except (ClusterError, AssertionError) as error:
        say(f"error: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
