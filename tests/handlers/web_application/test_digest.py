"""The digest of the web application: what is new, to each reader who wants it, once a day."""

import signal
from datetime import datetime, timedelta

import pytest

from tests.handlers.web_application.site import MONDAY, Site
from tests.waiting import wait_until

FRIDAY = "2026-11-20T07:00:00Z"


def publish(site: Site, **ages: timedelta) -> None:
    """Articles by their title, and how long before the slot of Monday they were published; no others."""
    site.sql("DELETE FROM articles")
    for number, (title, age) in enumerate(ages.items()):
        time = datetime.fromisoformat(MONDAY) - age
        site.sql(f"INSERT INTO articles VALUES ({number}, '{title}', '', '{time.isoformat()}', now())")


@pytest.fixture
def news(site: Site) -> None:
    """Two articles of the last day."""
    publish(site, rivers=timedelta(hours=2), mills=timedelta(hours=1))


def titles(site: Site, recipient: str = "ada") -> list[list[str]]:
    """The titles in each mail to a reader."""
    bodies = [mail.get_content() for mail in site.mail.messages() if str(mail["To"]).startswith(recipient)]
    return [[line[2:] for line in body.splitlines() if line.startswith("- ")] for body in bodies]


def recipients(site: Site) -> list[str]:
    return sorted(str(mail["To"]).partition("@")[0] for mail in site.mail.messages())


@pytest.mark.usefixtures("news")
def test_each_reader_who_wants_it_gets_one_digest_a_day(site: Site) -> None:
    assert site.value("send_digest") == {"sent": 3, "refused": 0}
    assert site.value("send_digest") == {"sent": 0, "refused": 0}
    assert recipients(site) == ["ada", "bela", "dora"]
    first = site.mail.messages()[0]
    assert first["Subject"] == "2 new on 23 November"
    assert first["Message-ID"] == "<digest.2026-11-23.1@example.org>"


def test_the_digest_of_monday_has_all_since_that_of_friday(site: Site) -> None:
    publish(
        site,
        thursday=timedelta(days=3, hours=1),
        friday=timedelta(days=3),
        later=timedelta(days=2, hours=23),
        weekend=timedelta(days=1, hours=5),
        monday=timedelta(0),
        tuesday=timedelta(seconds=-1),
    )
    assert site.value("send_digest", slot=FRIDAY)["sent"] == 3
    assert site.value("send_digest")["sent"] == 3
    assert titles(site) == [["thursday", "friday"], ["later", "weekend", "monday"]]


def test_whoever_got_none_for_a_while_gets_at_most_what_is_new_in_a_week(site: Site) -> None:
    publish(site, old=timedelta(days=7), new=timedelta(days=6, hours=23))
    assert site.value("send_digest")["sent"] == 3
    assert titles(site) == [["new"]]


def test_without_anything_new_nobody_gets_a_mail(site: Site) -> None:
    publish(site, old=timedelta(days=8))
    with site.mail.stopped():
        assert site.value("send_digest") == {"sent": 0, "refused": 0}


@pytest.mark.usefixtures("news")
def test_a_refused_reader_is_not_tried_again_on_that_day_and_keeps_nobody_from_a_mail(site: Site) -> None:
    site.mail.fail(recipient="bela@example.org", times=1)
    assert site.value("send_digest") == {"sent": 2, "refused": 1}
    assert site.sql("SELECT reader, accepted FROM digests ORDER BY 1") == [(1, True), (2, False), (4, True)]
    assert site.value("send_digest")["sent"] == 0
    tuesday = (datetime.fromisoformat(MONDAY) + timedelta(days=1)).isoformat()
    assert site.value("send_digest", slot=tuesday) == {"sent": 1, "refused": 0}
    assert titles(site, "bela") == [["rivers", "mills"]], "what was missed comes with the next one"


@pytest.mark.usefixtures("news")
@pytest.mark.parametrize(
    "address",
    ["a@example.org\nBcc: victim@example.org", "a@b@c", "a@example.org, victim@example.org", "", "a"],
)
def test_what_is_no_address_gets_no_mail_and_keeps_nobody_from_one(site: Site, address: str) -> None:
    site.sql("UPDATE users SET email = %s WHERE id = 1", [address])
    assert site.value("send_digest") == {"sent": 2, "refused": 1}
    assert [mail["recipients"] for mail in site.mail.mails()] == [["bela@example.org"], ["dora@example.org"]]


@pytest.mark.usefixtures("news")
def test_a_mail_that_the_server_does_not_take_waits_and_holds_up_no_other(site: Site) -> None:
    site.mail.fail(recipient="ada@example.org", code=554)
    assert site.error("send_digest")[0] == 65
    assert recipients(site) == ["bela", "dora"]
    site.mail.clear()
    assert site.value("send_digest") == {"sent": 1, "refused": 0}


@pytest.mark.usefixtures("news")
def test_a_mail_server_that_takes_no_mail_at_all_fails_the_run_and_costs_nobody_a_digest(site: Site) -> None:
    site.mail.fail(code=554)
    assert site.error("send_digest")[0] == 65
    assert site.number("SELECT count(*) FROM digests") == 0
    site.mail.clear()
    assert site.value("send_digest") == {"sent": 3, "refused": 0}


@pytest.mark.usefixtures("news")
def test_a_run_in_which_everybody_is_refused_has_failed(site: Site) -> None:
    for name in ("ada", "bela", "dora"):
        site.mail.fail(recipient=f"{name}@example.org")
    assert site.error("send_digest") == (65, "nobody got a digest: all 3 readers were refused")


@pytest.mark.usefixtures("news")
def test_a_mail_that_is_put_off_is_sent_by_the_next_attempt_and_the_others_at_once(site: Site) -> None:
    site.mail.fail(recipient="ada@example.org", code=451, times=1)
    assert site.error("send_digest") == (75, "1 of 3 mails were put off by the server")
    assert site.value("send_digest") == {"sent": 1, "refused": 0}
    assert recipients(site) == ["ada", "bela", "dora"]


@pytest.mark.usefixtures("news")
def test_without_a_mail_server_nobody_counts_as_written_to(site: Site) -> None:
    with site.mail.stopped():
        assert site.error("send_digest")[0] == 69
    assert site.number("SELECT count(*) FROM digests") == 0
    assert site.value("send_digest")["sent"] == 3


@pytest.mark.usefixtures("news")
def test_a_mail_server_that_hangs_ends_the_run_in_time_and_nobody_counts_as_written_to(site: Site) -> None:
    site.mail.fail(delay_seconds=20, times=1)
    assert site.error("send_digest", timeout=1.5)[0] == 124
    assert site.number("SELECT count(*) FROM digests") == 0
    assert site.value("send_digest")["sent"] == 3


def is_sending(site: Site) -> bool:
    """Whether a mail is with the mail server, which has not answered."""
    return bool(site.mail.mails())


@pytest.mark.usefixtures("news")
def test_a_run_that_is_stopped_says_how_many_mails_are_out_and_the_next_one_sends_the_others(
    site: Site,
) -> None:
    site.mail.fail(code=250, keep=True, delay_seconds=2, times=1)
    running = site.start("send_digest")
    wait_until(lambda: is_sending(site), describe="the first mail is on its way")
    running.send(signal.SIGTERM)
    ended = running.end()
    assert ended.exit_code == 143
    assert ended.message is not None
    assert ended.message["value"] == {"sent": 1, "refused": 0}
    assert site.value("send_digest") == {"sent": 2, "refused": 0}
    assert recipients(site) == ["ada", "bela", "dora"]


@pytest.mark.usefixtures("news")
def test_two_runs_at_the_same_time_send_each_mail_once(site: Site) -> None:
    site.mail.fail(code=250, keep=True, delay_seconds=2, times=1)
    first = site.start("send_digest")
    wait_until(lambda: is_sending(site), describe="the first mail is on its way")
    second = site.start("send_digest")
    assert [first.end().exit_code, second.end().exit_code] == [0, 0]
    assert recipients(site) == ["ada", "bela", "dora"]
