"""Mails are put down once for their cause, and sent at least once."""

from __future__ import annotations

import signal
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.handlers.trading_platform.platform import GONE, Platform, terminate
from tests.waiting import wait_until

STATE = "SELECT key, sent_at IS NOT NULL, refused_at IS NOT NULL FROM mails ORDER BY key"
SLOT = datetime(2020, 3, 1, 8, tzinfo=UTC)
DAY_BEFORE = "2020-02-29"
NOBODY = {"SMTP_URL": f"smtp://someone:hidden-word@{GONE}"}
NOBODY_REFUSED: dict[str, Any] = {"refused": 0, "refusedUsers": []}


def sent(platform: Platform) -> list[tuple[str, str]]:
    """(recipient, subject) of the mails that the server has."""
    return [(mail["To"], mail["Subject"]) for mail in platform.smtp.messages()]


@pytest.fixture
def triggered(platform: Platform) -> Platform:
    """The mails of two alerts wait."""
    assert platform.value("check_price_alerts")["triggered"] == [1, 3]
    return platform


def test_the_mails_of_alerts_are_sent_once(triggered: Platform) -> None:
    platform = triggered
    assert platform.value("send_price_notification") == {"sent": 2, **NOBODY_REFUSED}
    (first, second) = platform.smtp.messages()
    assert (first["To"], first["Message-ID"]) == ("ada@example.com", "<price-alert-1@trading.example>")
    assert first.get_content().strip() == "BTC was traded at 63000; your alert was for above 63000."
    assert second["To"] == "cleo@example.com"
    assert platform.value("send_price_notification") == {"sent": 0, **NOBODY_REFUSED}
    assert len(platform.smtp.messages()) == 2


def test_one_alert_can_be_named(triggered: Platform) -> None:
    assert triggered.value("send_price_notification", alert=3)["sent"] == 1
    assert sent(triggered) == [("cleo@example.com", "SOL is below 150")]
    assert triggered.value("send_price_notification", alert=3)["sent"] == 0


def test_nothing_to_send_needs_no_mail_server(platform: Platform) -> None:
    assert platform.value("send_price_notification", env=NOBODY)["sent"] == 0


def test_a_mail_server_that_is_gone_loses_no_mail(triggered: Platform) -> None:
    code, says = triggered.error("send_price_notification", env=NOBODY)
    assert code == 69
    assert "hidden" not in says
    assert triggered.value("send_price_notification")["sent"] == 2


def test_a_recipient_who_is_refused_is_told_of_and_the_others_get_theirs(triggered: Platform) -> None:
    platform = triggered
    platform.smtp.fail(recipient="ada@example.com", code=550)
    assert platform.value("send_price_notification") == {"sent": 1, "refused": 1, "refusedUsers": [1]}
    assert sent(platform) == [("cleo@example.com", "SOL is below 150")]
    assert platform.sql(STATE) == [("price-alert-1", False, True), ("price-alert-3", True, False)]
    assert platform.value("send_price_notification")["sent"] == 0


def test_a_server_that_refuses_everybody_is_an_error(triggered: Platform) -> None:
    for user in ("ada", "cleo"):
        triggered.smtp.fail(recipient=f"{user}@example.com", code=550)
    code, says = triggered.error("send_price_notification")
    assert (code, says) == (65, "the mail server refuses each of the 2 recipients")


@pytest.mark.parametrize("code", [554, 550])
def test_a_server_that_takes_no_mail_at_all_for_a_while_loses_none(code: int, triggered: Platform) -> None:
    triggered.smtp.fail(code=code, times=1)
    says = f"the mail server left 1 of 2 mails waiting: 127.0.0.1:{triggered.smtp.port}: "
    answer = f"the message was refused: the server answered {code}"
    assert triggered.error("send_price_notification") == (69, says + answer)
    assert triggered.sql(STATE) == [("price-alert-1", False, False), ("price-alert-3", True, False)]
    assert triggered.value("send_price_notification")["sent"] == 1


def test_a_server_that_lets_nobody_send_from_here_loses_no_mail(triggered: Platform) -> None:
    triggered.smtp.fail(recipient="ada@example.com", code=554, times=1)
    assert triggered.error("send_price_notification")[0] == 69
    assert triggered.value("send_price_notification")["sent"] == 1


@pytest.mark.parametrize(
    "address",
    ["ada@example.com\nBcc: victim@example.com", "ada@example.com, victim@example.com", "a@b@c", "ada", ""],
)
def test_a_text_that_is_no_address_gets_no_mail_and_the_others_do(address: str, triggered: Platform) -> None:
    quoted = address.replace("\n", "'||chr(10)||'")
    triggered.sql(f"UPDATE users SET email = '{quoted}' WHERE id = 1")
    assert triggered.value("send_price_notification") == {"sent": 1, "refused": 1, "refusedUsers": [1]}
    assert [mail["recipients"] for mail in triggered.smtp.mails()] == [["cleo@example.com"]]
    assert triggered.sql(STATE) == [("price-alert-1", False, True), ("price-alert-3", True, False)]


def test_of_many_who_are_refused_all_are_counted_and_some_are_named(triggered: Platform) -> None:
    platform = triggered
    platform.sql("INSERT INTO users (id, email) SELECT n, 'user ' || n FROM generate_series(10, 1500) AS n")
    platform.sql(
        "INSERT INTO mails (key, kind, user_id, subject, body) "
        "SELECT 'price-alert-' || n, 'price-alert', n, 's', 'b' FROM generate_series(10, 1500) AS n"
    )
    value = platform.value("send_price_notification")
    assert (value["sent"], value["refused"], len(value["refusedUsers"])) == (2, 1491, 20)


def test_a_mail_that_the_server_wants_later_is_sent_by_the_retry(triggered: Platform) -> None:
    platform = triggered
    platform.smtp.fail(recipient="ada@example.com", code=450, times=1)
    code, says = platform.error("send_price_notification")
    assert (code, says) == (75, "1 mails sent, 1 more are wanted later by the mail server")
    assert platform.value("send_price_notification")["sent"] == 1
    assert sorted(to for to, _ in sent(platform)) == ["ada@example.com", "cleo@example.com"]


def test_a_server_whose_answer_is_lost_gets_the_mail_again_under_the_same_message_id(
    triggered: Platform,
) -> None:
    triggered.smtp.fail(disconnect=True, keep=True, times=1)
    assert triggered.error("send_price_notification")[0] in {69, 75}
    triggered.value("send_price_notification")
    messages = [mail["Message-ID"] for mail in triggered.smtp.messages() if mail["To"] == "ada@example.com"]
    assert messages == ["<price-alert-1@trading.example>"] * 2


def test_a_run_that_is_cancelled_while_it_sends_marks_what_was_sent(triggered: Platform) -> None:
    platform = triggered
    platform.sql("DELETE FROM mails WHERE key = 'price-alert-3'")
    platform.sql(
        "INSERT INTO mails (key, kind, user_id, subject, body) "
        "SELECT 'price-alert-' || n, 'price-alert', 2, 's', 'b' FROM generate_series(10000, 29999) AS n"
    )
    running = platform.start("send_price_notification")
    wait_until(lambda: len(platform.smtp.mails()) > 10, describe="mails are being sent")
    ended = terminate(running)
    assert ended.exit_code == 143
    assert ended.message is not None
    marked = platform.sql("SELECT count(*) FROM mails WHERE sent_at IS NOT NULL")[0][0]
    assert 10 < marked < 20000
    assert ended.message["value"] == {"sent": marked, **NOBODY_REFUSED}
    assert len(platform.smtp.mails()) == marked


def test_everybody_who_wants_it_gets_one_summary_of_the_day_before(platform: Platform) -> None:
    platform.value("sync_portfolios")
    platform.sql("DELETE FROM quotes")
    platform.sql(
        "INSERT INTO quotes (symbol, trade, price, at) "
        "VALUES ('BTC', 1, 60000, '2020-02-28T23:59:59Z'), ('BTC', 2, 50000, '2020-02-29T23:59:59Z')"
    )
    expected: dict[str, Any] = {"day": DAY_BEFORE, "sent": 2, **NOBODY_REFUSED}
    assert platform.value("send_daily_summary_emails", slot=SLOT) == expected
    assert sent(platform) == [
        ("ada@example.com", f"Your portfolios on {DAY_BEFORE}"),
        ("ben@example.com", f"Your portfolios on {DAY_BEFORE}"),
    ]
    assert platform.smtp.messages()[0].get_content().splitlines() == [
        "Portfolio 1: 26000.00 (-5000.00), without ETH, of which there was no price",
        "Portfolio 2: 250.50 (+0.00), without SOL, of which there was no price",
    ]
    assert platform.value("send_daily_summary_emails", slot=SLOT) == {**expected, "sent": 0}
    assert len(platform.smtp.mails()) == 2
    assert platform.sql("SELECT count(*) FROM daily_reports") == [(4,)]


def test_a_summary_that_could_not_be_sent_is_sent_with_the_next_one(platform: Platform) -> None:
    assert platform.error("send_daily_summary_emails", slot=SLOT, env=NOBODY)[0] == 69
    assert platform.sql("SELECT count(*) FROM mails WHERE sent_at IS NULL") == [(2,)]
    assert platform.value("send_daily_summary_emails", slot=SLOT)["sent"] == 2


def test_a_run_that_is_killed_before_its_commit_leaves_the_mail_to_the_next_one(triggered: Platform) -> None:
    platform = triggered
    platform.smtp.fail(keep=True, delay_seconds=60, times=1)
    running = platform.start("send_price_notification", alert=1)
    wait_until(platform.smtp.mails, describe="the mail server has the mail and has not answered")
    running.send(signal.SIGKILL)
    running.end()
    assert platform.value("send_price_notification", alert=1)["sent"] == 1
    messages = [mail["Message-ID"] for mail in platform.smtp.messages()]
    assert messages == ["<price-alert-1@trading.example>"] * 2
