"""Mails that wait in the table `mails`: the transaction that gives rise to one puts it there, once for a key.

A mail is sent at least once. It is marked in the transaction that sends it, so a run that is killed between
the server's "250 OK" and its commit leaves the mail to the next run, which sends it again under the same
Message-ID.

It is given up only when the server takes no mail for its recipient. Whatever else is refused (the sender, the
message, sending from here at all) is a matter of the server or of its settings: the mail waits, and the
others are tried.
"""

from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

from job_runner import Context, DataError, TryAgain, Unavailable
from job_runner.connections.mail_address import mail_address
from job_runner.connections.smtp import Mailer, open_smtp
from job_runner.connections.smtp_errors import RecipientsRefused

if TYPE_CHECKING:
    from psycopg import Connection

SENDER = "jobs@trading.example"
NAMED = 20
"""So many users a run's record names, which would be cut off in the middle of thousands."""

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
    """What became of the mails. refused: to those whose address is none, or not one that the server takes."""

    sent: int = 0
    refused: int = 0
    refused_users: list[int] = field(default_factory=list)
    """The first of them."""
    postponed: int = 0
    complaints: list[DataError] = field(default_factory=list)
    """What the server said of mails that it did not take, for no fault of their recipients'."""

    def value(self) -> dict[str, Any]:
        """As it stands in the run's record."""
        return {"sent": self.sent, "refused": self.refused, "refusedUsers": self.refused_users}

    def refuse(self, user: int) -> None:
        self.refused += 1
        if len(self.refused_users) < NAMED:
            self.refused_users.append(user)

    def check(self) -> None:
        """Raises TryAgain when the server wants some mails later, Unavailable when it did not take some.

        DataError when it refused everybody.
        """
        if self.postponed:
            raise TryAgain(
                f"{self.sent} mails sent, {self.postponed} more are wanted later by the mail server"
            )
        if self.complaints:
            total = self.sent + self.refused + len(self.complaints)
            waiting = f"the mail server left {len(self.complaints)} of {total} mails waiting"
            raise Unavailable(f"{waiting}: {self.complaints[0]}")
        if self.refused and not self.sent:
            raise DataError(f"the mail server refuses each of the {self.refused} recipients")


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
        message = _message(key, subject=subject, body=body, address=address)
        try:
            taken = message is not None and _is_taken(mailer, message)
        except TryAgain:
            delivery.postponed += 1
            return
        except DataError as error:
            delivery.complaints.append(error)
            return
        connection.execute(_SENT if taken else _REFUSED, {"key": key})
    if taken:
        delivery.sent += 1
    else:
        delivery.refuse(user)


def _is_taken(mailer: Mailer, message: EmailMessage) -> bool:
    """Whether the server has it now; False when it takes nothing for this recipient."""
    try:
        mailer.send(message)
    except RecipientsRefused:
        return False
    return True


def _message(key: str, *, subject: str, body: str, address: str) -> EmailMessage | None:
    """The mail to exactly one address; None for a text that is none."""
    message = EmailMessage()
    try:
        message["To"] = mail_address(address, what="the address")
    except DataError:
        return None
    message["From"] = SENDER
    message["Subject"] = subject
    message["Message-ID"] = f"<{key}@trading.example>"
    message.set_content(body)
    return message
