"""The mails of the lead processor: the right ones, to the right people, and each of them once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest

from job_runner.testing import Outcome, Result, run_handler
from tests.handlers.cancelling import cancelled_when
from tests.handlers.lead_processor.system import Database, handler
from tests.servers.smtp_sink import SmtpSink

MONDAY = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
LONG_AGO = datetime.now(tz=UTC) - timedelta(days=4)
SALES, OFFICE = "sales@travel.example", "office@travel.example"


@pytest.fixture
def post(smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch) -> SmtpSink:
    monkeypatch.setenv("SMTP_URL", smtp_sink.url)
    smtp_sink.clear()
    return smtp_sink


def follow_ups(**options: Any) -> Outcome:
    return run_handler(handler("follow_ups"), timeout=30, **options)


def daily_reports(slot: datetime | None = MONDAY, *, to: tuple[str, ...] = (SALES, OFFICE)) -> Outcome:
    return run_handler(
        handler("daily_reports"),
        args={"recipients": list(to)},
        slot=slot,
        time_zone="Asia/Kolkata",
        timeout=30,
    )


def recipients(post: SmtpSink) -> list[str]:
    return [str(mail["To"]) for mail in post.messages()]


def add_contacted(database: Database, *names: str, **columns: Any) -> None:
    for name in names:
        given = {"status": "contacted", "contacted_at": LONG_AGO, "email": f"{name}@example.org", **columns}
        database.add_lead(name=name, **given)


def text_of(mail: EmailMessage) -> str:
    return str(mail.get_content())


def test_every_lead_that_has_waited_gets_one_mail_and_a_second_run_sends_none(
    database: Database, post: SmtpSink
) -> None:
    add_contacted(database, "ada", "ben")
    assert follow_ups().value == {"sent": 2, "refused": 0}
    assert recipients(post) == ["ada@example.org", "ben@example.org"]
    assert text_of(post.messages()[0]).startswith("Hello ada,")
    assert follow_ups().value == {"sent": 0, "refused": 0}
    assert len(post.messages()) == 2


def test_nobody_else_gets_one(database: Database, post: SmtpSink) -> None:
    add_contacted(database, "deleted", deleted_at=LONG_AGO)
    add_contacted(database, "lately", contacted_at=datetime.now(tz=UTC) - timedelta(days=2, hours=23))
    add_contacted(database, "never", contacted_at=None)
    for status in ("new", "qualified", "converted", "junk", "not_interested"):
        add_contacted(database, status.replace("_", "-"), status=status)
    assert follow_ups().value == {"sent": 0, "refused": 0}
    assert post.messages() == []


def test_an_address_that_is_refused_keeps_nobody_else_from_a_mail_and_is_not_tried_again(
    database: Database, post: SmtpSink
) -> None:
    add_contacted(database, "ada", "ben", "cleo")
    post.fail(recipient="ben@example.org", code=550)
    assert follow_ups().value == {"sent": 2, "refused": 1}
    post.clear()
    assert follow_ups().value == {"sent": 0, "refused": 0}
    assert recipients(post) == []
    ((name, refused),) = database.sql(
        "SELECT name, refused FROM sent_mail JOIN lead ON recipient = lead.id::text WHERE refused IS NOT NULL"
    )
    assert name == "ben"
    assert "550" in refused
    assert "ben@" not in refused


def test_a_mail_that_the_server_does_not_take_waits_and_holds_up_no_other(
    database: Database, post: SmtpSink
) -> None:
    add_contacted(database, "ada", "ben")
    post.fail(recipient="ada@example.org", code=554)
    assert follow_ups().exit_code == 65
    assert recipients(post) == ["ben@example.org"]
    post.clear()
    assert follow_ups().value == {"sent": 1, "refused": 0}
    assert recipients(post) == ["ada@example.org"]


def test_a_mail_server_that_takes_no_mail_at_all_fails_the_run_and_no_mail_is_lost(
    database: Database, post: SmtpSink
) -> None:
    add_contacted(database, "ada", "ben")
    post.fail(code=554)
    assert (follow_ups().exit_code, daily_reports(to=("ada@example.org",)).exit_code) == (65, 65)
    assert database.count("sent_mail") == 0
    post.clear()
    assert follow_ups().value == {"sent": 2, "refused": 0}


def test_a_run_in_which_everybody_is_refused_has_failed(database: Database, post: SmtpSink) -> None:
    add_contacted(database, "ada", "ben")
    for name in ("ada", "ben"):
        post.fail(recipient=f"{name}@example.org")
    outcome = follow_ups()
    assert (outcome.exit_code, outcome.error and outcome.error.message) == (
        65,
        "nobody got a mail: all 2 recipients were refused",
    )


@pytest.mark.parametrize("address", ["", "nobody", "a@b@c", "a@example.org, b@example.org", "a@b\nBcc: c@d"])
def test_what_is_no_address_gets_no_mail(database: Database, post: SmtpSink, address: str) -> None:
    add_contacted(database, "ada")
    add_contacted(database, "odd", email=address)
    assert follow_ups().value == {"sent": 1, "refused": 1}
    assert recipients(post) == ["ada@example.org"]


def test_one_that_is_to_come_later_is_sent_by_the_next_attempt(database: Database, post: SmtpSink) -> None:
    add_contacted(database, "ada", "ben", "cleo")
    post.fail(recipient="ben@example.org", code=451, times=1)
    outcome = follow_ups()
    assert outcome.exit_code == 75
    assert outcome.error is not None
    assert outcome.error.message == "the mail server wants 1 of the mails later"
    assert follow_ups().value == {"sent": 1, "refused": 0}
    assert sorted(recipients(post)) == ["ada@example.org", "ben@example.org", "cleo@example.org"]


def test_a_mail_server_that_is_gone_is_exit_69_and_nobody_is_taken_for_written_to(
    database: Database, post: SmtpSink
) -> None:
    add_contacted(database, "ada")
    with post.stopped():
        assert follow_ups().exit_code == 69
    assert database.count("sent_mail") == 0
    assert follow_ups().value == {"sent": 1, "refused": 0}


def test_a_run_that_is_stopped_has_written_down_every_mail_that_is_out(
    database: Database, post: SmtpSink
) -> None:
    names = [f"lead-{number}" for number in range(30)]
    add_contacted(database, *names)
    post.fail(recipient="lead-5@example.org", code=550, delay_seconds=2)
    looks: list[int] = []

    def waits_for_the_answer() -> bool:
        """Two looks show the same mails: the server is at the next one, which it answers late."""
        looks.append(len(post.mails()))
        return looks[-2:] == [5, 5]

    outcome = cancelled_when(waits_for_the_answer, handler("follow_ups"))
    value: Any = outcome.value
    assert outcome.result is Result.CANCELLED
    assert value == {"sent": 5, "refused": 1}
    assert (len(post.messages()), database.count("sent_mail")) == (5, 6)
    follow_ups()
    assert sorted(recipients(post)) == sorted(f"{name}@example.org" for name in names if name != "lead-5")


@pytest.mark.parametrize("arguments", [{"after_days": 0}, {"after_days": 366}, {"limit": 0}, {"days": 3}])
def test_arguments_that_make_no_sense_are_refused(arguments: dict[str, int]) -> None:
    outcome = run_handler(handler("follow_ups"), args=arguments)
    assert outcome.exit_code == 65
    assert outcome.error is not None
    assert next(iter(arguments)) in outcome.error.message


def test_the_report_says_how_the_leads_stand(database: Database, post: SmtpSink) -> None:
    friday, saturday = (datetime(2026, 11, day, 12, 0, tzinfo=UTC) for day in (20, 21))
    before = datetime(2026, 11, 19, 18, 29, tzinfo=UTC)  # 23:59 on Thursday there
    today = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)  # 00:00 on Monday there
    database.add_lead(name="Ada", created_at=friday, score=20, travel_date=date(2026, 11, 30))
    database.add_lead(name="Ben", created_at=saturday, score=45, travel_date=date(2026, 11, 25))
    database.add_lead(name="Cleo", created_at=before, status="converted", score=99)
    database.add_lead(name="Dan", created_at=today, status="contacted")
    database.add_lead(name="Eva", created_at=friday, deleted_at=friday, score=99)
    assert daily_reports().value == {"day": "2026-11-23", "sent": 2, "sentEarlier": 0}
    assert recipients(post) == [SALES, OFFICE]
    mail = post.messages()[0]
    assert mail["Subject"] == "Leads on 2026-11-23"
    assert text_of(mail).splitlines() == [
        "New since 2026-11-20: 2",
        "",
        "By status:",
        "  contacted: 1",
        "  converted: 1",
        "  new: 2",
        "",
        "Most promising:",
        "  Ben: 45 points, travels 2026-11-25",
        "  Ada: 20 points, travels 2026-11-30",
    ]


def test_a_report_goes_out_once_a_day(database: Database, post: SmtpSink) -> None:
    daily_reports()
    assert daily_reports().value == {"day": "2026-11-23", "sent": 0, "sentEarlier": 2}
    assert daily_reports(MONDAY + timedelta(days=1)).value == {
        "day": "2026-11-24",
        "sent": 2,
        "sentEarlier": 0,
    }
    subjects = [mail["Subject"] for mail in post.messages()]
    assert subjects == ["Leads on 2026-11-23"] * 2 + ["Leads on 2026-11-24"] * 2
    assert len({mail["Message-ID"] for mail in post.messages()}) == 4


def test_one_recipient_that_is_refused_fails_the_run_by_its_place_and_the_others_have_theirs(
    database: Database, post: SmtpSink
) -> None:
    post.fail(recipient=SALES, code=550)
    outcome = daily_reports(to=(SALES, OFFICE))
    assert outcome.exit_code == 65
    assert outcome.error is not None
    assert outcome.error.message == "the mail server refuses recipient 1 of the list; the others have theirs"
    assert recipients(post) == [OFFICE]


def test_reports_that_everybody_refuses_are_with_nobody(database: Database, post: SmtpSink) -> None:
    for address in (SALES, OFFICE):
        post.fail(recipient=address)
    outcome = daily_reports()
    assert outcome.error is not None
    assert outcome.error.message == "the mail server refuses recipient 1, 2 of the list"


def test_a_run_that_is_stopped_says_how_many_reports_are_out(database: Database, post: SmtpSink) -> None:
    post.fail(code=250, keep=True, delay_seconds=2, times=1)
    outcome = cancelled_when(
        lambda: len(post.mails()) == 1, handler("daily_reports"), args={"recipients": [SALES, OFFICE]}
    )
    assert outcome.result is Result.CANCELLED
    value: Any = outcome.value
    assert (value["sent"], value["sentEarlier"]) == (1, 0)
    assert recipients(post) == [SALES]


def test_one_that_was_to_come_later_gets_it_by_the_retry_and_the_others_none_again(
    database: Database, post: SmtpSink
) -> None:
    post.fail(recipient=OFFICE, code=451, times=1)
    assert daily_reports().exit_code == 75
    assert daily_reports().value == {"day": "2026-11-23", "sent": 1, "sentEarlier": 1}
    assert recipients(post) == [SALES, OFFICE]


def test_a_recipient_that_was_refused_is_tried_again_by_the_next_run(
    database: Database, post: SmtpSink
) -> None:
    post.fail(recipient=SALES, code=550, times=1)
    assert daily_reports().exit_code == 65
    assert daily_reports().value == {"day": "2026-11-23", "sent": 1, "sentEarlier": 1}
    assert recipients(post) == [OFFICE, SALES]


def test_a_mail_that_comes_again_after_all_can_be_told_by_its_message_id(
    database: Database, post: SmtpSink
) -> None:
    post.fail(disconnect=True, keep=True, times=1)  # the mail is taken, and the answer lost
    assert daily_reports(to=(SALES,)).exit_code in {69, 75}
    assert daily_reports(to=(SALES,)).exit_code == 0
    first, second = post.messages()
    assert first["Message-ID"] == second["Message-ID"]


@pytest.mark.parametrize("to", [(), tuple(f"r{number}@example.org" for number in range(101))])
def test_nobody_and_far_too_many_are_no_recipients(to: tuple[str, ...]) -> None:
    outcome = daily_reports(to=to)
    assert (outcome.exit_code, outcome.error and outcome.error.message) == (
        65,
        "recipients is not a list of 1 to 100 addresses",
    )
