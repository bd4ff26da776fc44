"""A mail is sent in the transaction that remembers it: each reader gets the digest of a day once.

Only when the database is lost between the two does the next run send that one mail again.
"""

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, NamedTuple

from job_runner import Context, DataError, TryAgain, job_handler
from job_runner.connections.postgresql import open_postgresql
from job_runner.connections.smtp import Mailer, open_smtp

if TYPE_CHECKING:
    from email.message import EmailMessage

    from psycopg import Connection

_TITLES = """
    SELECT title FROM articles
    WHERE published_at > %(now)s - interval '1 day' AND published_at <= %(now)s
    ORDER BY published_at, id
"""
_READERS = """
    SELECT id, name, email FROM users
    WHERE wants_digest AND NOT EXISTS (SELECT FROM digests WHERE reader = id AND day = %s)
    ORDER BY id
"""


class _Reader(NamedTuple):
    number: int
    name: str
    email: str


@job_handler("send_digest")
def send_digest(context: Context, sender: str = "digest@example.org") -> dict[str, int]:
    """Mails the titles of the last day to each reader who wants them and has not got them yet."""
    now = context.slot or datetime.now(tz=UTC)
    day = now.astimezone(context.time_zone).date()
    counts = {"articles": 0, "sent": 0, "refused": 0, "later": 0}
    with open_postgresql(context, autocommit=True) as connection:
        titles = [title for (title,) in connection.execute(_TITLES, {"now": now})]
        readers = [_Reader(*row) for row in connection.execute(_READERS, [day])]
        counts["articles"] = len(titles)
        if not titles or not readers:
            return {"articles": len(titles), "sent": 0, "refused": 0}
        with open_smtp(context) as mailer:
            for reader in readers:
                message = _message(reader, titles, sender=sender, day=day)
                with context.shield():
                    counts[_sent_once(connection, mailer, message, reader=reader.number, day=day)] += 1
    if later := counts.pop("later"):
        raise TryAgain(f"{later} of {len(readers)} mails were put off by the server")
    return counts


def _sent_once(
    connection: "Connection", mailer: Mailer, message: "EmailMessage", *, reader: int, day: date
) -> str:
    """Whether the mail was sent, refused for good, which is remembered too, or is to be sent later."""
    try:
        with connection.transaction():
            connection.execute("INSERT INTO digests VALUES (%s, %s, true)", [reader, day])
            mailer.send(message)
    except TryAgain:
        return "later"
    except DataError:
        connection.execute("INSERT INTO digests VALUES (%s, %s, false)", [reader, day])
        return "refused"
    return "sent"


def _message(reader: _Reader, titles: list[str], *, sender: str, day: date) -> "EmailMessage":
    from email.message import EmailMessage  # noqa: PLC0415  (only for the run that sends)

    message = EmailMessage()
    message["From"], message["To"] = sender, reader.email
    # The same for a second try: whoever gets the mail twice can see that it is one.
    message["Message-ID"] = f"<digest.{day}.{reader.number}@{sender.rpartition('@')[2]}>"
    message["Subject"] = f"{len(titles)} new on {day:%d %B}"
    message.set_content(f"Good morning, {reader.name}!\n\n" + "".join(f"- {title}\n" for title in titles))
    return message
