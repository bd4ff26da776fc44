from collections import Counter

from _letters import Ending, letter, open_post

from job_runner import Cancelled, Context, DataError, TryAgain, job_handler
from job_runner.connections.postgresql import open_postgresql

PURPOSE = "follow-up"
WAITING = """
SELECT id::text, name, email FROM lead
WHERE status = 'contacted' AND deleted_at IS NULL AND contacted_at <= now() - make_interval(days => %s)
  AND NOT EXISTS (SELECT FROM sent_mail WHERE purpose = 'follow-up' AND recipient = lead.id::text)
ORDER BY contacted_at, id
LIMIT %s
"""
TEXT = """Hello {name},

a few days ago we wrote to you about your journey. Do you have any questions?
"""


@job_handler("follow-ups")
def follow_ups(context: Context, after_days: int = 3, limit: int = 500) -> dict[str, int]:
    """Writes to leads that have not answered for some days, to each of them once."""
    if not 1 <= after_days <= 365:
        raise DataError("after_days is not from 1 to 365")
    if not 1 <= limit <= 10_000:
        raise DataError("limit is not from 1 to 10000")
    endings: Counter[Ending] = Counter()
    try:
        _write_to_all(context, endings, after_days=after_days, limit=limit)
    except Cancelled:
        context.logger.warning("stopped early: the others get theirs in the next run")
    else:
        _complain(endings)
    return {"sent": endings[Ending.SENT], "refused": endings[Ending.REFUSED]}


def _complain(endings: Counter[Ending]) -> None:
    """Where everybody is refused it is perhaps the server after all, and a person should look."""
    if endings[Ending.DEFERRED]:
        raise TryAgain(f"the mail server wants {endings[Ending.DEFERRED]} of the mails later")
    if endings[Ending.REFUSED] and not endings[Ending.SENT]:
        raise DataError(f"nobody got a mail: all {endings[Ending.REFUSED]} recipients were refused")


def _write_to_all(context: Context, endings: Counter[Ending], *, after_days: int, limit: int) -> None:
    with open_postgresql(context, autocommit=True) as connection:
        leads = connection.execute(WAITING, (after_days, limit)).fetchall()
        if not leads:
            return
        with open_post(context, connection, purpose=PURPOSE, keep_refusals=True) as post:
            for lead, name, address in leads:
                message = letter(address, subject="Your journey", text=TEXT.format(name=name))
                with context.shield():
                    endings[post.send(message, recipient=lead)] += 1
            post.check()
