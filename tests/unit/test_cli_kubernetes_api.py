"""The command line over the wire: pages, patches, refusals, kubeconfigs, and clusters that are not there."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from click.testing import CliRunner, Result

from scheduledjob_operator.cli import kubernetes_api, main
from scheduledjob_operator.cli.kubernetes_api import KubernetesScheduledJobs
from scheduledjob_operator.cli.scheduled_jobs import NoAnswer, RefusedByCluster
from tests.unit.bodies import NAME, NAMESPACE
from tests.unit.fake_scheduled_jobs import scheduled_job

TOKEN = "token-of-alice"
KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: {current}
clusters: [{{name: here, cluster: {{server: "{server}"}}}}]
users: [{{name: alice, user: {{token: {token}}}}}]
contexts:
- {{name: shop, context: {{cluster: here, user: alice, namespace: shop}}}}
- {{name: bare, context: {{cluster: here, user: alice}}}}
"""
BASE = "/apis/scheduledjob.dev/v1alpha1"


@dataclass
class Server:
    """An HTTP server with planned answers, the last one again and again."""

    answers: list[tuple[int, Any]]
    received: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""
    before: Callable[[], object] = lambda: None
    """Called before each answer."""

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        length = int(request.headers.get("Content-Length", 0))
        url = urlsplit(request.path)
        self.received.append(
            {
                "method": request.command,
                "path": url.path,
                "query": dict(parse_qsl(url.query)),
                "type": request.headers.get("Content-Type"),
                "authorization": request.headers.get("Authorization"),
                "body": json.loads(request.rfile.read(length) or "null"),
            }
        )
        self.before()
        code, answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        request.send_response(code)
        page = content.startswith(b"<html>")
        request.send_header("Content-Type", "text/html" if page else "application/json")
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)


@contextmanager
def serving(*answers: tuple[int, Any]) -> Iterator[Server]:
    server = Server(list(answers))

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            server.handle(self)

        do_GET = do_POST = do_PATCH = answer  # noqa: N815  # as http.server names them

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # as http.server names it
            """Nothing is to be said."""

    class Http(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that has given up is what some tests are about."""

    http = Http(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    return tmp_path / "kubeconfig"


def connected(kubeconfig: Path, server: str, *, context: str | None = None) -> KubernetesScheduledJobs:
    write(kubeconfig, server=server)
    return KubernetesScheduledJobs.connect(kubeconfig=str(kubeconfig), context=context)


def write(kubeconfig: Path, *, server: str, current: str = "shop") -> None:
    text = KUBECONFIG.format(server=server, current=current or '""', token=TOKEN)
    kubeconfig.write_text(text, encoding="utf-8")


def called(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def status_of(code: int, reason: str, message: str) -> tuple[int, dict[str, Any]]:
    """An error, as the API server gives it."""
    return code, {"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message}


def page(*names: str, more: str = "", namespace: str = NAMESPACE) -> tuple[int, dict[str, Any]]:
    items = [scheduled_job(name, namespace=namespace) for name in names]
    return 200, {"kind": "ScheduledJobList", "metadata": {"continue": more}, "items": items}


# What is asked


def test_a_long_list_is_read_page_by_page(kubeconfig: Path) -> None:
    with serving(page("a", "b", more="next please"), page("c")) as server:
        found = connected(kubeconfig, server.url).all("shop")
    assert [job.name for job in found] == ["a", "b", "c"]
    assert [request["path"] for request in server.received] == [f"{BASE}/namespaces/shop/scheduledjobs"] * 2
    assert [request["query"] for request in server.received] == [
        {"limit": "500"},
        {"limit": "500", "continue": "next please"},
    ]
    assert server.received[0]["authorization"] == f"Bearer {TOKEN}"


def test_a_list_whose_pages_have_expired_is_read_anew_in_one(kubeconfig: Path) -> None:
    expired = status_of(410, "Expired", "The provided continue parameter is too old")
    with serving(page("a", more="next please"), expired, page("a", "b")) as server:
        found = connected(kubeconfig, server.url).all("shop")
    assert [job.name for job in found] == ["a", "b"]
    assert [request["query"] for request in server.received][1:] == [
        {"limit": "500", "continue": "next please"},
        {},
    ]
    with serving(expired) as server, pytest.raises(RefusedByCluster, match="is too old"):
        connected(kubeconfig, server.url).all("shop")


def test_those_of_all_namespaces_are_one_list(kubeconfig: Path) -> None:
    with serving(page("a", namespace="office")) as server:
        (found,) = connected(kubeconfig, server.url).all(None)
    assert (found.namespace, found.name) == ("office", "a")
    assert server.received[0]["path"] == f"{BASE}/scheduledjobs"


def test_what_is_changed_is_a_merge_patch_in_the_name_of_the_plugin(kubeconfig: Path) -> None:
    with serving((200, scheduled_job())) as server:
        jobs = connected(kubeconfig, server.url)
        jobs.annotate("shop", NAME, {"scheduledjob.dev/run": "x", "scheduledjob.dev/retry": None})
        jobs.patch_spec("shop", NAME, {"enabled": False})
    annotated, patched = server.received
    for request in (annotated, patched):
        assert request["method"] == "PATCH"
        assert request["path"] == f"{BASE}/namespaces/shop/scheduledjobs/{NAME}"
        assert request["type"] == "application/merge-patch+json"
        assert request["query"] == {"fieldManager": "kubectl-scheduledjob"}
    annotations = {"scheduledjob.dev/run": "x", "scheduledjob.dev/retry": None}
    assert annotated["body"] == {"metadata": {"annotations": annotations}}
    assert patched["body"] == {"spec": {"enabled": False}}


def test_one_is_created_and_one_is_read(kubeconfig: Path) -> None:
    with serving((201, scheduled_job("made")), (200, scheduled_job())) as server:
        jobs = connected(kubeconfig, server.url)
        assert jobs.create("shop", {"kind": "ScheduledJob"}).name == "made"
        assert jobs.get("shop", NAME).spec == {"schedule": "*/5 * * * *", "handler": "sync"}
    created, read = server.received
    assert (created["method"], created["path"]) == ("POST", f"{BASE}/namespaces/shop/scheduledjobs")
    assert created["body"] == {"kind": "ScheduledJob"}
    assert (read["method"], read["path"]) == ("GET", f"{BASE}/namespaces/shop/scheduledjobs/{NAME}")


def test_the_cluster_knows_the_users_name(kubeconfig: Path) -> None:
    with serving((201, {"status": {"userInfo": {"username": "alice@example.com"}}})) as server:
        assert connected(kubeconfig, server.url).user() == "alice@example.com"
    (asked,) = server.received
    assert (asked["method"], asked["path"]) == ("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews")


# What is refused


@pytest.mark.parametrize(
    ("answer", "kind", "sentence"),
    [
        (
            status_of(403, "Forbidden", 'scheduledjobs "a" is forbidden: User "alice" cannot patch it'),
            RefusedByCluster,
            'scheduledjobs "a" is forbidden: User "alice" cannot patch it (Forbidden)',
        ),
        (status_of(404, "NotFound", '"a" not found'), RefusedByCluster, '"a" not found (NotFound)'),
        (status_of(401, "Unauthorized", "Unauthorized"), RefusedByCluster, "Unauthorized (Unauthorized)"),
        (status_of(429, "TooManyRequests", "later"), NoAnswer, "later (TooManyRequests)"),
        (status_of(503, "ServiceUnavailable", "no leader"), NoAnswer, "no leader (ServiceUnavailable)"),
        ((404, b"404 page not found"), RefusedByCluster, "the API server answers 404 Not Found"),
        ((502, b"<html>"), NoAnswer, "the API server answers 502 Bad Gateway"),
        ((400, []), RefusedByCluster, "the API server answers 400 Bad Request"),
        ((200, b"<html>log in</html>"), RefusedByCluster, "What answers is no API server"),
        ((200, b"log in"), RefusedByCluster, "What answers is no API server"),
    ],
)
def test_a_refusal_is_the_api_servers_own_sentence(
    answer: tuple[int, Any], kind: type[RefusedByCluster], sentence: str, kubeconfig: Path
) -> None:
    with serving(answer) as server:
        jobs = connected(kubeconfig, server.url)
        for ask in (lambda: jobs.get("shop", "a"), lambda: jobs.all(None)):
            with pytest.raises(RefusedByCluster) as refused:
                ask()
            assert type(refused.value) is kind
            assert refused.value.message.startswith(sentence)
    assert len(server.received) == 2  # nothing is tried twice


def test_a_refusal_ends_the_program_with_one_line_and_exit_code_1(kubeconfig: Path) -> None:
    with serving(status_of(404, "NotFound", '"a" not found')) as server:
        write(kubeconfig, server=server.url)
        result = called("pause", "a", "--kubeconfig", str(kubeconfig))
    assert (result.exit_code, result.output) == (1, 'Error: "a" not found (NotFound)\n')


def test_what_another_version_wrote_into_a_status_is_left_out(kubeconfig: Path) -> None:
    strange = scheduled_job(status={"scheduler": "Moon", "activeCount": 2})
    with serving((200, strange)) as server:
        status = connected(kubeconfig, server.url).get("shop", "sync").status
    assert (status.scheduler, status.active_count) == (None, 2)


# Who is not there


def test_a_cluster_that_is_not_there_is_one_sentence(kubeconfig: Path) -> None:
    with serving((200, {})) as server:
        pass  # and now it is gone
    write(kubeconfig, server=server.url)
    result = called("dlq", "list", "--kubeconfig", str(kubeconfig))
    assert result.exit_code == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: The cluster does not answer: ")
    assert "Connection refused" in line


def test_a_cluster_that_does_not_speak_tls_is_one_sentence(kubeconfig: Path) -> None:
    with serving((200, {})) as server:
        jobs = connected(kubeconfig, server.url.replace("http", "https"))
        with pytest.raises(RefusedByCluster, match=r"The cluster does not answer: .*SSL"):
            jobs.get("shop", NAME)


def test_a_cluster_that_says_nothing_is_not_waited_for_for_ever(
    kubeconfig: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kubernetes_api, "SECONDS", 0.05)
    over = threading.Event()
    with serving((200, {})) as server:
        server.before = over.wait
        jobs = connected(kubeconfig, server.url)
        try:
            with pytest.raises(NoAnswer, match=r"The cluster does not answer: .*timed out"):
                jobs.get("shop", NAME)
        finally:
            over.set()


# Kubeconfigs


def test_the_namespace_is_that_of_the_context(kubeconfig: Path) -> None:
    assert connected(kubeconfig, "http://127.0.0.1:1").namespace == "shop"
    assert connected(kubeconfig, "http://127.0.0.1:1", context="bare").namespace == "default"
    write(kubeconfig, server="http://127.0.0.1:1", current="")
    jobs = KubernetesScheduledJobs.connect(kubeconfig=str(kubeconfig), context="shop")
    assert jobs.namespace == "shop"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty"),
        ("{a: [", "is no kubeconfig"),
        (f"- {TOKEN}", "is no kubeconfig"),
        (TOKEN, "is no kubeconfig"),
        ("\x00", "is no kubeconfig"),
        (KUBECONFIG.format(server="http://127.0.0.1:1", current="other", token=TOKEN), "name other"),
        ("apiVersion: v1\nkind: Config\n", "Invalid kube-config file"),
    ],
)
def test_what_is_no_kubeconfig_is_one_sentence(text: str, sentence: str, kubeconfig: Path) -> None:
    kubeconfig.write_text(text, encoding="utf-8")
    result = called("dlq", "list", "--kubeconfig", str(kubeconfig))
    assert (result.exit_code, result.stdout) == (1, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: No cluster to talk to: ")
    assert sentence in line
    assert TOKEN not in line


def test_a_file_or_a_context_that_is_not_there_is_one_sentence(kubeconfig: Path) -> None:
    missing = called("dlq", "list", "--kubeconfig", str(kubeconfig))
    assert (missing.exit_code, len(missing.stderr.splitlines())) == (1, 1)
    assert "No cluster to talk to: " in missing.stderr
    write(kubeconfig, server="http://127.0.0.1:1")
    unknown = called("dlq", "list", "--kubeconfig", str(kubeconfig), "--context", "moon")
    assert (unknown.exit_code, len(unknown.stderr.splitlines())) == (1, 1)
    assert "name moon" in unknown.stderr
