"""Triggers and arguments of APScheduler's jobs, and what of them has no counterpart."""

from typing import Any

import pytest

from tests.unit.apscheduler_code import read, sentences, spec_of


@pytest.mark.parametrize(
    ("arguments", "spec"),
    [
        ("'cron', hour=3", {"schedule": "0 3 * * *"}),
        ("'cron', minute='*/5'", {"schedule": "*/5 * * * *"}),
        ("'cron'", {"schedule": "* * * * * *"}),
        ("'cron', second='*/10'", {"schedule": "*/10 * * * * *"}),
        ("'cron', month='jan-mar'", {"schedule": "0 0 1 jan-mar *"}),
        ("'cron', day_of_week=0", {"schedule": "0 0 * * MON"}),
        ("'cron', day_of_week='mon-fri', hour='9, 17'", {"schedule": "0 9,17 * * MON-FRI"}),
        ("'cron', day_of_week='5,6', hour=1", {"schedule": "0 1 * * SUN,SAT"}),
        ("'cron', day_of_week='*/2', hour=1", {"schedule": "0 1 * * SUN,MON,WED,FRI"}),
        ("'cron', day='last', hour=1", {"schedule": "0 1 L * *"}),
        ("'cron', day='3rd fri', hour=1", {"schedule": "0 1 * * FRI#3"}),
        ("'cron', day='last sun', hour=1", {"schedule": "0 1 * * SUNL"}),
        ("CronTrigger(hour=1, timezone='UTC')", {"schedule": "0 1 * * *", "timeZone": "Etc/UTC"}),
        (
            "CronTrigger.from_crontab('0 6 * * 1-5', timezone=pytz.timezone('Asia/Tokyo'))",
            {"schedule": "0 6 * * TUE-SAT", "timeZone": "Asia/Tokyo"},
        ),
        ("'interval', hours=1, minutes=30", {"every": "1h30m"}),
        ("IntervalTrigger(0, 1)", {"every": "24h"}),
        ("trigger='interval', seconds=10", {"every": "10s"}),
        ("'interval', days=1, end_date='2030-01-01'", {"every": "24h", "endsAt": "2030-01-01T00:00:00Z"}),
        ("'date', run_date='2030-01-01T10:00:00+02:00'", {"at": "2030-01-01T08:00:00Z"}),
        ("DateTrigger(datetime.date(2030, 1, 1), 'Asia/Tokyo')", {"at": "2029-12-31T15:00:00Z"}),
        ("'date', run_date=datetime(2030, 1, 1, tzinfo=timezone.utc)", {"at": "2030-01-01T00:00:00Z"}),
    ],
)
def test_a_trigger_becomes_when_it_runs(arguments: str, spec: dict[str, Any]) -> None:
    assert spec_of(arguments) == spec


@pytest.mark.parametrize(
    ("arguments", "spec"),
    [
        ("max_instances=1", {}),
        ("max_instances=2", {"concurrencyPolicy": "Allow"}),
        ("coalesce=True", {"catchUp": {"policy": "Latest"}}),
        ("coalesce=False", {"catchUp": {"policy": "All"}}),
        ("misfire_grace_time=60", {"startingDeadline": "1m"}),
        ("misfire_grace_time=1", {"startingDeadline": "10s"}),
        ("misfire_grace_time=None", {"startingDeadline": "720h"}),
        ("misfire_grace_time=N", {}),
        (
            "misfire_grace_time=3600, coalesce=True",
            {"startingDeadline": "1h", "catchUp": {"policy": "Latest", "window": "1h"}},
        ),
        ("kwargs={'days': 7}", {"args": {"days": 7}}),
        ("next_run_time=None", {"enabled": False}),
    ],
)
def test_how_it_runs_is_carried_over(arguments: str, spec: dict[str, Any]) -> None:
    found = spec_of(f"'interval', hours=1, {arguments}")
    assert found == {"every": "1h", **spec}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("'cron', hour=HOUR", "hour is not a literal"),
        ("'interval', **GIVEN", "in * or **"),
        ("make_trigger()", "its trigger has no counterpart"),
        ("OrTrigger([CronTrigger(hour=1)])", "its trigger has no counterpart"),
        ("TRIGGER", "trigger is not a literal"),
        ("id='x'", "it has no trigger"),
        ("'cron', week=1", "week has no counterpart"),
        ("'cron', day=13, day_of_week='fri'", "have to fit both"),
        ("'interval', seconds=0.5", "a fraction of a second"),
        ("'interval', hours=1, args=[1]", "write kwargs in place of args"),
        ("'interval', hours=1, kwargs={'a': now()}", "kwargs is not a literal"),
        ("'interval', hours=1, kwargs={'a': {1}}", "no JSON"),
    ],
)
def test_what_has_no_counterpart_is_named_and_left_out(arguments: str, sentence: str) -> None:
    drafts, (remark,) = read(f"s.add_job(f, {arguments})")
    assert drafts == []
    assert sentence in remark.text
    assert not remark.malformed


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("jitter=5", "jitter is not carried over"),
        ("executor='processpool'", "executor is not carried over"),
        ("max_instances=N", "max_instances is not a literal"),
        ("id=NAME", "named after its function"),
    ],
)
def test_what_a_job_loses_is_named(word: str, sentence: str) -> None:
    drafts, found = read(f"s.add_job(f, 'interval', hours=1, {word})")
    assert len(drafts) == 1
    assert sentence in " ".join(remark.text for remark in found)


@pytest.mark.parametrize(("function", "handlers"), [("_clean", ["clean"]), ("löschen", []), ("_", [])])
def test_a_handler_has_a_name_that_the_api_server_takes(function: str, handlers: list[str]) -> None:
    drafts, (remark,) = read(f"s.add_job({function}, 'interval', hours=1)")
    assert [draft.spec["handler"] for draft in drafts] == handlers
    assert "handler" in remark.text


def test_positional_arguments_get_the_names_of_the_functions_parameters() -> None:
    (draft,), _ = read("def f(days, dry): ...\ns.add_job(f, 'interval', hours=1, args=(7,))")
    assert draft.spec["args"] == {"days": 7}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("['cron'], hour=1", "its trigger has no counterpart"),
        ("{'hour': 1}", "its trigger has no counterpart"),
        ("'interval', hours=1, args=5", "args is no list"),
        ("'interval', hours=1, args='ab'", "args is no list"),
        ("'interval', weeks=999999999", "its interval is longer than any"),
        ("'cron', hour=0x" + "f" * 5000, "hour is no number that a clock has"),
        (f"'cron', minute='{','.join(map(str, range(59)))}'", "has 174 characters, and 120 are the most"),
        ("'interval', hours=1, kwargs={'a': 1e999}", "no JSON"),
        ("'interval', hours=1, kwargs={'a': '\\ud800'}", "no JSON"),
    ],
)
def test_values_that_no_trigger_has_are_named(arguments: str, sentence: str) -> None:
    drafts, (remark,) = read(f"s.add_job(f, {arguments})")
    assert drafts == []
    assert sentence in remark.text


@pytest.mark.parametrize(
    "text",
    [
        "class A:\n def sync(self, days): ...\n def run(self): s.add_job(self.sync, 'cron', args=[7])",
        "def sync(days): ...\ns.add_job(other.sync, 'cron', args=[7])",
        "def sync(days): ...\ns.add_job('app.jobs:sync', 'cron', args=[7])",
        "if X:\n def sync(days): ...\nelse:\n def sync(hours): ...\ns.add_job(sync, 'cron', args=[7])",
        "def sync(days): ...\ndef main():\n from app import sync\n s.add_job(sync, 'cron', args=[7])",
    ],
)
def test_parameters_are_those_of_a_function_that_has_its_name_to_itself(text: str) -> None:
    drafts, (remark,) = read(text)
    assert drafts == []
    assert "write kwargs in place of args" in remark.text


def test_an_interval_is_not_told_to_write_h() -> None:
    assert "jitter is not carried over: an interval" in sentences(
        "s.add_job(f, 'interval', hours=1, jitter=5)"
    )
