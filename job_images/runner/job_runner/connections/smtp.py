"""Mail, handed over to an SMTP server: each message once, with a Message-ID that it has in a retry too.

smtplib, ssl and email are imported when a connection is opened: every run imports the files of all handlers.
"""

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from job_runner.connections.limits import longest_wait
from job_runner.connections.smtp_address import SmtpAddress, smtp_address
from job_runner.connections.smtp_errors import (
    RecipientsRefused,
    failure,
    is_about_recipient,
    is_closing,
    refusal,
    reply,
)
from job_runner.connections.variables import from_variable
from job_runner.context import Context
from job_runner.errors import ConfigurationError, DataError, JobError, TryAgain, Unavailable

if TYPE_CHECKING:
    import smtplib
    from email.message import EmailMessage

_LOG = logging.getLogger(__name__)
_LONGEST_WAIT = 60.0
"""Seconds for any answer of the server; some look at a message for long before they take it."""
_ACCEPTED = {250, 251}
_GO_ON = 354


def send(context: Context, message: "EmailMessage", *, variable: str = "SMTP_URL") -> dict[str, str]:
    """Hand over one message; answers the recipients that were refused, each with the server's code."""
    with open_smtp(context, variable=variable) as mailer:
        return mailer.send(message)


@contextmanager
def open_smtp(context: Context, *, variable: str = "SMTP_URL") -> Iterator["Mailer"]:
    """A connection for many messages. The variable holds such as smtp://user:password@host:587?starttls=true.

    Errors name host and port and no recipient: a server that is gone is Unavailable, one that says "later"
    TryAgain, a wrong password or certificate a ConfigurationError, a refused message a DataError.
    """
    mailer = Mailer(context, smtp_address(from_variable(variable), variable=variable))
    try:
        mailer.connect()
        yield mailer
    finally:
        mailer.close()


class Mailer:
    """A connection to an SMTP server, made again where the server has closed it between two messages."""

    def __init__(self, context: Context, address: SmtpAddress) -> None:
        self._context = context
        self._address = address
        self._place = f"{address.host}:{address.port}"
        self._client: smtplib.SMTP | None = None
        self._used = False
        self._sent: dict[str, int] = {}

    def connect(self) -> "smtplib.SMTP":
        """The connection, made where there is none. Raises JobError."""
        if self._client is None:
            self._used = False
            try:
                self._client = self._connected()
            except OSError as error:  # smtplib's errors are of this kind too
                raise failure(error, place=self._place) from None
            except UnicodeError:
                raise ConfigurationError(
                    f"{self._place}: the user or the password has letters beyond ASCII: no login is possible"
                ) from None
        return self._client

    def close(self) -> None:
        """Take leave of the server, if it is still there."""
        client, self._client = self._client, None
        if client is None:
            return
        with suppress(OSError):
            client.quit()
        client.close()

    def send(self, message: "EmailMessage") -> dict[str, str]:
        """Hand over one message; answers the recipients that were refused, each with the server's code.

        Its recipients are those of To, Cc and Bcc. Date and Message-ID are added where they are missing.
        Raises RecipientsRefused, a DataError, when the server takes mail for none of them; DataError or
        TryAgain when it did not take the message, or nothing at all.
        """
        sender, recipients = _envelope(message)
        if "Message-ID" not in message:
            message["Message-ID"] = self._message_id(message, recipients)
        content, options = _written(message, [sender, *recipients])
        try:
            client, refused = self._begun_again(sender, recipients, options)
            self._handed_over(client, content)
        except OSError as error:
            self.close()
            raise failure(error, place=self._place) from None
        except JobError:
            self._taken_back()
            raise
        self._used = True
        return refused

    def _connected(self) -> "smtplib.SMTP":
        import smtplib  # noqa: PLC0415

        from job_runner.connections.certificates import verifying_context  # noqa: PLC0415

        address, seconds = self._address, self._seconds()
        if address.tls:
            client: smtplib.SMTP = smtplib.SMTP_SSL(
                address.host, address.port, timeout=seconds, context=verifying_context()
            )
        else:
            client = smtplib.SMTP(address.host, address.port, timeout=seconds)
        try:
            if address.starttls:
                client.starttls(context=verifying_context())
            if address.user:
                if not (address.tls or address.starttls):
                    _LOG.warning("the password goes to %s unencrypted: use STARTTLS", self._place)
                client.login(address.user, address.password)
            client.ehlo_or_helo_if_needed()
        except BaseException:
            client.close()
            raise
        return client

    def _begun_again(
        self, sender: str, recipients: list[str], options: list[str]
    ) -> "tuple[smtplib.SMTP, dict[str, str]]":
        """As `_begun`, once more where the server hangs up: some take a few messages from one connection."""
        import smtplib  # noqa: PLC0415

        try:
            return self._begun(sender, recipients, options)
        except smtplib.SMTPServerDisconnected:
            if not self._used:
                raise
            self.close()
            return self._begun(sender, recipients, options)

    def _begun(
        self, sender: str, recipients: list[str], options: list[str]
    ) -> "tuple[smtplib.SMTP, dict[str, str]]":
        """The connection, at which sender and recipients were accepted, and the recipients that were not."""
        client = self.connect()
        code, text = client.mail(sender, options)
        if code not in _ACCEPTED:
            raise self._refusal("the sender was refused", code, text)
        refused: dict[str, str] = {}
        later = True
        for recipient in recipients:
            code, text = client.rcpt(recipient)
            if is_closing(code):
                raise self._refusal("a recipient", code, text)
            if code not in _ACCEPTED:
                refused[recipient] = reply(code, text)
                later = later and 400 <= code < 500
        if len(refused) == len(recipients):
            raise self._all_refused(refused, later=later)
        return client, refused

    def _all_refused(self, refused: dict[str, str], *, later: bool) -> JobError:
        answers = sorted(set(refused.values()))
        kind: type[JobError] = TryAgain
        if not later:
            kind = RecipientsRefused if all(map(is_about_recipient, answers)) else DataError
        return kind(f"{self._place}: no recipient of {len(refused)} was accepted ({', '.join(answers)})")

    def _handed_over(self, client: "smtplib.SMTP", content: bytes) -> None:
        import smtplib  # noqa: PLC0415

        code, text = client.docmd("DATA")
        if code != _GO_ON:
            raise self._refusal("the message was refused", code, text)
        with self._context.shield():  # or nobody would know whether it was sent
            client.send(re.sub(rb"^\.", b"..", content, flags=re.MULTILINE) + b".\r\n")
            try:
                code, text = client.getreply()
            except smtplib.SMTPServerDisconnected:
                self.close()
                raise Unavailable(
                    f"{self._place}: the connection broke after the whole message was handed over: "
                    "it may have been sent or not, and this run does not send it again"
                ) from None
        if code not in _ACCEPTED:
            raise self._refusal("the message was refused", code, text)

    def _taken_back(self) -> None:
        """Make the connection ready for another message."""
        if self._client is None:
            return
        try:
            self._client.rset()
        except OSError:
            self.close()

    def _refusal(self, what: str, code: int, text: bytes) -> JobError:
        if is_closing(code):
            self.close()
        return refusal(f"{self._place}: {what}", code, text)

    def _message_id(self, message: "EmailMessage", recipients: list[str]) -> str:
        """Of the run, the recipients and the subject; a number tells messages apart that share all three."""
        part = "\n".join([str(message["Subject"] or ""), *sorted(recipients)])
        number = self._sent[part] = self._sent.get(part, 0) + 1
        return message_id(self._context, f"{number}\n{part}")

    def _seconds(self) -> float:
        return min(_LONGEST_WAIT, longest_wait(self._context))


def message_id(context: Context, part: str) -> str:
    """The same for each attempt at a slot: a mail that comes twice can be recognised. part: of the run's.

    A digest, as names would make it longer than a line may be.
    """
    import hashlib  # noqa: PLC0415

    when = context.slot.strftime("%Y%m%dT%H%M%SZ") if context.slot else "manual"
    run = when if context.slot else context.job_name or str(time.time_ns())
    whole = "\n".join([context.namespace, context.name, run, part])
    digest = hashlib.sha256(whole.encode(errors="surrogatepass")).hexdigest()
    return f"<{when}.{digest[:24]}@scheduledjob.dev>"


def _envelope(message: "EmailMessage") -> tuple[str, list[str]]:
    """(the sender's address, the recipients', each once)"""
    senders = _addresses(message, "Sender") or _addresses(message, "From")
    recipients = [one for field in ("To", "Cc", "Bcc") for one in _addresses(message, field)]
    if not senders or not recipients:
        raise DataError("the message has no sender, or no recipient: set From and To")
    return senders[0], list(dict.fromkeys(recipients))


def _addresses(message: "EmailMessage", field: str) -> list[str]:
    return [one.addr_spec for header in message.get_all(field, []) for one in header.addresses]


def _written(message: "EmailMessage", addresses: list[str]) -> tuple[bytes, list[str]]:
    """(the message as bytes that end in a line break, the options for the server). Bcc is left out."""
    import copy  # noqa: PLC0415
    import io  # noqa: PLC0415
    from email.generator import BytesGenerator  # noqa: PLC0415
    from email.policy import SMTP  # noqa: PLC0415
    from email.utils import localtime  # noqa: PLC0415

    international = not all(address.isascii() for address in addresses)
    sent = copy.copy(message)
    del sent["Bcc"]
    if "Date" not in sent:
        sent["Date"] = localtime()
    policy = SMTP.clone(utf8=international, cte_type="8bit" if international else "7bit")
    buffer = io.BytesIO()
    BytesGenerator(buffer, mangle_from_=False, policy=policy).flatten(sent)
    content = buffer.getvalue()
    ending = b"" if content.endswith(b"\r\n") else b"\r\n"
    return content + ending, ["SMTPUTF8", "BODY=8BITMIME"] if international else []
