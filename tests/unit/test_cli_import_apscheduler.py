"""Jobs of APScheduler are read as APScheduler reads them, and only where they are literals."""

from typing import Any

import pytest

from scheduledjob_operator.cli.importing.apscheduler import read_apscheduler
from scheduledjob_operator.cli.importing.findings import Draft, Remark
from scheduledjob_operator.cli.importing.manifests import Options


def read(text: str, *, time_zone: str | None = None) -> tuple[list[Draft], list[Remark]]:
    found = list(read_apscheduler(text, options=Options(time_zone=time_zone)))
    drafts = [one for one in found if isinstance(one, Draft)]
    remarks = [one for one in found if isinstance(one, Remark)]
    return drafts, [one for one in remarks if "nothing names its time zone" not in one.text]


def zones(text: str, *, time_zone: str | None = None) -> dict[str, str | None]:
    return {draft.name: draft.spec.get("timeZone") for draft in read(text, time_zone=time_zone)[0]}


def sentences(text: str) -> str:
    return "\n".join(f"{one.line}: {one.text}" for one in read(text)[1])


def spec_of(arguments: str) -> dict[str, Any]:
    (draft,), _ = read(f"s.add_job(f, {arguments})")
    return {field: value for field, value in draft.spec.items() if field != "handler"}


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


@pytest.mark.parametrize(
    "row",
    [
        "[{'id': 'x', 'function': app.f, 'cron': '0 3 * * *', 'enabled': False}]",
        "Job(job_id='x', func=f, schedule='0 3 * * *', enabled=False)",
        "registry.register('x', f, '0 3 * * *', False)",
        "register('x', f, cron='0 3 * * *', enabled=False)",
        "task('x', f, '0 3 * * *', False)",
        "[('x', f, '0 3 * * *', False)]",
    ],
)
def test_a_row_of_a_registry_is_a_job(row: str) -> None:
    drafts, _ = read(f"JOBS = {row}")
    assert [(one.name, one.spec) for one in drafts] == [
        ("x", {"enabled": False, "schedule": "0 3 * * *", "handler": "f"})
    ]


@pytest.mark.parametrize("code", ["print(1, 2, 3)", "datetime(2030, 1, 1)", "f(a, b, c, d)", "{'id': 1}", ""])
def test_what_is_no_job_is_nothing(code: str) -> None:
    assert read(code) == ([], [])


def test_an_id_is_one_jobs_own() -> None:
    drafts, (remark,) = read("s.add_job(f, 'cron', id='a')\ns.add_job(g, 'cron', id='a')")
    assert len(drafts) == 1
    assert remark.malformed
    assert "the job of line 1 has the same id" in remark.text


@pytest.mark.parametrize(("function", "handlers"), [("_clean", ["clean"]), ("löschen", []), ("_", [])])
def test_a_handler_has_a_name_that_the_api_server_takes(function: str, handlers: list[str]) -> None:
    drafts, (remark,) = read(f"s.add_job({function}, 'interval', hours=1)")
    assert [draft.spec["handler"] for draft in drafts] == handlers
    assert "handler" in remark.text


def test_positional_arguments_get_the_names_of_the_functions_parameters() -> None:
    (draft,), _ = read("def f(days, dry): ...\ns.add_job(f, 'interval', hours=1, args=(7,))")
    assert draft.spec["args"] == {"days": 7}


def test_a_trigger_that_is_an_object_does_not_go_by_the_schedulers_zone() -> None:
    """Source: CronTrigger.__init__ takes the machine's; _create_trigger returns objects as they are."""
    text = """s = BackgroundScheduler(timezone="Asia/Tokyo")
s.add_job(a, "cron", hour=1)
s.add_job(b, CronTrigger(hour=1))
s.add_job(c, CronTrigger.from_crontab("0 1 * * *"))
s.add_job(d, CronTrigger(hour=1, timezone="Europe/Paris"))
s.add_job(e, CronTrigger(hour=1, start_date=datetime(2030, 1, 1, tzinfo=ZoneInfo("Europe/Rome"))))
"""
    named = {"a": "Asia/Tokyo", "d": "Europe/Paris", "e": "Europe/Rome"}
    assert zones(text) == {**named, "b": None, "c": None}
    assert zones(text, time_zone="Europe/Berlin") == {**named, "b": "Europe/Berlin", "c": "Europe/Berlin"}
    _, remarks = read(text)
    assert [remark.line for remark in remarks] == [3, 4]
    assert "not by the scheduler's Asia/Tokyo: it is read in UTC" in remarks[0].text


def test_the_moments_of_a_trigger_that_is_an_object_are_the_machines_too() -> None:
    trigger = "s.add_job(f, DateTrigger('2030-01-01 08:00:00'))"
    (draft,), (remark,) = read(f"s = BackgroundScheduler(timezone='Asia/Tokyo')\n{trigger}")
    assert draft.spec["at"] == "2030-01-01T08:00:00Z"
    assert "not by the scheduler's Asia/Tokyo" in remark.text
    assert sentences(trigger.replace(":00'", ":00+01:00'")) == ""


@pytest.mark.parametrize(
    "setting",
    [
        "s = BackgroundScheduler(timezone='Asia/Tokyo', job_defaults={'max_instances': 3})",
        "s = BackgroundScheduler()\ns.configure(timezone='Asia/Tokyo', job_defaults={'max_instances': 3})",
        "s = BackgroundScheduler({'apscheduler.timezone': TOKYO, 'apscheduler.job_defaults': MANY})",
        "C = {'apscheduler.timezone': TOKYO, 'apscheduler.job_defaults': MANY}\ns = BackgroundScheduler(C)",
        "s = BackgroundScheduler({'apscheduler.timezone': TOKYO, PREFIX.job_defaults.max_instances': '3'})",
        "s = APScheduler(BackgroundScheduler(timezone='Asia/Tokyo', job_defaults={'max_instances': 3}))",
    ],
)
def test_the_schedulers_settings_are_read_wherever_they_stand(setting: str) -> None:
    for short, written in (
        ("TOKYO", "'Asia/Tokyo'"),
        ("MANY", "{'max_instances': 3}"),
        ("PREFIX", "'apscheduler"),
    ):
        setting = setting.replace(short, written)
    (draft,), _ = read(f"{setting}\ns.add_job(f, 'cron', hour=1)")
    assert (draft.spec["timeZone"], draft.spec["concurrencyPolicy"]) == ("Asia/Tokyo", "Allow")


def test_each_scheduler_has_a_zone_of_its_own() -> None:
    text = """one = BackgroundScheduler(timezone="Asia/Tokyo")
self.two = AsyncIOScheduler(timezone="Europe/Paris")
one.add_job(a, "cron", hour=1)
self.two.add_job(b, "cron", hour=1)
three.add_job(c, "cron", hour=1)
"""
    assert zones(text) == {"a": "Asia/Tokyo", "b": "Europe/Paris", "c": None}
    assert "5: c: nothing says which of the schedulers of lines 1 and 2 runs it" in sentences(text)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "s = BackgroundScheduler(timezone='Asia/Tokyo')\ns.configure(timezone='Europe/Paris')",
            "2: configure takes the place of all that line 1 says, also of its timezone",
        ),
        ("s = BackgroundScheduler(CONFIG)", "1: the scheduler's configuration is not written out here"),
        ("s = BackgroundScheduler(**CONFIG)", "1: the scheduler's configuration is not written out here"),
        (
            "SCHEDULER_TIMEZONE = 'Asia/Tokyo'",
            "1: SCHEDULER_TIMEZONE is not read: give the zone with --time-zone",
        ),
        ("app.config['SCHEDULER_TIMEZONE'] = 'Asia/Tokyo'", "1: SCHEDULER_TIMEZONE is not read"),
        ("app.config.update(SCHEDULER_TIMEZONE='Asia/Tokyo')", "1: SCHEDULER_TIMEZONE is not read"),
        ("C = {'SCHEDULER_JOB_DEFAULTS': {}}", "1: SCHEDULER_JOB_DEFAULTS is not read"),
    ],
)
def test_settings_that_are_not_taken_are_named(text: str, sentence: str) -> None:
    assert sentence in sentences(text)


def test_schedules_that_nothing_names_a_zone_for_are_said_to_be_in_utc_once() -> None:
    text = "s.add_job(a, 'interval', hours=1)\ns.add_job(b, 'cron', hour=1)\ns.add_job(c, 'cron', hour=2)"
    found = list(read_apscheduler(text, options=Options()))
    (remark,) = (one for one in found if isinstance(one, Remark))
    assert (remark.line, remark.text.partition(":")[0]) == (2, "b")
    assert "read in UTC" in remark.text


@pytest.mark.parametrize(
    "row",
    [
        "[('x', 'app.jobs.f', '0 3 * * *', False)]",
        "[('x', 'app.jobs:f', '0 3 * * *', False)]",
        "[['x', f, '0 3 * * *', False]]",
        "{'x': (f, '0 3 * * *', False)}",
        "{'x': ('0 3 * * *', f, False)}",
        "{'x': {'func': f, 'cron': '0 3 * * *', 'enabled': 0}}",
        "{'x': Job(f, '0 3 * * *', enabled=False)}",
    ],
)
def test_a_row_is_read_in_whatever_it_is_written(row: str) -> None:
    drafts, remarks = read(f"JOBS = {row}")
    assert [(one.name, one.spec) for one in drafts] == [
        ("x", {"enabled": False, "schedule": "0 3 * * *", "handler": "f"})
    ]
    assert remarks == []


@pytest.mark.parametrize(
    ("element", "sentence"),
    [
        ("('y', g, '* * *')", "has five fields and not 3"),
        ("('y', g, '0 * * * *', 300)", "enabled is neither true nor false"),
        ("('y', g, '@daily')", "has five fields and not 1"),
        ("('y', g, '0 0 3 * * *', True)", "takes five fields and not six"),
        ("('y', g)", "it has no schedule"),
        ("{'id': 'y', 'cron': '0 3 * * *'}", "it has no function"),
        ("{'id': 'y', 'func': g}", "it has no schedule"),
        (
            "{'id': 'y', 'func': g, 'cron': '0 3 * * *', 'enabled': 'true'}",
            "enabled is neither true nor false",
        ),
        ("Job('y', g)", "it has no schedule"),
        ("5", "stands among the jobs and is none"),
    ],
)
def test_what_stands_among_jobs_and_cannot_be_read_is_an_error(element: str, sentence: str) -> None:
    drafts, (remark,) = read(f"JOBS = [\n('x', f, '0 3 * * *'),\n{element},\n]")
    assert [draft.name for draft in drafts] == ["x"]
    assert (remark.line, remark.malformed) == (3, True)
    assert sentence in remark.text


@pytest.mark.parametrize(
    "row", ["{'id': 'x', 'cron': '0 3 * * *'}", "('x', '0 3 * * *')", "['x', f(), '*/5 * * * *']"]
)
def test_an_id_beside_a_schedule_is_never_passed_over(row: str) -> None:
    drafts, remarks = read(f"JOBS = [{row}]")
    assert len(drafts) + len(remarks) == 1


@pytest.mark.parametrize(
    "code",
    [
        "subprocess.run(['crontab', '--line', '*/5 * * * *'])",
        "PATHS = [('circle', '1 2 3 4 5')]",
        "CRONS = {'sync': '*/5 * * * *', 'clean': '0 3 * * *'}",
        "@app.task(bind=True)\ndef f(self): ...",
        "p.pause()\np.remove('x')",
    ],
)
def test_what_only_resembles_jobs_is_nothing(code: str) -> None:
    assert read(code) == ([], [])


@pytest.mark.parametrize(
    ("text", "name", "spec"),
    [
        (
            "@scheduler.task('interval', id='x', seconds=30)\ndef f(): ...",
            "x",
            {"every": "30s", "handler": "f"},
        ),
        ("scheduler.add_job('x', f, trigger='interval', seconds=30)", "x", {"every": "30s", "handler": "f"}),
        (
            "JOBS = [{'id': 'x', 'func': 'a:f', 'trigger': {'type': 'cron', 'hour': 1}}]",
            "x",
            {"schedule": "0 1 * * *", "handler": "f"},
        ),
    ],
)
def test_flask_has_its_own_ways(text: str, name: str, spec: dict[str, Any]) -> None:
    drafts, remarks = read(text)
    assert [(draft.name, draft.spec) for draft in drafts] == [(name, spec)]
    assert remarks == []


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        ("s.pause_job('a')", "2: a: pause_job is not carried over"),
        ("s.remove_job(job_id='a')", "2: a: remove_job is not carried over"),
        ("s.reschedule_job('a', trigger='cron', hour=1)", "2: a: reschedule_job is not carried over"),
        ("s.start(paused=True)", "2: start(paused=True) is not carried over"),
        ("job.pause()", "2: pause is not carried over"),
        ("s.add_job(f, 'interval', hours=1).pause()", "2: pause is not carried over"),
    ],
)
def test_what_is_done_to_a_job_later_is_named(call: str, sentence: str) -> None:
    assert sentence in sentences(f"job = s.add_job(f, 'interval', hours=1, id='a')\n{call}")


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


def test_the_last_of_the_jobs_that_replace_each_other_is_the_one_that_runs() -> None:
    one, other = (f"s.add_job({name}, 'cron', id='a', replace_existing=True)" for name in "fg")
    (draft,), (remark,) = read(f"{one}\n{other}")
    assert (draft.line, draft.spec["handler"]) == (2, "g")
    assert (remark.line, remark.malformed) == (1, False)
    assert "a is not imported: the job of line 2 takes its place" in remark.text


@pytest.mark.parametrize(
    "text",
    [
        "if PROD:\n s.add_job(f, 'cron', id='a')\nelse:\n s.add_job(g, 'cron', id='a')",
        "if A:\n s.add_job(f, 'cron', id='a')\nelif B:\n s.add_job(g, 'cron', id='a', replace_existing=True)",
        "match a:\n case 1: s.add_job(f, 'cron', id='a')\n case 2: s.add_job(g, 'cron', id='a')",
    ],
)
def test_jobs_of_one_id_on_two_branches_are_no_error(text: str) -> None:
    (draft,), remarks = read(text)
    assert draft.spec["handler"] == "f"
    assert not any(remark.malformed for remark in remarks)
    assert "has the same id on another branch" in sentences(text)


def test_jobs_on_one_line_keep_their_order() -> None:
    drafts, _ = read("s.add_job(a, 'cron'); s.add_job(b, 'cron'); s.add_job(c, 'cron')")
    assert [draft.name for draft in drafts] == ["a", "b", "c"]


def test_columns_of_a_row_that_a_schedule_has_are_carried_over_and_the_rest_is_named() -> None:
    columns = "'timeout': 300, 'max_retries': 3, 'jitter': 60, 'tags': []"
    row = f"{{'id': 'x', 'func': f, 'cron': '0 3 * * *', {columns}}}"
    (draft,), remarks = read(f"JOBS = [{row}]")
    assert (draft.spec["timeout"], draft.spec["retry"]) == ("5m", {"limit": 3})
    assert [one.text.partition(" ")[2].partition(":")[0] for one in remarks] == [
        "jitter is not carried over",
        "tags is not carried over, as APScheduler has nothing that is called so",
        "timeout does not say of what",
    ]


def test_a_column_that_is_nobodys_is_harmless_and_one_that_is_misspelt_is_not() -> None:
    row = "JOBS = [{'id': 'x', 'func': f, 'trigger': 'cron', 'hour': 3, 'tags': []}]"
    (draft,), (remark,) = read(row)
    assert draft.spec == {"schedule": "0 3 * * *", "handler": "f"}
    assert "tags is not carried over" in remark.text
    drafts, (remark,) = read(row.replace("'hour'", "'hours'"))
    assert drafts == []
    assert remark.malformed


def test_a_fifth_column_is_named() -> None:
    (draft,), (remark,) = read("JOBS = [('x', f, '0 3 * * *', False, 300)]")
    assert draft.spec["enabled"] is False
    assert "its columns behind the one for enabled are not carried over" in remark.text


def test_that_it_is_off_is_known_beside_a_number_for_a_weekday() -> None:
    text = "JOBS = [('x', f, '0 3 * * 1', False)]"
    assert "its day of the week is TUE" in sentences(text)
    assert "nobody knows" not in sentences(text)


def test_an_interval_is_not_told_to_write_h() -> None:
    assert "jitter is not carried over: an interval" in sentences(
        "s.add_job(f, 'interval', hours=1, jitter=5)"
    )


def test_an_id_that_is_no_literal_is_named_once() -> None:
    assert sentences("s.add_job(f, 'interval', hours=1, id=f'a-{b}')").count("id is not") == 1


def test_long_chains_of_names_take_no_time() -> None:
    assert read(f"a{'.b' * 900} = 1\na{'.b' * 60}.add_job(f, 'cron')")[0] != []


def test_strange_backslashes_are_nothing_to_warn_of(recwarn: pytest.WarningsRecorder) -> None:
    read("PATTERN = '\\d'")
    assert list(recwarn) == []
