"""Zones and defaults of APScheduler's schedulers, wherever they are written."""

import pytest

from scheduledjob_operator.cli.importing.apscheduler import read_apscheduler
from scheduledjob_operator.cli.importing.findings import Remark
from scheduledjob_operator.cli.importing.manifests import Options
from tests.unit.apscheduler_code import read, sentences, zones


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
