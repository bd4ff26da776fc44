"""Following one kind over all that may happen to the connection. The API server is a small real one."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from scheduledjob_operator import informer
from scheduledjob_operator.informer import Informer, NamespaceVisits
from scheduledjob_operator.kubernetes_cluster import KubernetesCluster
from tests.unit import waiting
from tests.unit.api_server import Answer, ApiServer, broken_answer, json_answer, serving, text_answer
from tests.unit.bodies import Body, job


class Notes:
    """Takes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.lists: list[set[str]] = []

    def changed(self, kind: str, body: Body) -> None:  # noqa: ARG002  # all are Jobs here
        self.told.append(("changed", body["metadata"]["name"]))

    def deleted(self, kind: str, body: Body) -> None:  # noqa: ARG002
        self.told.append(("deleted", body["metadata"]["name"]))

    def listed(self, kind: str, *, namespace: str | None, uids: set[str]) -> None:  # noqa: ARG002
        self.lists.append(uids)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(informer, "FIRST_BACKOFF", 0.001)
    monkeypatch.setattr(informer, "LONGEST_BACKOFF", 0.01)
    monkeypatch.setattr(informer, "VISIT_INTERVAL", 0.001)


def listed(*names: str, version: str = "10", following: str = "") -> Answer:
    metadata = {"resourceVersion": version, **({"continue": following} if following else {})}
    return json_answer({"metadata": metadata, "items": [job(name) for name in names]})


def events(*lines: tuple[str, Body]) -> Answer:
    return text_answer("".join(json.dumps({"type": type_, "object": body}) + "\n" for type_, body in lines))


def seen(name: str, version: int) -> Body:
    return job(name, resourceVersion=str(version))


async def hangs(_: Any) -> Any:
    """A watch on which nothing happens."""
    await asyncio.Event().wait()


def follow(*answers: Answer, until: Callable[[Notes, Informer], bool]) -> tuple[Notes, ApiServer, Informer]:
    """What is told until something is the case."""

    async def main() -> tuple[Notes, ApiServer, Informer]:
        async with serving(*answers, hangs) as (server, cluster):
            notes = Notes()
            found = Informer(
                cluster=cluster, kind="Job", namespace=None, selector="a=b", sink=notes, clock=lambda: 7.0
            )
            following = asyncio.create_task(found.run())
            await waiting.until(lambda: until(notes, found) or following.done())
            following.cancel()
            (result,) = await asyncio.gather(following, return_exceptions=True)
            assert isinstance(result, asyncio.CancelledError), f"it never ends by itself: {result!r}"
            return notes, server, found

    return asyncio.run(main())


def told(*what: tuple[str, str]) -> Callable[[Notes, Informer], bool]:
    return lambda notes, _: set(what) <= set(notes.told)


def test_what_exists_and_what_changes_is_told() -> None:
    notes, server, found = follow(
        listed("a", "b"),
        events(("MODIFIED", seen("a", 11)), ("ADDED", seen("c", 12)), ("DELETED", seen("b", 13))),
        until=told(("deleted", "b")),
    )
    assert notes.told == [
        ("changed", "a"),
        ("changed", "b"),
        ("changed", "a"),
        ("changed", "c"),
        ("deleted", "b"),
    ]
    assert notes.lists == [{"uid-of-a", "uid-of-b"}]
    assert found.synced.is_set()
    assert found.last_contact == 7.0
    assert server.received[0].query["labelSelector"] == "a=b"
    assert server.received[1].query["resourceVersion"] == "10"


def test_the_list_is_complete_only_with_its_last_page() -> None:
    notes, server, _ = follow(
        listed("a", following="next"), listed("b"), until=lambda _, found: found.synced.is_set()
    )
    assert notes.lists == [{"uid-of-a", "uid-of-b"}]
    assert server.received[1].query["continue"] == "next"


def test_a_watch_that_ends_is_continued_where_it_was() -> None:
    _, server, _ = follow(
        listed("a"),
        events(("MODIFIED", seen("a", 20)), ("BOOKMARK", seen("", 30))),
        events(("MODIFIED", seen("a", 40))),
        events(("ADDED", seen("z", 41))),
        until=told(("changed", "z")),
    )
    assert [request.query.get("resourceVersion") for request in server.received[:4]] == [
        None,
        "10",
        "30",
        "40",
    ]


@pytest.mark.parametrize(
    "broken",
    [
        broken_answer(),
        broken_answer(
            '{"type": "MODIFIED", "object": {"metadata": {"name": "a", "resourceVersion": "11"}}}\n'
        ),
        text_answer("<html>not the API server</html>\n"),
        json_answer({"reason": "InternalError", "message": "x"}, status=500),
        json_answer({"reason": "Forbidden", "message": "x"}, status=403),
        json_answer({"reason": "Unauthorized", "message": "x"}, status=401),
        json_answer({"reason": "TooManyRequests", "message": "x"}, status=429),
    ],
    ids=["broken off", "broken off later", "no JSON", "500", "403", "401", "429"],
)
def test_a_watch_that_breaks_is_begun_again_without_a_list(broken: Answer) -> None:
    notes, server, _ = follow(
        listed("a"), broken, broken, events(("ADDED", seen("z", 41))), until=told(("changed", "z"))
    )
    assert len(notes.lists) == 1
    assert all("watch" in request.query for request in server.received[1:])


@pytest.mark.parametrize(
    "outdated",
    [
        json_answer({"reason": "Expired", "message": "too old"}, status=410),
        events(("ERROR", {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"})),
        events(("ERROR", {"kind": "Status", "code": 500, "reason": "InternalError", "message": "x"})),
        events(("ERROR", {})),
    ],
    ids=["410", "410 in the stream", "500 in the stream", "an error without a word"],
)
def test_after_a_gap_everything_is_listed_again(outdated: Answer) -> None:
    notes, _, _ = follow(
        listed("a", "b"), outdated, listed("b", "c"), until=lambda notes, _: len(notes.lists) == 2
    )
    assert notes.lists[1] == {"uid-of-b", "uid-of-c"}, "so that what is missing is noticed"


@pytest.mark.parametrize(
    "broken",
    [broken_answer(), text_answer("<html>"), json_answer({}, status=500), json_answer({}, status=403)],
    ids=["broken off", "no JSON", "500", "403"],
)
def test_a_list_that_fails_is_tried_again(broken: Answer) -> None:
    notes, _, _ = follow(broken, broken, listed("a"), until=lambda _, found: found.synced.is_set())
    assert notes.lists == [{"uid-of-a"}]


def test_a_list_that_broke_off_between_two_pages_tells_nothing_is_missing() -> None:
    notes, _, _ = follow(
        listed("a", following="next"),
        json_answer({"reason": "Expired"}, status=410),
        listed("b"),
        until=lambda _, found: found.synced.is_set(),
    )
    assert notes.lists == [{"uid-of-b"}]


# A namespace that cannot be watched


def visit(*answers: Answer, until: Callable[[Notes], bool]) -> Notes:
    """What is told about the namespace `a` until something is the case."""

    async def main() -> Notes:
        async with serving(*answers) as (_, cluster):
            notes = Notes()
            visiting = asyncio.create_task(visits(cluster, notes).run())
            await waiting.until(lambda: until(notes) or visiting.done())
            visiting.cancel()
            await asyncio.gather(visiting, return_exceptions=True)
            return notes

    return asyncio.run(main())


def visits(cluster: KubernetesCluster, notes: Notes) -> NamespaceVisits:
    return NamespaceVisits(cluster=cluster, namespace="a", sink=notes, clock=lambda: 7.0)


def test_a_visit_that_finds_no_namespace_tells_that_it_is_gone() -> None:
    there = json_answer({"metadata": {"name": "a", "uid": "uid-of-a"}})
    gone = json_answer({"reason": "NotFound", "message": "x"}, status=404)
    fails = json_answer({"reason": "InternalError", "message": "x"}, status=500)
    notes = visit(there, fails, gone, until=lambda notes: len(notes.told) > 1)
    assert notes.told[:2] == [("changed", "a"), ("deleted", "a")]
