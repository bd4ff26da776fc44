"""One of the systems of examples/, running in a namespace of the test cluster."""

from __future__ import annotations

import csv
import io
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import yaml

from tests.cluster.access import Cluster
from tests.cluster.paths import CHECKOUT
from tests.e2e.scheduled_job import API_VERSION, ScheduledJob
from tests.examples.proxy import Proxy
from tests.waiting import wait_until

FOLDER = CHECKOUT / "examples"
QUIET: dict[str, Any] = {"enabled": False, "retry": {"limit": 0}}
"""Nothing fires while a test looks, and a failed run has ended after its first attempt."""
MORE_HANDLERS = "/more-handlers"
CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 2).close()"


def rendered(
    manifests: str, *, images: Mapping[str, str], changes: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The objects of a kustomized system as a test applies them.

    `images` are the names that this cluster has for those in the manifests. `changes` are fields of the
    specs by name; None takes one away.
    """
    bodies = [body for body in yaml.safe_load_all(manifests) if body]
    for body in bodies:
        if body["kind"] != "ScheduledJob":
            continue
        spec = {**body["spec"], **QUIET, **changes.get(body["metadata"]["name"], {})}
        body["spec"] = {key: value for key, value in spec.items() if value is not None}
    return [_with_images(body, images) for body in bodies]


def _with_images(value: Any, images: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            key: images.get(str(inner), inner) if key == "image" else _with_images(inner, images)
            for key, inner in value.items()
        }
    return [_with_images(each, images) for each in value] if isinstance(value, list) else value


@dataclass(frozen=True)
class ReadJob(ScheduledJob):
    """It is read through the proxy: waiting for it must not keep the machine busy with starting kubectl."""

    proxy: Proxy

    def get(self, kind: str = "scheduledjob", name: str | None = None) -> dict[str, Any]:
        if kind != "scheduledjob":
            return super().get(kind, name)
        path = f"/apis/{API_VERSION}/namespaces/{self.namespace}/scheduledjobs/{name or self.name}"
        found: dict[str, Any] = self.proxy.get(path)
        return found


@dataclass(frozen=True)
class System:
    """A system by its namespace: its jobs, and the servers they work with."""

    cluster: Cluster
    namespace: str
    proxy: Proxy
    servers: frozenset[str] = field(default_factory=frozenset)
    """The names of its Deployments: of postgresql, redis, smtp and api, those that it has."""

    @classmethod
    def apply(cls, cluster: Cluster, namespace: str, bodies: list[dict[str, Any]], *, proxy: Proxy) -> System:
        """Apply the objects, and return when the servers answer and every ScheduledJob is Ready."""
        cluster.apply(yaml.safe_dump_all(bodies), namespace=namespace)
        names = {
            kind: [body["metadata"]["name"] for body in bodies if body["kind"] == kind]
            for kind in ("Deployment", "ScheduledJob")
        }
        system = cls(cluster, namespace, proxy, frozenset(names["Deployment"]))
        for name in names["ScheduledJob"]:
            system.job(name).wait_ready(timeout=60)
        for name in names["Deployment"]:
            system.wait_server(name)
        return system

    def job(self, name: str) -> ScheduledJob:
        return ReadJob(self.cluster, self.namespace, name, self.proxy)

    def start(
        self, name: str, *, args: Mapping[str, Any] | None = None, env: Mapping[str, str] | None = None
    ) -> str:
        """Start a run by hand, with arguments and variables of its own if given; what to wait for."""
        job = self.job(name)
        if args is None and env is None:
            return job.run_now(suffix=secrets.token_hex(3))
        asked = {"id": secrets.token_hex(3)}
        overrides = {key: value for key, value in (("args", args), ("env", env)) if value is not None}
        answer = job.ask("run", {**asked, **overrides})
        assert answer["outcome"] == "Accepted", answer
        return str(answer["id"])

    def wait(self, name: str, started: str, *, timeout: float = 90) -> dict[str, Any]:
        """The record of a run that `start` began."""
        return self.job(name).wait_run(started, timeout=timeout)

    def run(
        self,
        name: str,
        *,
        timeout: float = 90,
        args: Mapping[str, Any] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Run a job by hand, and its record when it has ended."""
        return self.wait(name, self.start(name, args=args, env=env), timeout=timeout)

    def cancel(self, name: str, started: str) -> dict[str, Any]:
        """End a run that is active, and its record."""
        job = self.job(name)

        def active() -> list[str]:
            runs = job.status.get("active", [])
            return [run["id"] for run in runs if started in (run["id"], run["jobName"], run.get("request"))]

        [run] = wait_until(active, timeout=60, describe=f"{started} of {name} is active")
        job.ask("cancel", {"run": run})
        return self.wait(name, run)

    def log(self, run: str | Mapping[str, Any]) -> str:
        """What a run has printed; it is given by its Job or its record."""
        job = run if isinstance(run, str) else run["jobName"]
        where = (f"--namespace={self.namespace}", f"job/{job}")
        return self.cluster.kubectl("logs", *where, check=False).stdout

    def add_handlers(self, name: str, files: Mapping[str, str]) -> None:
        """Give the runs of a job one more folder with these handler files."""
        job = self.job(name)
        content = f"{name}-handlers"
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": content}, "data": dict(files)}
        self.cluster.apply(body, namespace=self.namespace)
        mount = {"name": "more", "mountPath": MORE_HANDLERS}
        pod = {
            "volumes": [{"name": "more", "configMap": {"name": content}}],
            "containers": [{"name": "job", "volumeMounts": [mount]}],
        }
        folders = {"name": "SCHEDULEDJOB_HANDLERS_PATH", "value": f"/handlers:{MORE_HANDLERS}"}
        env = [entry for entry in job.get()["spec"].get("env", []) if entry["name"] != folders["name"]]
        job.patch(podTemplate={"spec": pod}, env=[*env, folders])
        job.wait_ready()

    def execute(self, server: str, *command: str) -> str:
        """Run a command in the container of a server; what it printed."""
        where = (f"--namespace={self.namespace}", f"deployment/{server}")
        return self.cluster.kubectl("exec", *where, "--", *command).stdout

    def sql(self, query: str, *, user: str = "postgres") -> list[list[str]]:
        """The rows of a query as texts; `postgres` may do everything, jobs are `app`."""
        psql = ("psql", "--host=/data", f"--username={user}", "--dbname=app", "--set=ON_ERROR_STOP=1")
        printed = self.execute("postgresql", *psql, "--quiet", "--csv", "--tuples-only", f"--command={query}")
        return list(csv.reader(io.StringIO(printed)))

    def redis(self, *command: str) -> str:
        """What redis-cli prints: lists as one element a line."""
        return self.execute("redis", "redis-cli", *command).strip()

    def mails(self) -> list[EmailMessage]:
        """The mails that came in, oldest first."""
        texts = [mail["text"].encode(errors="surrogateescape") for mail in self.envelopes()]
        return [message_from_bytes(text, policy=default) for text in texts]

    def envelopes(self) -> list[dict[str, Any]]:
        """The mails as {"sender", "recipients", "text"}, as the server was told them."""
        return list(self.smtp("GET", "/mails"))

    def clear_mails(self) -> None:
        self.smtp("DELETE", "/mails")

    def smtp(self, method: str, path: str, body: object = None) -> Any:
        """Ask the mail sink: /mails, /faults (see examples/servers/smtp_sink)."""
        return self.proxy.request(method, "smtp:8025", path, namespace=self.namespace, body=body)

    def smtp_fault(self, **fault: Any) -> None:
        self.smtp("POST", "/faults", fault)

    def api(self, method: str, path: str, body: object = None) -> Any:
        """Ask the sample API: /v1/..., /requests, /faults (see examples/servers/sample_api)."""
        return self.proxy.request(method, "api:80", path, namespace=self.namespace, body=body)

    def api_fault(self, **fault: Any) -> None:
        """What goes wrong from now on; a bad record is `replace_item=7, replacement={...}`."""
        self.api("POST", "/faults", fault)

    def clear_faults(self) -> None:
        """Nothing goes wrong any more at the API and the mail server."""
        for server, ask in (("api", self.api), ("smtp", self.smtp)):
            if server in self.servers:
                ask("DELETE", "/faults")

    def reset_api(self) -> None:
        """The data as in the files, no faults, no requests."""
        self.api("POST", "/reset")

    def requests(self, path: str = "/v1") -> list[dict[str, Any]]:
        """The requests that the API got under a path: method, path, query, status."""
        return [each for each in self.api("GET", "/requests") if each["path"].startswith(path)]

    def stop_server(self, name: str) -> None:
        """From now on connections to it are refused; PostgreSQL and Redis keep their data."""
        self.execute(name, "server", "stop")
        wait_until(lambda: not self._ready(name), timeout=60, describe=f"{name} is gone from its Service")

    def start_server(self, name: str) -> None:
        self.execute(name, "server", "start")
        self.wait_server(name)

    @contextmanager
    def stopped(self, name: str) -> Iterator[None]:
        """The server is away for as long as the block runs."""
        self.stop_server(name)
        try:
            yield
        finally:
            self.start_server(name)

    @contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """PostgreSQL or Redis takes connections and answers nothing for as long as the block runs."""
        self.execute(name, "server", "freeze")
        try:
            yield
        finally:
            self.execute(name, "server", "thaw")

    def wait_server(self, name: str, *, timeout: float = 120) -> None:
        try:
            wait_until(lambda: self._ready(name), timeout=timeout, describe=f"the server {name} answers")
            wait_until(lambda: self._reached(name), timeout=60, describe=f"{name} is reached by its Service")
        except AssertionError as failed:
            where = (f"--namespace={self.namespace}", f"--selector=app.kubernetes.io/name={name}")
            state = self.cluster.kubectl("describe", "pods", *where).stdout
            log = self.cluster.kubectl("logs", *where, "--tail=30", check=False).stdout
            raise AssertionError(f"{failed}\n{state}\n{log}") from None

    def _reached(self, name: str) -> bool:
        """Whether a Pod comes to it by the Service's name: the node hears of an endpoint later."""
        service = self.proxy.get(f"/api/v1/namespaces/{self.namespace}/services/{name}")
        port = str(service["spec"]["ports"][0]["port"])
        where = (f"--namespace={self.namespace}", f"deployment/{name}")
        tried = self.cluster.kubectl("exec", *where, "--", "python", "-c", CONNECT, name, port, check=False)
        return tried.returncode == 0

    def _ready(self, name: str) -> bool:
        """Whether the Service is to send connections to it."""
        selector = f"labelSelector=kubernetes.io/service-name={name}"
        path = f"/apis/discovery.k8s.io/v1/namespaces/{self.namespace}/endpointslices?{selector}"
        slices = self.proxy.get(path)["items"]
        endpoints = [endpoint for each in slices for endpoint in each.get("endpoints") or []]
        return any(endpoint["conditions"].get("ready") for endpoint in endpoints)
