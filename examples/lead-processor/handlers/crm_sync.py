"""Leads from the CRM, page by page: a page and the position behind it are one transaction."""

from datetime import date
from typing import TYPE_CHECKING, Any

from _records import page_of, texts_of
from _services import open_service

from job_runner import Cancelled, Context, DataError, job_handler
from job_runner.connections.postgresql import open_postgresql

if TYPE_CHECKING:
    from psycopg import Connection

    from job_runner.connections.http_client import HttpClient

STATUSES = {"new", "contacted", "qualified", "converted", "junk", "not_interested"}
TEXTS = {"crm_id": "id", "name": "name", "email": "email", "status": "status"}
POSITION_LOST = {400, 404, 410}
"""What the CRM answers to a cursor that it does not know any more."""

# Who has deleted a lead here does not get it back, and the score is never the CRM's. Since when a lead is
# contacted the CRM does not say: it is since we heard of it, and the follow-up is counted from there.
UPSERT = """
WITH given AS (
    SELECT * FROM unnest(
        %(crm_id)s::text[], %(name)s::text[], %(email)s::text[], %(status)s::text[],
        %(travel_date)s::date[], %(deleted)s::boolean[]
    ) AS given (crm_id, name, email, status, travel_date, deleted)
), written AS (
    INSERT INTO lead (crm_id, name, email, status, travel_date, deleted_at, contacted_at)
    SELECT crm_id, name, email, status, travel_date,
        CASE WHEN deleted THEN now() END, CASE WHEN status = 'contacted' THEN now() END
    FROM given
    ON CONFLICT (crm_id) DO UPDATE
    SET name = excluded.name, email = excluded.email, status = excluded.status,
        travel_date = excluded.travel_date, deleted_at = coalesce(lead.deleted_at, excluded.deleted_at),
        contacted_at = coalesce(lead.contacted_at, excluded.contacted_at)
    WHERE (lead.name, lead.email, lead.status, lead.travel_date)
            IS DISTINCT FROM (excluded.name, excluded.email, excluded.status, excluded.travel_date)
       OR (lead.deleted_at IS NULL AND excluded.deleted_at IS NOT NULL)
       OR (lead.contacted_at IS NULL AND excluded.contacted_at IS NOT NULL)
    RETURNING xmax = 0 AS new
)
SELECT count(*) FILTER (WHERE new), count(*) FILTER (WHERE NOT new) FROM written
"""
REMEMBER = """
INSERT INTO sync_position (name, cursor) VALUES ('crm', %s)
ON CONFLICT (name) DO UPDATE SET cursor = excluded.cursor
"""
FORGET = "DELETE FROM sync_position WHERE name = 'crm'"


@job_handler("crm-sync")
def crm_sync(context: Context, page_size: int = 100) -> dict[str, int | bool]:
    """Brings the leads up to date with the CRM; goes on where the last run was ended early."""
    if not 1 <= page_size <= 10_000:
        raise DataError("page_size is not from 1 to 10000")
    counts = {"pages": 0, "inserted": 0, "updated": 0, "unchanged": 0}
    finished = False
    try:
        with (
            open_postgresql(context, autocommit=True) as connection,
            open_service(context, variable="CRM_URL") as crm,
        ):
            cursor = _position(connection, crm, context)
            while not finished:
                records, cursor = _page(crm, cursor, limit=page_size, number=counts["pages"] + 1)
                with context.shield():
                    _write_page(connection, records, cursor, counts)
                    finished = cursor is None
                context.logger.info("page written", extra=dict(counts))
    except Cancelled:
        context.logger.warning("stopped early: the next run goes on from here")
    return {**counts, "finished": finished}


def _position(connection: "Connection", crm: "HttpClient", context: Context) -> str | None:
    """Where the last run was ended; None for the beginning."""
    found = connection.execute("SELECT cursor FROM sync_position WHERE name = 'crm'").fetchone()
    if found is None:
        return None
    answer = crm.request(
        "GET", "/v1/crm-leads", params={"limit": 1, "cursor": found[0]}, expected={200, *POSITION_LOST}
    )
    if answer.status_code == 200:
        return str(found[0])
    context.logger.warning("the CRM does not know the remembered position any more: beginning anew")
    connection.execute(FORGET)
    return None


def _page(
    crm: "HttpClient", cursor: str | None, *, limit: int, number: int
) -> tuple[list[dict[str, Any]], str | None]:
    """(the checked records of a page, each id once; the cursor of the next page)"""
    parameters = {"limit": limit} if cursor is None else {"limit": limit, "cursor": cursor}
    items, following = page_of(crm.get_json("/v1/crm-leads", params=parameters), number)
    if following is not None and following == cursor:
        raise DataError(f"page {number} names itself as the next one")
    records = [_record(item, f"page {number}, record {place}") for place, item in enumerate(items, start=1)]
    return list({record["crm_id"]: record for record in records}.values()), following


def _record(item: Any, place: str) -> dict[str, Any]:
    record = texts_of(item, TEXTS, place)
    if record["status"] not in STATUSES:
        raise DataError(f"{place}: status is none of {', '.join(sorted(STATUSES))}")
    travels, deleted = item.get("travelDate"), item.get("deleted", False)
    if not isinstance(deleted, bool):
        raise DataError(f"{place}: deleted is neither true nor false")
    try:
        travel_date = None if travels is None else date.fromisoformat(travels)
    except (TypeError, ValueError):
        raise DataError(f"{place}: travelDate is not a date such as 2026-12-24") from None
    return {**record, "travel_date": travel_date, "deleted": deleted}


def _write_page(
    connection: "Connection", records: list[dict[str, Any]], cursor: str | None, counts: dict[str, int]
) -> None:
    columns = {name: [record[name] for record in records] for name in (*TEXTS, "travel_date", "deleted")}
    with connection.transaction():
        inserted, updated = connection.execute(UPSERT, columns).fetchone() or (0, 0)
        if cursor is None:
            connection.execute(FORGET)
        else:
            connection.execute(REMEMBER, (cursor,))
    counts["pages"] += 1
    counts["inserted"] += inserted
    counts["updated"] += updated
    counts["unchanged"] += len(records) - inserted - updated
