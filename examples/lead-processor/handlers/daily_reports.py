from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING

from _days import day_of
from _letters import Ending, letter, open_post

from job_runner import Cancelled, Context, DataError, TryAgain, job_handler
from job_runner.connections.postgresql import open_postgresql

if TYPE_CHECKING:
    from psycopg import Connection

MONDAY = 0
STATUSES = "SELECT status, count(*) FROM lead WHERE deleted_at IS NULL GROUP BY status ORDER BY status"
NEW = """
SELECT count(*) FROM lead
WHERE deleted_at IS NULL
  AND created_at >= %(since)s::timestamp AT TIME ZONE %(zone)s
  AND created_at < %(day)s::timestamp AT TIME ZONE %(zone)s
"""
BEST = """
SELECT name, score, travel_date FROM lead
WHERE deleted_at IS NULL AND status NOT IN ('converted', 'junk', 'not_interested') AND score > 0
ORDER BY score DESC, travel_date, id
LIMIT 5
"""


@job_handler("daily-reports")
def daily_reports(context: Context, recipients: list[str]) -> dict[str, int | str]:
    """Mails the state of the leads in the morning, once a day to each recipient."""
    if not 1 <= len(set(recipients)) <= 100:
        raise DataError("recipients is not a list of 1 to 100 addresses")
    day = day_of(context)
    endings: dict[str, Ending] = {}
    try:
        _send_to_all(context, endings, recipients=recipients, day=day)
    except Cancelled:
        context.logger.warning("stopped early: the others get theirs in the next run of the day")
    else:
        _complain(list(endings.values()))
    counts = Counter(endings.values())
    return {"day": day.isoformat(), "sent": counts[Ending.SENT], "sentEarlier": counts[Ending.KNOWN]}


def _send_to_all(context: Context, endings: dict[str, Ending], *, recipients: list[str], day: date) -> None:
    with open_postgresql(context, autocommit=True) as connection:
        text = _report(connection, day, zone=context.time_zone.key)
        with open_post(context, connection, purpose=f"daily-report {day}") as post:
            for address in dict.fromkeys(recipients):
                message = letter(address, subject=f"Leads on {day}", text=text)
                with context.shield():
                    endings[address] = post.send(message, recipient=address)
            post.check()


def _complain(endings: list[Ending]) -> None:
    """Addresses are arguments, and those are not named in errors: their places in the list are."""
    if later := endings.count(Ending.DEFERRED):
        raise TryAgain(f"the mail server wants {later} of the reports later")
    refused = [str(place) for place, ending in enumerate(endings, start=1) if ending is Ending.REFUSED]
    if refused:
        others = "; the others have theirs" if len(refused) < len(endings) else ""
        raise DataError(f"the mail server refuses recipient {', '.join(refused)} of the list{others}")


def _report(connection: "Connection", day: date, *, zone: str) -> str:
    since = day - timedelta(days=3 if day.weekday() == MONDAY else 1)
    new = connection.execute(NEW, {"since": since, "day": day, "zone": zone}).fetchone() or (0,)
    lines = [f"New since {since}: {new[0]}", "", "By status:"]
    lines += [f"  {status}: {count}" for status, count in connection.execute(STATUSES)]
    lines += ["", "Most promising:"]
    for name, score, travels in connection.execute(BEST):
        lines.append(f"  {name}: {score} points, travels {travels}")
    return "\n".join(lines) + "\n"
