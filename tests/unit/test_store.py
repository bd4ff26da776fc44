"""What the watches have shown: what is newer counts, our own writes are no news, nothing stays for ever."""

from typing import Any

import pytest

from scheduledjob_operator.causes import cause_of
from scheduledjob_operator.store import Key, Store, parent_of
from tests.unit import bodies
from tests.unit.bodies import CRON_JOB_UID, NAME, NAMESPACE, UID, Body
from tests.unit.endings import GIVEN_UP, JOB, crashed, overdue, pod
from tests.unit.moments import NOON, text

KEY = Key(NAMESPACE, NAME)


def at(body: Body, version: int, **metadata: Any) -> Body:
    return {**body, "metadata": {**body["metadata"], "resourceVersion": str(version), **metadata}}


def filled() -> Store:
    """A ScheduledJob, its CronJob, a Job and its Pod, which runs."""
    store = Store()
    store.put_scheduled_job(bodies.scheduled_job())
    store.put_cron_job(bodies.cron_job())
    store.put_job(bodies.job(JOB, slot=NOON))
    store.put_pod(pod(status=bodies.running(NOON)))
    return store


def is_empty(store: Store) -> bool:
    """Whether not even an empty dictionary is left of anything."""
    indexes = (store.scheduled_jobs, store._cron_jobs, store._jobs, store._gone_jobs, store._pods)
    return not any(indexes)


def test_what_was_put_is_found_by_its_scheduled_job() -> None:
    store = filled()
    seen, cron_job = store.scheduled_job(KEY), store.cron_job(KEY)
    assert seen is not None
    assert (seen.uid, seen.spec["handler"], seen.status) == (UID, "sync", {"observedGeneration": -1})
    assert cron_job is not None
    assert cron_job.uid == CRON_JOB_UID
    assert [job.name for job in store.jobs(KEY)] == [JOB]
    assert [seen.job_name for seen in store.pods(KEY)] == [JOB]
    other = Key(NAMESPACE, "another")
    assert (store.scheduled_job(other), store.cron_job(other)) == (None, None)
    assert (store.jobs(other), store.gone_jobs(other), store.pods(other)) == ([], [], [])


def test_a_key_reads_as_people_write_it() -> None:
    assert str(KEY) == "shop/portfolio-sync"


# News


def put(store: Store, kind: str, body: Body) -> Key | None:
    return {
        "ScheduledJob": store.put_scheduled_job,
        "CronJob": store.put_cron_job,
        "Job": store.put_job,
        "Pod": store.put_pod,
    }[kind](body)


ALL = {
    "ScheduledJob": bodies.scheduled_job(),
    "CronJob": bodies.cron_job(),
    "Job": bodies.job(JOB, slot=NOON),
    "Pod": pod(status=bodies.running(NOON)),
}
CHANGED = {
    "ScheduledJob": bodies.scheduled_job(spec={"schedule": "@daily", "handler": "other"}),
    "CronJob": bodies.cron_job(spec={"suspend": True}),
    "Job": bodies.job(JOB, slot=NOON, status=GIVEN_UP),
    "Pod": crashed(),
}


@pytest.mark.parametrize("kind", ALL)
def test_something_new_or_changed_is_news(kind: str) -> None:
    store = Store()
    assert put(store, kind, at(ALL[kind], 10)) == KEY
    assert put(store, kind, at(CHANGED[kind], 11)) == KEY


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("version", [9, 10], ids=["older", "the same"])
def test_an_older_version_is_no_news_and_changes_nothing(kind: str, version: int) -> None:
    store, reference = Store(), Store()
    for each in (store, reference):
        put(each, kind, at(ALL[kind], 10))
    assert put(store, kind, at(CHANGED[kind], version)) is None
    assert vars(store) == vars(reference)


def test_versions_are_numbers_not_text() -> None:
    store = Store()
    put(store, "Job", at(ALL["Job"], 9))
    assert put(store, "Job", at(CHANGED["Job"], 10)) == KEY


@pytest.mark.parametrize("kind", ["CronJob", "Job", "Pod"])
def test_a_change_that_is_not_used_is_no_news(kind: str) -> None:
    store = Store()
    put(store, kind, at(ALL[kind], 10))
    assert put(store, kind, at(ALL[kind], 11, annotations=ALL[kind]["metadata"].get("annotations"))) is None
    assert put(store, kind, at(CHANGED[kind], 10)) is None, "the newer version is known"


def test_that_a_slot_was_started_is_no_news_the_job_is() -> None:
    store = filled()
    body = at(bodies.cron_job(status={"lastScheduleTime": text(NOON)}), 500)
    assert put(store, "CronJob", body) is None
    seen = store.cron_job(KEY)
    assert seen is not None
    assert seen.last_schedule_time == NOON, "but it is known"


def test_the_answer_to_a_write_is_no_news_when_the_watch_shows_it() -> None:
    store = filled()
    answer = at(bodies.scheduled_job(status={"observedGeneration": 1}), 600)
    store.put_scheduled_job(answer)
    assert store.put_scheduled_job(answer) is None
    assert store.put_scheduled_job(at(bodies.scheduled_job(), 599)) is None, "the watch is late"
    seen = store.scheduled_job(KEY)
    assert seen is not None
    assert seen.status == {"observedGeneration": 1}


GIVEN_UP_BEFORE_ITS_START = overdue(
    {
        "containerStatuses": [
            {
                "name": "job",
                "state": {"terminated": {"reason": "ContainerStatusUnknown", "exitCode": 137}},
            }
        ]
    }
)
"""As the kubelet of Kubernetes 1.35 leaves a Pod whose image could not be pulled until its deadline."""


def test_why_a_pod_did_not_start_is_known_when_its_end_says_it_no_more() -> None:
    store = Store()
    store.put_pod(at(pod(status=bodies.waiting("ImagePullBackOff", "no such image")), 10))
    assert store.put_pod(at(pod(status=GIVEN_UP_BEFORE_ITS_START), 11)) == KEY
    [seen] = store.pods(KEY)
    cause = cause_of(seen)
    assert cause is not None
    assert (cause.result, cause.reason, cause.message) == ("Failed", "ImagePullBackOff", "no such image")


@pytest.mark.parametrize(
    ("before", "after", "uid"),
    [
        (bodies.unschedulable("no node"), bodies.running(NOON), "the same"),
        (bodies.unschedulable("no node"), bodies.waiting("ContainerCreating"), "the same"),
        (bodies.waiting("ImagePullBackOff"), bodies.ended(1, started=NOON, finished=NOON), "the same"),
        (bodies.waiting("ImagePullBackOff"), GIVEN_UP_BEFORE_ITS_START, "another"),
    ],
    ids=["it runs", "something else is the matter", "it ran", "a successor"],
)
def test_what_kept_a_pod_from_starting_counts_no_longer_than_it_did(
    before: Body, after: Body, uid: str
) -> None:
    store, reference = Store(), Store()
    store.put_pod(at(pod(status=before), 10, uid="the same"))
    for each in (store, reference):
        each.put_pod(at(pod(status=after), 11, uid=uid))
    assert store.pods(KEY) == reference.pods(KEY)


@pytest.mark.parametrize("kind", ALL)
def test_a_successor_of_the_same_name_takes_the_place(kind: str) -> None:
    store = Store()
    put(store, kind, at(ALL[kind], 10))
    assert put(store, kind, at(ALL[kind], 20, uid="successor")) == KEY


@pytest.mark.parametrize("kind", ALL)
def test_a_late_answer_about_a_deleted_object_does_not_hide_its_successor(kind: str) -> None:
    store, reference = Store(), Store()
    for each in (store, reference):
        put(each, kind, at(ALL[kind], 10))
        put(each, kind, at(ALL[kind], 20, uid="successor"))
    assert put(store, kind, at(CHANGED[kind], 15)) is None
    assert vars(store) == vars(reference)


# Deletion


def test_a_deletion_is_news() -> None:
    store = filled()
    assert store.drop_pod(KEY, f"{JOB}-p1", uid=f"uid-of-{JOB}-p1") == KEY
    assert store.drop_job(KEY, JOB, uid=f"uid-of-{JOB}") == KEY
    assert store.drop_cron_job(KEY, uid=CRON_JOB_UID) == KEY
    assert store.cron_job(KEY) is None
    assert store.jobs(KEY) == []


def test_the_deletion_of_something_unknown_is_none() -> None:
    store = Store()
    assert store.drop_cron_job(KEY, uid="x") is None
    assert store.drop_job(KEY, JOB, uid="x") is None
    assert store.drop_pod(KEY, "p", uid="x") is None
    store.forget_scheduled_job(KEY, uid="x")
    assert is_empty(store)


def test_the_deletion_of_a_predecessor_does_not_touch_its_successor() -> None:
    store = filled()
    assert store.drop_cron_job(KEY, uid="predecessor") is None
    assert store.drop_job(KEY, JOB, uid="predecessor") is None
    assert store.drop_pod(KEY, f"{JOB}-p1", uid="predecessor") is None
    store.forget_scheduled_job(KEY, uid="predecessor")
    assert (store.cron_job(KEY), store.scheduled_job(KEY)) != (None, None)
    assert (len(store.jobs(KEY)), len(store.pods(KEY))) == (1, 1)


def test_a_deleted_job_is_remembered_until_its_run_is_in_the_ledger() -> None:
    store = filled()
    store.drop_job(KEY, JOB, uid=f"uid-of-{JOB}")
    assert [job.name for job in store.gone_jobs(KEY)] == [JOB]
    store.settle(KEY, run_ids=["another"])
    assert [job.name for job in store.gone_jobs(KEY)] == [JOB]
    store.settle(KEY, run_ids=[JOB])
    assert store.gone_jobs(KEY) == []


def test_a_deleted_pod_is_remembered_as_being_deleted_for_as_long_as_its_job_may_need_it() -> None:
    store = filled()
    store.drop_pod(KEY, f"{JOB}-p1", uid=f"uid-of-{JOB}-p1")
    (seen,) = store.pods(KEY)
    assert seen.deleting
    assert store.drop_pod(KEY, f"{JOB}-p1", uid=f"uid-of-{JOB}-p1") is None, "it is told once"
    store.settle(KEY, run_ids=[JOB])
    assert store.pods(KEY) == []


def test_a_job_that_is_nobodys_or_somebody_elses_is_not_a_run() -> None:
    store = Store()
    store.put_scheduled_job(bodies.scheduled_job())
    for name, owners in {
        "nobodys": [],
        "anothers": bodies.owner("CronJob", name="another"),
        "the-scheduled-jobs": bodies.owner("ScheduledJob"),
    }.items():
        store.put_job(bodies.job(name, ownerReferences=owners))
    assert store.jobs(KEY) == []
    for name in ("nobodys", "anothers", "the-scheduled-jobs"):
        store.drop_job(KEY, name, uid=f"uid-of-{name}")
    assert store.gone_jobs(KEY) == []
    store.forget_scheduled_job(KEY, uid=UID)
    assert is_empty(store)


# Memory


DELETIONS = {
    "pod": lambda store: store.drop_pod(KEY, f"{JOB}-p1", uid=f"uid-of-{JOB}-p1"),
    "job": lambda store: store.drop_job(KEY, JOB, uid=f"uid-of-{JOB}"),
    "cron job": lambda store: store.drop_cron_job(KEY, uid=CRON_JOB_UID),
    "scheduled job": lambda store: store.forget_scheduled_job(KEY, uid=UID),
}


@pytest.mark.parametrize(
    "order",
    [
        ["scheduled job", "cron job", "job", "pod"],
        ["pod", "job", "cron job", "scheduled job"],
        ["pod", "scheduled job", "job", "cron job"],
        ["scheduled job", "pod", "cron job", "job"],
        ["job", "scheduled job", "pod", "cron job"],
    ],
    ids=["background", "foreground", "mixed", "pods first", "job first"],
)
def test_nothing_is_left_of_a_scheduled_job_that_was_deleted(order: list[str]) -> None:
    store = filled()
    for what in order:
        DELETIONS[what](store)
    assert is_empty(store)


def test_nothing_but_the_jobs_is_left_of_runs_in_the_ledger() -> None:
    store = filled()
    store.settle(KEY, run_ids=[JOB])
    assert store.pods(KEY) == []
    assert [job.name for job in store.jobs(KEY)] == [JOB]
    store.drop_job(KEY, JOB, uid=f"uid-of-{JOB}")
    store.settle(KEY, run_ids=[JOB])
    assert (store._jobs, store._pods, store._gone_jobs) == ({}, {}, {})


def test_a_pod_that_has_no_job_any_more_is_dropped_with_its_deletion() -> None:
    store = Store()
    store.put_scheduled_job(bodies.scheduled_job())
    store.put_pod(pod())
    assert store.drop_pod(KEY, f"{JOB}-p1", uid=f"uid-of-{JOB}-p1") is None
    assert store._pods == {}


def test_settling_what_is_unknown_does_nothing() -> None:
    store = Store()
    store.settle(KEY, run_ids=["x"])
    assert is_empty(store)


# Comparing with a list


def test_everything_known_is_listed_by_kind_and_namespace() -> None:
    store = filled()
    store.put_job(bodies.job("another", namespace="elsewhere"))
    elsewhere = Key("elsewhere", NAME)
    assert store.uids("CronJob", namespace=None) == {CRON_JOB_UID: (KEY, NAME)}
    assert store.uids("Job", namespace=None) == {
        f"uid-of-{JOB}": (KEY, JOB),
        "uid-of-another": (elsewhere, "another"),
    }
    assert store.uids("Job", namespace="elsewhere") == {"uid-of-another": (elsewhere, "another")}
    assert store.uids("Pod", namespace=NAMESPACE) == {f"uid-of-{JOB}-p1": (KEY, f"{JOB}-p1")}


@pytest.mark.parametrize(
    ("labels", "key"),
    [({"scheduledjob.dev/name": NAME}, KEY), ({}, None), (None, None), ({"scheduledjob.dev/name": ""}, None)],
    ids=["ours", "none", "null", "empty"],
)
def test_a_child_finds_its_parent_by_its_label(labels: Any, key: Key | None) -> None:
    assert parent_of("Job", {"metadata": {"namespace": NAMESPACE, "labels": labels}}) == key
