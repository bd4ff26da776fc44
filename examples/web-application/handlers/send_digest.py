"""A mail is sent in the transaction that remembers it: each reader gets the digest of a day once.

Only when the database is lost between the two does the next run send that one mail again.
"""

from collections import Counter
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, NamedTuple

from job_runner import Cancelled, Context, DataError, TryAgain, job_handler
from job_runner.connections.mail_address import mail_address
from job_runner.connections.postgresql import open_postgresql
from job_runner.connections.smtp import Mailer, open_smtp
from job_runner.connections.smtp_errors import RecipientsRefused

if TYPE_CHECKING:
    from email.headerregistry import Address
    from email.message import EmailMessage

    from psycopg import Connection

# What is new to a reader: all since the digest that this reader got last, so that no weekend, refused mail or
# day without a cluster leaves a gap. Of a longer time, and for a new reader, it is the last week.
_READERS = """
    SELECT id, name, email, ARRAY(
        SELECT title FROM articles
        WHERE published_at <= %(now)s AND published_at > greatest(
            %(now)s - interval '7 days',
            (SELECT max(until) FROM digests WHERE reader = users.id AND accepted)
        )
        ORDER BY published_at, id
    )
    FROM users
    WHERE wants_digest AND NOT EXISTS (SELECT FROM digests WHERE reader = id AND day = %(day)s)
    ORDER BY id
"""
_CLAIM = """
    INSERT INTO digests (reader, day, accepted, until) VALUES (%s, %s, true, %s) ON CONFLICT DO NOTHING
"""
_NOTE_REFUSAL = "UPDATE digests SET accepted = false WHERE reader = %s AND day = %s"


class _Reader(NamedTuple):
    number: int
    name: str
    email: str
    titles: list[str]


@job_handler("send_digest")
def send_digest(context: Context, sender: str = "digest@example.org") -> dict[str, int]:
    """Mails the new titles to each reader who wants them and has not had a digest on this day.

    A reader whose address takes no mail is not tried again on this day. A mail that the server does not take,
    for no fault of its reader's, waits for the next run, which is told by a failure of this one.
    """
    given = mail_address(sender, what="sender")
    endings: Counter[str] = Counter()
    complaints: list[DataError] = []
    try:
        _send_to_all(context, given, endings, complaints)
    except Cancelled:
        context.logger.warning("stopped early: the others get theirs in the next run of the day")
    else:
        _complain(endings, complaints)
    return {"sent": endings["sent"], "refused": endings["refused"]}


def _send_to_all(
    context: Context, sender: "Address", endings: Counter[str], complaints: list[DataError]
) -> None:
    now = context.slot or datetime.now(tz=UTC)
    day = now.astimezone(context.time_zone).date()
    with open_postgresql(context, autocommit=True) as connection:
        found = connection.execute(_READERS, {"now": now, "day": day}).fetchall()
        readers = [reader for reader in (_Reader(*row) for row in found) if reader.titles]
        if not readers:
            return
        with open_smtp(context) as mailer:
            for reader in readers:
                message = _message(reader, sender=sender, day=day)
                with context.shield():
                    try:
                        ending = _sent_once(connection, mailer, message, claim=(reader.number, day, now))
                    except DataError as error:
                        complaints.append(error)
                    else:
                        endings[ending] += 1


def _complain(endings: Counter[str], complaints: list[DataError]) -> None:
    if later := endings["later"]:
        raise TryAgain(f"{later} of {endings.total()} mails were put off by the server")
    if complaints:
        raise complaints[0]
    if endings["refused"] and not endings["sent"]:  # perhaps it is the server after all
        raise DataError(f"nobody got a digest: all {endings['refused']} readers were refused")


def _sent_once(
    connection: "Connection",
    mailer: Mailer,
    message: "EmailMessage | None",
    *,
    claim: tuple[int, date, datetime],
) -> str:
    """Whether the mail was sent now or by another run, refused, which is remembered too, or is for later."""
    try:
        with connection.transaction():
            if connection.execute(_CLAIM, claim).rowcount == 0:
                return "earlier"
            if message is None or not _is_taken(mailer, message):
                connection.execute(_NOTE_REFUSAL, claim[:2])
                return "refused"
    except TryAgain:
        return "later"
    return "sent"


def _is_taken(mailer: Mailer, message: "EmailMessage") -> bool:
    """Hand it over; whether there is somebody at its address."""
    try:
        mailer.send(message)
    except RecipientsRefused:
        return False
    return True


def _message(reader: _Reader, *, sender: "Address", day: date) -> "EmailMessage | None":
    """None where the reader's address is none: what stands there may be anything."""
    from email.message import EmailMessage  # noqa: PLC0415  (only for the run that sends)

    message = EmailMessage()
    try:
        message["To"] = mail_address(reader.email, what="email")
    except DataError:
        return None
    message["From"] = sender
    # The same for a second try: whoever gets the mail twice can see that it is one.
    message["Message-ID"] = f"<digest.{day}.{reader.number}@{sender.domain}>"
    message["Subject"] = f"{len(reader.titles)} new on {day:%d %B}"
    text = "".join(f"- {title}\n" for title in reader.titles)
    message.set_content(f"Good morning, {reader.name}!\n\n{text}")
    return message
