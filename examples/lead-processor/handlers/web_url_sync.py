from typing import Any

from _records import page_of, texts_of
from _services import open_service

from job_runner import Context, DataError, job_handler
from job_runner.connections.postgresql import open_postgresql

TEXTS = {"id": "id", "url": "url", "title": "title"}
MOST_PAGES = 1000

BRING_UP_TO_DATE = """
WITH written AS (
    INSERT INTO landing_page (id, url, title)
    SELECT * FROM unnest(%(id)s::text[], %(url)s::text[], %(title)s::text[])
    ON CONFLICT (id) DO UPDATE SET url = excluded.url, title = excluded.title
    WHERE (landing_page.url, landing_page.title) IS DISTINCT FROM (excluded.url, excluded.title)
    RETURNING xmax = 0 AS new
), removed AS (
    DELETE FROM landing_page WHERE id <> ALL (%(id)s) RETURNING 1
)
SELECT count(*) FILTER (WHERE new), count(*) FILTER (WHERE NOT new), (SELECT count(*) FROM removed)
FROM written
"""


@job_handler("web-url-sync")
def web_url_sync(context: Context) -> dict[str, int]:
    """Makes the table of landing pages equal to what the web site lists: all of it or nothing."""
    pages = _all_pages(context)
    if not pages:  # rather a fault of the site than a site without any page
        raise DataError("the site lists no page at all: nothing is changed")
    columns = {name: [page[name] for page in pages] for name in TEXTS}
    with open_postgresql(context) as connection:
        added, changed, removed = connection.execute(BRING_UP_TO_DATE, columns).fetchone() or (0, 0, 0)
    return {"listed": len(pages), "added": added, "changed": changed, "removed": removed}


def _all_pages(context: Context) -> list[dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    parameters: dict[str, Any] = {"limit": 100}
    with open_service(context, variable="SITE_URL") as site:
        for number in range(1, MOST_PAGES + 1):
            items, cursor = page_of(site.get_json("/v1/landing-pages", params=parameters), number)
            for place, item in enumerate(items, start=1):
                page = _checked(item, f"page {number}, record {place}")
                found[page["id"]] = page
            if cursor is None:
                return list(found.values())
            if cursor == parameters.get("cursor"):
                raise DataError(f"page {number} names itself as the next one")
            parameters["cursor"] = cursor
    raise DataError(f"the site does not come to an end after {MOST_PAGES} pages")


def _checked(item: Any, place: str) -> dict[str, str]:
    page = texts_of(item, TEXTS, place)
    if not page["url"].startswith(("https://", "http://")):
        raise DataError(f"{place}: url does not begin with https:// or http://")
    return page
