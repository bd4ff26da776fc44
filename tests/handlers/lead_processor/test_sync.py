"""The synchronisations of the lead processor: with a CRM page by page, with a web site all or nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from job_runner.testing import Outcome, Result, run_handler
from tests.handlers.cancelling import cancelled_when
from tests.handlers.lead_processor.system import SYSTEM, Database, handler
from tests.servers.sample_api import SampleApi
from tests.servers.smtp_sink import SmtpSink

LEADS: list[dict[str, Any]] = json.loads((SYSTEM / "data/crm-leads.json").read_text())
PAGES: list[dict[str, Any]] = json.loads((SYSTEM / "data/landing-pages.json").read_text())
CRM, SITE = "/v1/crm-leads", "/v1/landing-pages"


@pytest.fixture
def api(sample_api: SampleApi, monkeypatch: pytest.MonkeyPatch) -> SampleApi:
    monkeypatch.setenv("CRM_URL", sample_api.url)
    monkeypatch.setenv("SITE_URL", sample_api.url)
    sample_api.serve(**{"crm-leads": LEADS, "landing-pages": PAGES})
    return sample_api


def sync_crm(**options: Any) -> Outcome:
    return run_handler(handler("crm_sync"), args={"page_size": 10}, timeout=30, **options)


def sync_site() -> Outcome:
    return run_handler(handler("web_url_sync"), timeout=30)


def counts(outcome: Outcome) -> tuple[int, ...]:
    assert outcome.error is None, outcome.error
    value: Any = outcome.value
    assert value["finished"] is True
    return tuple(value[name] for name in ("pages", "inserted", "updated", "unchanged"))


def position(database: Database) -> str | None:
    found = database.sql("SELECT cursor FROM sync_position WHERE name = 'crm'")
    return found[0][0] if found else None


def test_all_leads_come_in_and_a_second_run_changes_nothing(database: Database, api: SampleApi) -> None:
    assert counts(sync_crm()) == (3, 23, 0, 0)
    rows = database.sql(
        "SELECT crm_id, name, email, status, travel_date, deleted_at IS NOT NULL, score FROM lead ORDER BY id"
    )
    assert [(*row[:4], row[4].isoformat() if row[4] else None, *row[5:]) for row in rows] == [
        (lead["id"], lead["name"], lead["email"], lead["status"], lead["travelDate"], "deleted" in lead, 0)
        for lead in LEADS
    ]
    assert counts(sync_crm()) == (3, 0, 0, 23)
    assert position(database) is None


def test_what_changed_in_the_crm_is_taken_over_and_the_score_is_kept(
    database: Database, api: SampleApi
) -> None:
    sync_crm()
    database.sql("UPDATE lead SET score = 50")
    changed = [dict(lead) for lead in LEADS]
    changed[3]["status"] = "qualified"
    changed[12]["travelDate"] = None
    changed[20]["deleted"] = True
    api.serve(**{"crm-leads": changed})
    assert counts(sync_crm()) == (3, 0, 3, 20)
    assert database.sql("SELECT status, score FROM lead WHERE crm_id = 'crm-4'") == [("qualified", 50)]
    assert database.sql("SELECT travel_date FROM lead WHERE crm_id = 'crm-13'") == [(None,)]
    assert database.sql("SELECT crm_id FROM lead WHERE deleted_at IS NOT NULL ORDER BY id") == [
        ("crm-9",),
        ("crm-21",),
    ]


def test_a_lead_that_becomes_contacted_in_the_crm_gets_its_follow_up_days_later(
    database: Database, api: SampleApi, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_URL", smtp_sink.url)
    api.serve(**{"crm-leads": [LEADS[0], {**LEADS[1], "status": "new"}]})
    sync_crm()
    assert followed_up(smtp_sink) == []
    database.sql("UPDATE lead SET contacted_at = contacted_at - interval '3 days'")
    assert followed_up(smtp_sink) == [LEADS[0]["email"]]
    api.serve(**{"crm-leads": [LEADS[0], {**LEADS[1], "status": "contacted"}]})
    sync_crm()
    assert followed_up(smtp_sink) == [LEADS[0]["email"]]
    database.sql("UPDATE lead SET contacted_at = contacted_at - interval '3 days'")
    assert followed_up(smtp_sink) == [LEADS[0]["email"], LEADS[1]["email"]]


def test_since_when_a_lead_is_contacted_is_not_changed_by_what_the_crm_says_later(
    database: Database, api: SampleApi
) -> None:
    sync_crm()
    database.sql("UPDATE lead SET contacted_at = '2026-01-01' WHERE crm_id = 'crm-1'")
    for status in ("qualified", "contacted"):
        api.serve(**{"crm-leads": [{**LEADS[0], "status": status}]})
        assert counts(sync_crm()) == (1, 0, 1, 0)
    assert database.sql("SELECT contacted_at::date::text FROM lead WHERE crm_id = 'crm-1'") == [
        ("2026-01-01",)
    ]


def followed_up(smtp_sink: SmtpSink) -> list[str]:
    """Who has had a mail, after one more run of the follow-ups."""
    assert run_handler(handler("follow_ups"), timeout=30).exit_code == 0
    return [str(mail["To"]) for mail in smtp_sink.messages()]


def test_a_lead_that_was_deleted_here_stays_deleted(database: Database, api: SampleApi) -> None:
    sync_crm()
    database.sql("UPDATE lead SET deleted_at = now() WHERE crm_id = 'crm-1'")
    assert counts(sync_crm()) == (3, 0, 0, 23)
    assert database.sql("SELECT deleted_at IS NOT NULL FROM lead WHERE crm_id = 'crm-1'") == [(True,)]


def test_leads_of_our_own_are_left_alone(database: Database, api: SampleApi) -> None:
    database.add_lead(name="ours")
    sync_crm()
    assert database.sql("SELECT count(*) FROM lead WHERE crm_id IS NULL") == [(1,)]


def test_a_record_that_comes_twice_counts_once_and_its_last_state_holds(
    database: Database, api: SampleApi
) -> None:
    api.serve(**{"crm-leads": [*LEADS[:2], {**LEADS[0], "status": "qualified"}]})
    assert counts(sync_crm()) == (1, 2, 0, 0)
    assert database.sql("SELECT status FROM lead WHERE crm_id = 'crm-1'") == [("qualified",)]


@pytest.mark.parametrize(
    ("fault", "exit_code"),
    [({"status": 500}, 69), ({"status": 401}, 78), ({"cut_after_bytes": 300}, 69), ({"body": "<html>"}, 65)],
)
def test_when_the_crm_fails_half_way_whole_pages_stay_and_the_next_run_goes_on_from_there(
    database: Database, api: SampleApi, fault: dict[str, Any], exit_code: int
) -> None:
    api.fail(path=CRM, after=1, **fault)
    assert sync_crm().exit_code == exit_code
    assert (database.count("lead"), position(database)) == (10, "at-10")
    api.clear_faults()
    assert counts(sync_crm()) == (2, 13, 0, 0)
    assert (database.count("lead"), position(database)) == (23, None)


def test_an_answer_that_says_to_come_back_later_is_waited_for(database: Database, api: SampleApi) -> None:
    api.fail(path=CRM, status=429, retry_after=1, times=2)
    outcome = sync_crm()
    assert counts(outcome) == (3, 23, 0, 0)
    assert outcome.duration_seconds > 1.5


BAD_RECORDS: list[tuple[Any, str]] = [
    (5, "page 2, record 4 is not an object"),
    ({}, "page 2, record 4: id is not a text, or is empty"),
    ({**LEADS[13], "id": 14}, "page 2, record 4: id is not a text, or is empty"),
    ({**LEADS[13], "email": ""}, "page 2, record 4: email is not a text, or is empty"),
    ({**LEADS[13], "name": "a\0b"}, "page 2, record 4: name is not a text, or is empty"),
    ({**LEADS[13], "travelDate": "soon"}, "page 2, record 4: travelDate is not a date such as 2026-12-24"),
    ({**LEADS[13], "travelDate": 5}, "page 2, record 4: travelDate is not a date such as 2026-12-24"),
    ({**LEADS[13], "deleted": "yes"}, "page 2, record 4: deleted is neither true nor false"),
]


@pytest.mark.parametrize(("record", "sentence"), BAD_RECORDS)
def test_a_record_that_is_not_what_was_promised_leaves_its_page_unwritten_and_is_named(
    database: Database, api: SampleApi, record: Any, sentence: str
) -> None:
    api.fail(path=CRM, replace_item=13, **{"with": record})
    outcome = sync_crm()
    assert outcome.exit_code == 65
    assert outcome.error is not None
    assert outcome.error.message == sentence
    assert (database.count("lead"), position(database)) == (10, "at-10")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("[]", "page 1 is not an object with a list of items"),
        ('{"items": {}}', "page 1 is not an object with a list of items"),
        ('{"items": [], "cursor": 5}', "page 1: cursor is not a text"),
    ],
)
def test_a_page_that_is_not_what_was_promised_is_named(
    database: Database, api: SampleApi, body: str, sentence: str
) -> None:
    api.fail(path=CRM, body=body)
    outcome = sync_crm()
    assert (outcome.exit_code, outcome.error and outcome.error.message) == (65, sentence)
    assert database.count("lead") == 0


def test_a_page_that_names_itself_as_the_next_one_does_not_run_for_ever(
    database: Database, api: SampleApi
) -> None:
    api.fail(path=CRM, body='{"items": [], "cursor": "again"}')
    api.fail(path=SITE, body='{"items": [], "cursor": "again"}')
    for outcome in (sync_crm(), sync_site()):
        assert outcome.error is not None
        assert outcome.error.message == "page 2 names itself as the next one"


def test_a_position_that_the_crm_has_forgotten_is_given_up(database: Database, api: SampleApi) -> None:
    database.sql("INSERT INTO sync_position VALUES ('crm', 'from-another-time')")
    outcome = sync_crm()
    assert counts(outcome) == (3, 23, 0, 0)
    assert "the CRM does not know the remembered position any more: beginning anew" in outcome.logs


def test_a_run_that_is_stopped_leaves_whole_pages_and_the_next_one_goes_on(
    database: Database, api: SampleApi
) -> None:
    api.fail(path=CRM, after=1, delay_seconds=2)
    outcome = cancelled_when(lambda: len(api.requests()) == 2, handler("crm_sync"), args={"page_size": 10})
    assert outcome.result is Result.CANCELLED
    value: Any = outcome.value
    assert value == {"pages": 1, "inserted": 10, "updated": 0, "unchanged": 0, "finished": False}
    assert (database.count("lead"), position(database)) == (10, "at-10")
    api.clear_faults()
    assert counts(sync_crm()) == (2, 13, 0, 0)


@pytest.mark.parametrize("page_size", [0, 10_001, -1, "many"])
def test_a_page_size_that_makes_no_sense_is_refused(page_size: object) -> None:
    outcome = run_handler(handler("crm_sync"), args={"page_size": page_size})
    assert outcome.exit_code == 65
    assert outcome.error is not None
    assert "page_size" in outcome.error.message


def test_the_landing_pages_become_what_the_site_lists(database: Database, api: SampleApi) -> None:
    assert sync_site().value == {"listed": 6, "added": 6, "changed": 0, "removed": 0}
    assert sync_site().value == {"listed": 6, "added": 0, "changed": 0, "removed": 0}
    moved = {**PAGES[0], "url": "https://travel.example/start"}
    new = {"id": "new", "url": "https://travel.example/new", "title": "New"}
    api.serve(**{"landing-pages": [moved, *PAGES[2:], new]})
    assert sync_site().value == {"listed": 6, "added": 1, "changed": 1, "removed": 1}
    rows = database.sql("SELECT id, url, title FROM landing_page ORDER BY id")
    assert rows == sorted((page["id"], page["url"], page["title"]) for page in [moved, *PAGES[2:], new])


def test_many_landing_pages_come_in_several_pages(database: Database, api: SampleApi) -> None:
    item = {"id": "page-{n}", "url": "https://travel.example/{n}", "title": "Page {n}"}
    api.serve(**{"landing-pages": {"generate": {"count": 250, "item": item}}})
    assert sync_site().value == {"listed": 250, "added": 250, "changed": 0, "removed": 0}


@pytest.mark.parametrize(
    ("fault", "exit_code"),
    [
        ({"status": 503, "retry_after": 0}, 69),
        ({"cut_after_bytes": 300}, 69),
        ({"body": '{"items": [], "cursor": null}'}, 65),
        ({"replace_item": 4, "with": {"id": "winter", "url": "ftp://x", "title": "Winter"}}, 65),
    ],
)
def test_whatever_is_wrong_with_the_answer_nothing_of_it_is_written(
    database: Database, api: SampleApi, fault: dict[str, Any], exit_code: int
) -> None:
    sync_site()
    before = database.sql("SELECT * FROM landing_page ORDER BY id")
    api.serve(**{"landing-pages": PAGES[:5]})
    api.fail(path=SITE, **fault)
    assert sync_site().exit_code == exit_code
    assert database.sql("SELECT * FROM landing_page ORDER BY id") == before
