"""Mails that go out once, however often a job is run: what was sent is written down with the sending."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import make_msgid
from enum import Enum
from typing import TYPE_CHECKING

from job_runner.connections.smtp import open_smtp

from job_runner import Context

if TYPE_CHECKING:
    from job_runner.connections.smtp import Mailer
    from psycopg import Connection

SENDER = "leads@travel.example"

CLAIM = "INSERT INTO sent_mail (purpose, recipient) VALUES (%s, %s) ON CONFLICT DO NOTHING"
NOTE_REFUSAL = "UPDATE sent_mail SET refused = %s WHERE purpose = %s AND recipient = %s"
GIVE_BACK = "DELETE FROM sent_mail WHERE purpose = %s AND recipient = %s"


class Ending(Enum):
    """What became of one mail."""

    SENT = "sent"
    KNOWN = "sent earlier"
    REFUSED = "refused"
    """For good: it is not tried again."""
    DEFERRED = "deferred"
    """The mail server wants it later."""


@dataclass(frozen=True)
class Post:
    """Sends mails for one purpose. Its connection commits by itself."""

    context: Context
    connection: "Connection"
    mailer: "Mailer"
    purpose: str

    def send(self, message: EmailMessage | None, *, recipient: str) -> Ending:
        """Send the message unless the recipient has had one for this purpose.

        The transaction is open while the mail is handed over, and whatever goes wrong takes the note back.
        Only when the database is lost between the mail server's yes and the commit is a mail sent again.
        """
        key = (self.purpose, recipient)
        with self.context.shield(), self.connection.transaction():
            if self.connection.execute(CLAIM, key).rowcount == 0:
                return Ending.KNOWN
            refused = self.mailer.send(message) if message else {recipient: "not an address"}
            if not refused:
                return Ending.SENT
            answer = next(iter(refused.values()))
            if answer.startswith("4"):
                self.connection.execute(GIVE_BACK, key)
                return Ending.DEFERRED
            self.connection.execute(NOTE_REFUSAL, (answer, *key))
            return Ending.REFUSED


@contextmanager
def open_post(context: Context, connection: "Connection", *, purpose: str) -> Iterator[Post]:
    """A connection to the mail server of SMTP_URL, for many mails."""
    with open_smtp(context) as mailer:
        yield Post(context, connection, mailer, purpose)


def letter(recipient: str, *, subject: str, text: str) -> EmailMessage | None:
    """A mail to one address; None when it is no address, which no header of a mail may hold."""
    message = EmailMessage()
    try:
        message["To"] = Address(addr_spec=recipient)
    except (ValueError, IndexError, MessageError):
        return None
    message["From"] = SENDER
    message["Subject"] = subject
    message["Message-ID"] = make_msgid(domain=SENDER.partition("@")[2])
    message.set_content(text)
    return message
