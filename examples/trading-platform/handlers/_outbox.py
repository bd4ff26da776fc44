"""Mails that wait in the table `mails`: the transaction that gives rise to one puts it there, once for a key.

A mail is sent at least once. It is marked in the transaction that sends it, so a run that is killed between
the server's "250 OK" and its commit leaves the mail to the next run, which sends it again under the same
Message-ID.
"""

from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

from job_runner import Context, DataError, TryAgain
from job_runner.connections.smtp import Mailer, open_smtp

if TYPE_CHECKING:
    from psycopg import Connection

SENDER = "jobs@trading.example"

_KEYS = """
    SELECT key FROM mails WHERE kind = %(kind)s AND sent_at IS NULL AND refused_at IS NULL ORDER BY key
"""
_TAKE = """
    SELECT subject, body, email, user_id FROM mails JOIN users ON users.id = mails.user_id
    WHERE key = %(key)s AND sent_at IS NULL AND refused_at IS NULL
    FOR UPDATE OF mails SKIP LOCKED
"""
_SENT = "UPDATE mails SET sent_at = now() WHERE key = %(key)s"
_REFUSED = "UPDATE mails SET refused_at = now() WHERE key = %(key)s"


@dataclass
class Delivery:
    """What became of the mails. refused_users: whose address the server does not take; they are left out."""

    sent: int = 0
    refused_users: list[int] = field(default_factory=list)
    postponed: int = 0

    def value(self) -> dict[str, Any]:
        """As it stands in the run's record."""
        return {"sent": self.sent, "refusedUsers": self.refused_users}

    def check(self) -> None:
        """Raises TryAgain when the server wants some mails later, DataError when it took none at all."""
        if self.postponed:
            raise TryAgain(
                f"{self.sent} mails sent, {self.postponed} more are wanted later by the mail server"
            )
        if self.refused_users and not self.sent:
            raise DataError(f"the mail server refuses each of the {len(self.refused_users)} recipients")


def deliver(
    context: Context, connection: "Connection", delivery: Delivery, *, kind: str, key: str | None = None
) -> None:
    """Send the mails of a kind that wait, or only the one with this key. The connection is in autocommit.

    delivery: is kept up to date, so that a run that is stopped can tell how far it came.
    """
    keys = [found for (found,) in connection.execute(_KEYS, {"kind": kind}) if key in {None, found}]
    if not keys:
        return  # nothing to send needs no mail server
    with open_smtp(context) as mailer:
        for each in keys:
            with context.shield():
                _deliver_one(connection, mailer, each, delivery)


def _deliver_one(connection: "Connection", mailer: Mailer, key: str, delivery: Delivery) -> None:
    with connection.transaction():
        row = connection.execute(_TAKE, {"key": key}).fetchone()
        if row is None:
            return  # another run has it, or had it
        subject, body, address, user = row
        try:
            refused = bool(mailer.send(_message(key, subject=subject, body=body, address=address)))
        except DataError:
            refused = True
        except TryAgain:
            delivery.postponed += 1
            return
        connection.execute(_REFUSED if refused else _SENT, {"key": key})
    if refused:
        delivery.refused_users.append(user)
    else:
        delivery.sent += 1


def _message(key: str, *, subject: str, body: str, address: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = SENDER
    message["To"] = address
    message["Subject"] = subject
    message["Message-ID"] = f"<{key}@trading.example>"
    message.set_content(body)
    return message
