"""CronJobs that somebody else has made and wants a ScheduledJob of the same name to take over."""

import copy
from datetime import timedelta
from typing import Any

import pytest

from scheduledjob_operator.cluster import ApiError
from scheduledjob_operator.job_names import slot_job
from tests.unit import bodies, managed_fields
from tests.unit.bodies import NAME, NAMESPACE, Body
from tests.unit.fake_cluster import LOST, OVERLOADED, QUOTA, Request, refused
from tests.unit.moments import NOON, after_noon, text
from tests.unit.world import KEY, World, verbs

ADOPT = "scheduledjob.dev/adopt"
TEMPLATE = {
    "spec": {
        "ttlSecondsAfterFinished": 600,
        "template": {
            "spec": {
                "restartPolicy": "OnFailure",
                "containers": [{"name": "worker", "image": "worker:1", "command": ["work"]}],
            }
        },
    }
}
EVERY_MINUTE = {"schedule": "* * * * *", "handler": "sync"}


def job_of(seconds: float) -> str:
    """Name of the Job that Kubernetes makes for the slot so many seconds after noon."""
    return slot_job(NAME, after_noon(seconds))


def foreign(*, wanted: bool = True, owners: list[Body] | None = None, **spec: Any) -> Body:
    """A CronJob as kubectl apply makes it, with a slot every five minutes; that of noon has been started."""
    body = bodies.cron_job(
        spec={"jobTemplate": copy.deepcopy(TEMPLATE), **spec},
        status={"lastScheduleTime": text(NOON)},
        uid="theirs",
        labels={"team": "x"},
        annotations={"kubectl.kubernetes.io/last-applied-configuration": "{}"},
        ownerReferences=owners or [],
        creationTimestamp=text(after_noon(-86400)),
    )
    del body["spec"]["timeZone"]
    fields = set(managed_fields.leaves(body))
    entry = managed_fields.entry("kubectl-client-side-apply", fields, operation="Update")
    body["metadata"]["managedFields"] = [entry]
    return with_wish(body) if wanted else body


def with_wish(body: Body, value: str = "true") -> Body:
    metadata = body["metadata"]
    return {**body, "metadata": {**metadata, "annotations": {**metadata["annotations"], ADOPT: value}}}


def old_job(world: World, name: str, **given: Any) -> Body:
    """A Job by the template of before: it has no label of ours."""
    given.setdefault("ownerReferences", bodies.owner("CronJob", uid="theirs"))
    return world.cluster.put("Job", bodies.job(name, labels={}, **given))


def world_with(spec: Body | None = None, *, punctual: bool = False, **given: Any) -> World:
    """A CronJob of somebody else and a ScheduledJob of its name, at 12:00:30; nobody has looked yet."""
    world = World()
    world.punctual = punctual
    world.restart()
    world.cluster.put("CronJob", foreign(**given))
    world.create(spec)
    return world


def spec_from_scratch(spec: Body | None = None) -> Body:
    """That of the CronJob where there was none before."""
    world = World()
    world.create(spec)
    world.settle()
    found: Body = world.cron_job["spec"]
    return found


def test_it_becomes_what_it_would_be_had_nobody_made_one_before() -> None:
    world = world_with()
    before = world.cron_job
    assert verbs(world.settle()) == ["reclaim", "apply", "status", "event"]
    after = world.cron_job
    assert after["spec"] == spec_from_scratch()
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["metadata"]["labels"] == {**bodies.LABELS, "team": "x"}
    (owner,) = after["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["controller"]) == ("ScheduledJob", True)
    assert after["status"] == before["status"]
    assert world.ready == ("True", "Reconciled")
    ((reason, note),) = world.cluster.events()
    assert reason == "CronJobAdopted"
    assert ADOPT in note


def test_the_wish_is_taken_away_when_it_is_fulfilled() -> None:
    world = world_with()
    world.settle()
    assert ADOPT in world.cron_job["metadata"]["annotations"]
    assert verbs(world.go_to(70)) == ["annotate"]
    assert ADOPT not in world.cron_job["metadata"]["annotations"]
    assert world.reconcile() == []
    world.restart()
    assert world.settle() == []


def test_a_conflict_says_what_to_do() -> None:
    world = world_with(wanted=False)
    before = world.cron_job
    world.settle()
    assert world.ready == ("False", "NameConflict")
    assert f"kubectl annotate cronjob {NAME} {ADOPT}=true" in world.message
    assert world.cron_job == before


def test_the_wish_counts_at_once() -> None:
    world = world_with(wanted=False)
    world.settle()
    world.cluster.put("CronJob", with_wish(world.cron_job))
    world.settle()
    assert world.ready == ("True", "Reconciled")


@pytest.mark.parametrize("value", ["false", "", "yes"])
def test_only_the_word_true_is_a_wish(value: str) -> None:
    world = world_with(wanted=False)
    before = world.cluster.put("CronJob", with_wish(world.cron_job, value))
    world.settle()
    assert world.ready == ("False", "NameConflict")
    assert world.cron_job == before


def test_what_another_controller_owns_is_never_taken() -> None:
    world = world_with(owners=bodies.owner("CronJobSet", name="theirs", uid="another"))
    before = world.cron_job
    world.settle()
    world.go_to(600)
    assert world.cron_job == before
    assert "controlled by CronJobSet theirs" in world.message
    assert "annotate" not in world.message, "it would be of no use"


def test_a_wish_on_the_scheduled_job_means_nothing() -> None:
    world = world_with(wanted=False)
    before = world.cron_job
    world.annotate(adopt="true")
    world.settle()
    assert world.cron_job == before


def test_a_wish_that_is_withdrawn_in_the_last_moment_counts_no_more() -> None:
    world = world_with()

    def rule(request: Request) -> None:
        if request.verb == "get" and ADOPT in world.cron_job["metadata"]["annotations"]:
            body = world.cron_job
            given = {key: text for key, text in body["metadata"]["annotations"].items() if key != ADOPT}
            world.cluster.put("CronJob", {**body, "metadata": {**body["metadata"], "annotations": given}})

    world.cluster.rule = rule
    world.settle()
    assert world.ready == ("False", "NameConflict")
    assert world.cron_job["spec"]["jobTemplate"] == TEMPLATE


STEPS = ["get", "dry run", "rehearse", "reclaim", "apply", "list", "status"]


@pytest.mark.parametrize("step", range(len(STEPS)), ids=STEPS)
@pytest.mark.parametrize(
    "outcome",
    [refused(409, "the object has been modified"), OVERLOADED, LOST],
    ids=["conflict", "500", "lost"],
)
@pytest.mark.parametrize("restarted", [False, True], ids=["", "and restarted"])
def test_it_is_done_though_it_broke_off_in_the_middle(step: int, outcome: Any, restarted: bool) -> None:
    world = world_with()
    world.deliver()
    world.cluster.outcomes.extend([None] * step + [outcome])
    with pytest.raises(ApiError):
        world.reconcile()
    if restarted:
        world.restart()
    world.settle()
    assert world.cron_job["spec"] == spec_from_scratch()
    assert world.status["unstarted"] == [], "the slots of before were somebody else's"
    if not restarted and STEPS[step] not in ("list", "status"):
        assert [reason for reason, _ in world.cluster.events()] == ["CronJobAdopted"]
    world.go_to(70)
    assert world.reconcile() == []


# Refused


DENIED = refused(403, "admission webhook denied the request: privileged")
INVALID = refused(422, "spec.jobTemplate.spec.template.spec.volumes[0].name: Required value", "Invalid")
MALFORMED = refused(500, "failed to create typed patch object: .spec.foo: field not declared in schema")


def refuses(error: ApiError, *verbs: str, dry: bool | None = None) -> Any:
    """A rule: requests of these verbs are refused; of the dry runs only or all but these, if it is said."""
    return lambda request: error if request.verb in verbs and dry in (None, request.dry) else None


@pytest.mark.parametrize("error", [DENIED, INVALID], ids=["policy", "invalid"])
@pytest.mark.parametrize(
    "spec", [EVERY_MINUTE, {"every": "90s", "handler": "sync"}], ids=["cron", "interval"]
)
def test_what_would_be_refused_leaves_everything_as_it_was(error: ApiError, spec: Body) -> None:
    world = world_with(spec, schedule="0 0 * * *")
    old_job(world, job_of(0), slot=NOON)
    before = world.cron_job, world.job(job_of(0))
    world.cluster.rule = refuses(error, "apply", "rehearse")
    writes = world.go_to(330)
    assert (world.cron_job, world.job(job_of(0))) == before
    assert {write.kind for write in writes} == {"ScheduledJob", "Event"}
    assert (world.ready[0], world.active()) == ("False", [])
    asked = [request for request in world.cluster.requests if request.dry]
    assert len(asked) <= 2 * 6, "once a minute"


def test_a_template_that_is_none_leaves_everything_as_it_was() -> None:
    world = world_with()
    before = world.cron_job
    world.cluster.rule = refuses(MALFORMED, "apply")
    world.go_to(200)
    assert world.cron_job == before
    assert world.ready == ("False", "ApplyFailed")


def test_that_both_templates_in_one_are_refused_means_nothing() -> None:
    world = world_with()
    world.cluster.rule = refuses(DENIED, "apply", dry=True)
    world.settle()
    assert world.ready == ("True", "Reconciled")
    assert world.cron_job["spec"] == spec_from_scratch()


@pytest.mark.parametrize("step", [0, 0.15, 0.4], ids=str)
def test_what_a_dry_run_does_not_show_is_tried_once_a_minute(step: float) -> None:
    world = world_with()
    old_job(world, job_of(0), slot=NOON)
    before = world.cron_job["spec"], world.cron_job["status"], world.job(job_of(0))
    rule = refuses(DENIED, "apply", dry=False)

    def slow(request: Request) -> ApiError | None:
        world.now += timedelta(seconds=step)
        answer: ApiError | None = rule(request)
        return answer

    world.cluster.rule = slow
    writes = world.go_to(270)
    assert (world.cron_job["spec"], world.cron_job["status"], world.job(job_of(0))) == before
    assert len(verbs(writes)) <= 2 * 5 + 2
    world.cluster.rule = lambda _: None
    world.wait(60)
    assert world.ready == ("True", "Reconciled")
    assert world.status["unstarted"] == []


def test_a_refused_cron_job_is_not_treated_as_ours() -> None:
    world = world_with()
    world.cluster.rule = refuses(QUOTA, "apply", "rehearse")
    world.settle()
    assert world.ready == ("False", "QuotaExceeded")
    assert "cronJobName" not in world.status
    assert world.cron_job["spec"]["jobTemplate"] == TEMPLATE
    world.cluster.rule = lambda _: None
    world.wait(60)
    assert world.ready == ("True", "Reconciled")


@pytest.mark.parametrize("verb", ["reclaim", "apply"])
def test_nothing_is_said_of_a_take_over_that_was_refused_when_another_cron_job_is_ours(verb: str) -> None:
    world = world_with()
    world.cluster.rule = refuses(DENIED, verb, dry=False)
    world.settle()
    assert world.ready == ("False", "Forbidden")
    world.cluster.rule = lambda _: None
    world.cluster.delete("CronJob", *KEY)
    world.settle()
    assert world.ready == ("True", "Reconciled")
    world.go_to(330)
    assert "CronJobAdopted" not in [reason for reason, _ in world.cluster.events()]


def test_one_that_is_being_deleted_is_left_alone_and_made_anew_when_it_is_gone() -> None:
    world = World()
    body = foreign()
    body["metadata"] |= {"deletionTimestamp": text(NOON), "finalizers": ["foregroundDeletion"]}
    world.cluster.put("CronJob", body)
    world.create()
    assert set(verbs(world.settle())) == {"status", "event"}
    assert world.ready == ("False", "NameConflict")
    assert "is being deleted. When it is gone, the one of this ScheduledJob is made" in world.message
    world.cluster.delete("CronJob", *KEY)
    world.settle()
    assert world.ready == ("True", "Reconciled")


def test_where_nobody_is_known_to_own_its_fields_there_are_never_two_templates_in_one() -> None:
    world = world_with()
    body = copy.deepcopy(world.cron_job)
    del body["metadata"]["managedFields"]
    world.cluster.put("CronJob", body)
    world.go_to(70)
    assert world.cron_job["spec"] == spec_from_scratch()
    seen = [change.after for change in world.cluster.changes if change.kind == "CronJob" and change.after]
    pods = [body["spec"]["jobTemplate"]["spec"]["template"]["spec"] for body in seen]
    assert {len(pod["containers"]) for pod in pods} == {1}


# Slots


def test_no_slot_of_before_is_accounted() -> None:
    world = world_with(EVERY_MINUTE, wanted=False, schedule="* * * * *")
    world.go_to(3630)
    world.cluster.put(
        "CronJob", with_wish({**world.cron_job, "status": {"lastScheduleTime": text(after_noon(3600))}})
    )
    world.settle()
    assert world.ready == ("True", "Reconciled")
    world.go_to(3655)
    assert (world.status["unstarted"], world.runs()) == ([], [])


@pytest.mark.parametrize("seconds", [297, 299, 300, 302], ids=str)
def test_around_a_slot_it_waits_until_kubernetes_has_started_it(seconds: float) -> None:
    world = world_with(wanted=False)
    world.go_to(seconds)
    world.cluster.put("CronJob", with_wish(world.cron_job))
    world.settle()
    assert world.ready == ("False", "NameConflict")
    assert "as soon as its slot of this moment has been started" in world.message
    world.go_to(303)
    assert world.ready == ("False", "NameConflict")
    old_job(world, job_of(300), slot=after_noon(300), created=after_noon(301))
    world.cluster.put("CronJob", {**world.cron_job, "status": {"lastScheduleTime": text(after_noon(300))}})
    world.go_to(305)
    assert world.ready == ("True", "Reconciled")
    assert world.active() == [job_of(300)]
    assert world.cron_job["status"]["lastScheduleTime"] == text(after_noon(300))


def test_a_slot_that_kubernetes_cannot_start_is_waited_for_ten_seconds() -> None:
    world = world_with(wanted=False)
    world.go_to(298)
    world.cluster.put("CronJob", with_wish(world.cron_job))
    world.go_to(309)
    assert world.ready == ("False", "NameConflict")
    world.go_to(310)
    assert world.ready == ("True", "Reconciled")


OTHERWISE: dict[str, Body] = {
    "schedule": {"schedule": "*/10 * * * *"},
    "interval": {"every": "90s"},
    "queue": {"schedule": "*/5 * * * *", "concurrencyPolicy": "Queue"},
    "disabled": {"schedule": "*/5 * * * *", "enabled": False},
}
otherwise = pytest.mark.parametrize("timing", OTHERWISE.values(), ids=OTHERWISE.keys())


def wanted_at(seconds: float, timing: Body, **given: Any) -> World:
    """A CronJob that is wanted so many seconds after noon; the slot five minutes before has been started."""
    world = world_with({"handler": "sync", **timing}, wanted=False, **given)
    world.go_to(seconds)
    last = {"lastScheduleTime": text(after_noon(300))}
    world.cluster.put("CronJob", with_wish({**world.cron_job, "status": {**last, **given.get("status", {})}}))
    return world


@otherwise
def test_a_slot_that_would_not_come_any_more_is_left_to_kubernetes_until_it_is_late(timing: Body) -> None:
    world = wanted_at(598, timing)
    world.go_to(629)
    assert world.ready == ("False", "NameConflict")
    old_job(world, job_of(600), slot=after_noon(600), created=after_noon(629))
    status = {"lastScheduleTime": text(after_noon(600)), "active": [{"name": job_of(600)}]}
    world.cluster.put("CronJob", {**world.cron_job, "status": status})
    world.go_to(635)
    assert world.ready == ("True", "Reconciled")
    assert world.active() == [job_of(600)]


@otherwise
def test_a_slot_that_kubernetes_does_not_start_in_70_seconds_is_named(timing: Body) -> None:
    world = wanted_at(598, timing)
    world.go_to(669)
    assert world.ready == ("False", "NameConflict")
    world.go_to(670)
    assert world.ready == ("True", "Reconciled")
    ((_, note),) = [event for event in world.cluster.events() if event[0] == "CronJobAdopted"]
    assert note.endswith("; Kubernetes had not started its slot 2026-11-22T12:10:00Z")


def test_a_slot_that_waits_for_the_end_of_a_run_is_not_waited_for() -> None:
    world = world_with({"handler": "sync", "every": "90s"}, wanted=False, concurrencyPolicy="Forbid")
    old_job(world, job_of(300), slot=after_noon(300))
    world.go_to(598)
    status = {"lastScheduleTime": text(after_noon(300)), "active": [{"name": job_of(300)}]}
    world.cluster.put("CronJob", with_wish({**world.cron_job, "status": status}))
    world.go_to(610)
    assert world.ready == ("True", "Reconciled")
    assert "had not started its slot 2026-11-22T12:10:00Z" in str(world.cluster.events())


def test_where_kubernetes_starts_nothing_it_is_taken_over_all_the_same() -> None:
    world = world_with({"handler": "sync", "every": "90s"}, wanted=False, schedule="* * * * *")
    world.go_to(62)
    world.cluster.put("CronJob", with_wish(world.cron_job))
    world.go_to(129)
    assert world.ready == ("False", "NameConflict")
    world.go_to(130)
    assert world.ready == ("True", "Reconciled")


@pytest.mark.parametrize("schedule", ["@every 1h", "TZ=Europe/Berlin 0 2 * * *"])
def test_a_schedule_that_only_kubernetes_reads_is_taken_over_at_once(schedule: str) -> None:
    world = world_with(schedule=schedule)
    world.settle()
    assert world.ready == ("True", "Reconciled")


def test_one_that_was_suspended_and_shall_run_starts_no_slot_of_the_past() -> None:
    world = world_with(EVERY_MINUTE, suspend=True, schedule="* * * * *")
    world.now = after_noon(420)
    world.settle()
    assert world.cron_job["spec"]["suspend"] is False
    assert world.cron_job["status"]["lastScheduleTime"] == text(after_noon(420))
    assert world.fire() is None


def test_one_that_is_suspended_and_shall_stay_so_is_taken_over() -> None:
    world = world_with({**EVERY_MINUTE, "enabled": False}, suspend=True, schedule="* * * * *")
    world.settle()
    assert world.cron_job["spec"]["suspend"] is True
    assert world.ready == ("True", "Reconciled")


def test_its_own_words_for_the_same_schedule_are_no_change_of_it() -> None:
    """A fence would take the slot from Kubernetes that it has not started because a run is active."""
    world = world_with({"schedule": "0 * * * *", "handler": "sync"}, schedule="00 * * * *")
    world.cluster.put("CronJob", {**world.cron_job, "status": {"lastScheduleTime": text(after_noon(-3600))}})
    assert "fence" not in verbs(world.settle())
    assert world.cron_job["spec"]["schedule"] == "0 * * * *"


# Jobs


def test_a_job_of_before_that_runs_counts_and_is_not_cut() -> None:
    world = world_with({**EVERY_MINUTE, "pendingTimeout": "30s"}, schedule="* * * * *", punctual=True)
    old_job(world, job_of(0), slot=NOON)
    world.settle()
    assert world.active() == [job_of(0)]
    world.go_to(200)
    assert "activeDeadlineSeconds" not in world.job(job_of(0))["spec"]
    assert world.created() == []
    world.finish(job_of(0))
    world.go_to(205)
    assert world.runs()[:1] == [(job_of(0), "Succeeded")]
    assert {entry[:2] for entry in world.unstarted()} == {("Skipped", "OverlapForbidden")}


@pytest.mark.parametrize(
    "timing",
    [
        {"every": "90s"},
        {"schedule": "*/30 * * * * *"},
        {"schedule": "* * * * *", "concurrencyPolicy": "Queue"},
    ],
    ids=["interval", "seconds", "queue"],
)
def test_a_job_of_before_keeps_what_the_operator_fires_waiting(timing: Body) -> None:
    world = world_with({**timing, "handler": "sync"}, schedule="* * * * *")
    old_job(world, job_of(0), slot=NOON)
    world.go_to(95)
    assert world.created() == []
    assert world.active() == [job_of(0)]
    world.finish(job_of(0))
    world.go_to(185)
    assert len(world.created()) == 1


def test_jobs_of_before_that_have_ended_are_no_runs() -> None:
    world = world_with()
    old_job(world, job_of(-300), slot=after_noon(-300), status=bodies.complete(after_noon(-300), NOON))
    old_job(world, "of-another", ownerReferences=bodies.owner("CronJob", name="other", uid="another"))
    world.go_to(70)
    assert (world.runs(), world.active()) == ([], [])
    assert world.job("of-another")["metadata"]["labels"] == {}


@pytest.mark.parametrize("ended", [False, True], ids=["running", "ended"])
def test_a_job_that_kubernetes_makes_by_its_older_picture_is_the_run_of_its_slot(ended: bool) -> None:
    spec = {**EVERY_MINUTE, "catchUp": {"policy": "All"}}
    world = world_with(spec, schedule="* * * * *", punctual=True)
    world.go_to(55)
    assert world.ready == ("True", "Reconciled")
    status = bodies.complete(after_noon(60), after_noon(60)) if ended else None
    old_job(world, job_of(60), slot=after_noon(60), created=after_noon(60), status=status)
    world.go_to(100)
    assert world.created() == []
    assert world.runs() == ([(job_of(60), "Succeeded")] if ended else [])
    assert world.active() == ([] if ended else [job_of(60)])
    assert world.status["unstarted"] == []


def test_a_job_that_kubernetes_names_as_active_is_seen_at_once() -> None:
    world = world_with(EVERY_MINUTE, schedule="* * * * *")
    world.go_to(55)
    old_job(world, job_of(60), slot=after_noon(60), created=after_noon(60))
    status = {"lastScheduleTime": text(after_noon(60)), "active": [{"name": job_of(60)}]}
    world.cluster.put("CronJob", {**world.cron_job, "status": status})
    world.go_to(65)
    assert world.active() == [job_of(60)]


@pytest.mark.parametrize("restarted", [False, True], ids=["", "and restarted"])
def test_all_jobs_are_listed_once_when_it_is_taken_over_and_once_at_the_end(restarted: bool) -> None:
    world = world_with(EVERY_MINUTE, schedule="* * * * *", punctual=True)
    world.go_to(40)
    if restarted:
        world.restart()
    world.go_to(300)
    asked = [request.verb for request in world.cluster.requests if request.kind == "Job"]
    assert asked.count("list") == (3 if restarted else 2)
    assert asked.count("get") == 0


def test_a_failed_job_of_before_is_not_tried_again_by_the_new_rules() -> None:
    world = world_with({"schedule": "@daily", "handler": "sync", "retry": {"limit": 3, "backoff": {}}})
    old_job(world, job_of(0), slot=NOON)
    world.settle()
    world.cluster.put("Job", {**world.job(job_of(0)), "status": bodies.failed(NOON, after_noon(40))})
    world.go_to(3600)
    assert world.runs() == [(job_of(0), "Failed")]
    assert world.created() == []


def test_a_job_of_before_that_exceeds_its_own_deadline_has_timed_out() -> None:
    world = world_with()
    old_job(world, job_of(0), slot=NOON)
    world.settle()
    status = bodies.failed(NOON, after_noon(40), reason="DeadlineExceeded", message="too long")
    world.cluster.put("Job", {**world.job(job_of(0)), "status": status})
    world.go_to(60)
    assert world.runs() == [(job_of(0), "TimedOut")]


def test_a_job_of_before_is_cancelled_as_any_other() -> None:
    world = world_with()
    old_job(world, job_of(0), slot=NOON)
    world.settle()
    world.annotate_job(job_of(0), cancel="ada")
    world.settle()
    assert world.obey_deadlines() == [job_of(0)]
    world.settle()
    assert world.runs() == [(job_of(0), "Cancelled")]


def test_what_another_replica_has_finished_and_told_is_not_told_again() -> None:
    world = world_with()
    world.deliver()
    world.cluster.outcomes.extend([None] * STEPS.index("apply") + [OVERLOADED])
    with pytest.raises(ApiError):
        world.reconcile()
    began = world.reconciler
    world.restart()
    world.settle()
    world.go_to(100)
    assert [reason for reason, _ in world.cluster.events()] == ["CronJobAdopted"]
    # It leads again, with what it remembers, and has seen what the other one did.
    cron_jobs = began._cron_jobs
    cron_jobs._store = cron_jobs._adoption._store = world.store
    world.reconciler._cron_jobs = cron_jobs
    world.reconciler.lost_sight()
    world.controller.queue.add(KEY)
    world.settle()
    assert [reason for reason, _ in world.cluster.events()] == ["CronJobAdopted"]


@pytest.mark.parametrize("how", ["the ScheduledJob goes", "the wish is withdrawn", "it is finished"])
def test_nothing_is_remembered_of_a_take_over_that_is_over(how: str) -> None:
    world = world_with()
    world.settle()
    remembered = world.reconciler._cron_jobs._adoption._listed
    assert remembered == {KEY: "theirs"}
    if how == "the ScheduledJob goes":
        world.cluster.delete("ScheduledJob", *KEY)
    elif how == "the wish is withdrawn":
        body = copy.deepcopy(world.cron_job)
        del body["metadata"]["annotations"][ADOPT]
        world.cluster.put("CronJob", body)
    else:
        world.go_to(70)
    world.settle()
    assert remembered == {}


# Given back, and no wish at all


def test_deleting_the_scheduled_job_alone_gives_it_back_as_it_is() -> None:
    world = world_with()
    world.go_to(70)
    world.cluster.edit(
        "CronJob", *KEY, lambda body: body["metadata"].update(ownerReferences=[]), manager="garbage-collector"
    )
    before = world.cron_job
    world.cluster.delete("ScheduledJob", *KEY)
    world.settle()
    world.wait(3600)
    assert world.cron_job == before
    assert ("CronJob", NAMESPACE, NAME) in world.cluster.objects


def test_a_wish_that_is_put_back_is_taken_away_again() -> None:
    world = world_with()
    world.go_to(70)
    for _ in range(3):
        world.cluster.put("CronJob", with_wish(world.cron_job))
        assert verbs(world.settle()) == ["annotate"]
    assert [reason for reason, _ in world.cluster.events()] == ["CronJobAdopted"]


def test_the_wish_on_a_cron_job_of_ours_is_taken_away_and_means_nothing() -> None:
    world = World()
    world.create()
    world.settle()
    world.cluster.put("CronJob", with_wish(world.cron_job))
    assert verbs(world.settle()) == ["annotate"]
    assert world.reconcile() == []
    assert not [request for request in world.cluster.requests if request.verb == "list"]
