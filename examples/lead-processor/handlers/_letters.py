"""Mails that go out once, however often a job is run: what was sent is written down with the sending."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from enum import Enum
from hashlib import sha256
from typing import TYPE_CHECKING

from job_runner import Context, DataError, TryAgain
from job_runner.connections.mail_address import mail_address
from job_runner.connections.smtp import open_smtp
from job_runner.connections.smtp_errors import RecipientsRefused

if TYPE_CHECKING:
    from psycopg import Connection

    from job_runner.connections.smtp import Mailer

DOMAIN = "travel.example"

CLAIM = "INSERT INTO sent_mail (purpose, recipient) VALUES (%s, %s) ON CONFLICT DO NOTHING"
NOTE_REFUSAL = "UPDATE sent_mail SET refused = %s WHERE purpose = %s AND recipient = %s"
GIVE_BACK = "DELETE FROM sent_mail WHERE purpose = %s AND recipient = %s"


class Ending(Enum):
    """What became of one mail."""

    SENT = "sent"
    KNOWN = "sent earlier"
    REFUSED = "refused"
    """Nobody takes mail at this address. Trying it again would not help."""
    DEFERRED = "deferred"
    """The mail server wants it later."""
    WAITING = "waiting"
    """The mail server did not take it, for no fault of its recipient's."""


@dataclass(frozen=True)
class Post:
    """Sends mails for one purpose. Its connection commits by itself.

    keep_refusals: whether a recipient that was refused counts as done and is never tried again.
    """

    context: Context
    connection: "Connection"
    mailer: "Mailer"
    purpose: str
    keep_refusals: bool
    complaints: list[DataError] = field(default_factory=list)
    """What the mail server said of the mails that wait."""

    def check(self) -> None:
        """Raises the first complaint, once all mails have been tried."""
        if self.complaints:
            raise self.complaints[0]

    def send(self, message: EmailMessage | None, *, recipient: str) -> Ending:
        """Send the message unless the recipient has had one for this purpose.

        The transaction is open while the mail is handed over, and whatever goes wrong takes the note back.
        That the server takes no mail from us, or not this one, is not the recipient's fault: the mail waits.
        Only when the mail server's yes is lost on its way, or the database before the commit, is a mail sent
        again: with the Message-ID that it had.
        """
        key = (self.purpose, recipient)
        with self.context.shield(), self.connection.transaction():
            if self.connection.execute(CLAIM, key).rowcount == 0:
                return Ending.KNOWN
            try:
                self._hand_over(message, key)
            except TryAgain:
                self.connection.execute(GIVE_BACK, key)
                return Ending.DEFERRED
            except RecipientsRefused as error:
                if self.keep_refusals:
                    self.connection.execute(NOTE_REFUSAL, (str(error), *key))
                else:
                    self.connection.execute(GIVE_BACK, key)
                return Ending.REFUSED
            except DataError as error:
                self.connection.execute(GIVE_BACK, key)
                self.complaints.append(error)
                return Ending.WAITING
            return Ending.SENT

    def _hand_over(self, message: EmailMessage | None, key: tuple[str, str]) -> None:
        if message is None:
            raise RecipientsRefused("not an address")
        # Always the same for a mail, so that mail servers can tell one that comes again after all.
        identity = sha256("\0".join(key).encode()).hexdigest()[:32]
        message["Message-ID"] = f"<{identity}@{DOMAIN}>"
        self.mailer.send(message)


@contextmanager
def open_post(
    context: Context, connection: "Connection", *, purpose: str, keep_refusals: bool = False
) -> Iterator[Post]:
    """A connection to the mail server of SMTP_URL, for many mails."""
    with open_smtp(context) as mailer:
        yield Post(context, connection, mailer, purpose, keep_refusals)


def letter(recipient: str, *, subject: str, text: str) -> EmailMessage | None:
    """A mail to one address; None when it is no address, which no header of a mail may hold."""
    message = EmailMessage()
    try:
        message["To"] = mail_address(recipient, what="the recipient")
    except DataError:
        return None
    message["From"] = f"leads@{DOMAIN}"
    message["Subject"] = subject
    message.set_content(text)
    return message
