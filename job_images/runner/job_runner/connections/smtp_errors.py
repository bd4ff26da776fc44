"""What a mail server's refusals mean, as errors that choose the exit code.

Only its numbers are quoted: the words of a server repeat addresses and parts of the message.
"""

import re

from job_runner.connections.sentences import NO_SUCH_HOST, not_trusted
from job_runner.errors import ConfigurationError, DataError, JobError, TryAgain, Unavailable

_NEEDS_LOGIN = {530, 534, 535, 538}
_CLOSING = 421
_OF_RECIPIENTS = {501, 550, 551, 552, 553}
_SENDERS = {"5.1.7", "5.1.8"}
"""Some servers look at the sender no sooner than at the first recipient."""
_NOBODY_THERE = "5.4.1"
"""What Exchange Online says of an address that does not exist."""


class RecipientsRefused(DataError):  # noqa: N818  (people read this name in the status)
    """Not one recipient was accepted, and each for what it is: an address of which there is no mailbox.

    That the server lets nobody send from here is no such thing, though it may be said of a recipient.
    """


def is_about_recipient(answer: str) -> bool:
    """Whether a refusal, as `reply` writes it, is of the address: 550 is, 550 5.7.1 and 554 are not."""
    code, _, longer = answer.partition(" ")
    if not longer:
        return int(code) in _OF_RECIPIENTS
    return longer == _NOBODY_THERE or (longer.startswith(("5.1.", "5.2.")) and longer not in _SENDERS)


def reply(code: int, text: bytes) -> str:
    """Such as `550 5.1.1`: the code, and the longer one behind it if there is one."""
    longer = re.match(rb"\d\.\d{1,3}\.\d{1,3}\b", text)
    return f"{code} {longer[0].decode()}" if longer else str(code)


def refusal(what: str, code: int, text: bytes) -> JobError:
    """The error for an answer that is no yes to `what`."""
    said = f"{what}: the server answered {reply(code, text)}"
    if code in _NEEDS_LOGIN:
        return ConfigurationError(f"{said}: it wants a user and password, or STARTTLS")
    if 400 <= code < 500:
        return TryAgain(said)
    return DataError(said)


def is_closing(code: int) -> bool:
    """Whether the server ends the connection with this answer."""
    return code == _CLOSING


def failure(error: OSError, *, place: str) -> JobError:
    """The error for an exception of smtplib or of the connection itself."""
    import smtplib  # noqa: PLC0415  (handler files import this module, and few of them are run)
    import socket  # noqa: PLC0415
    import ssl  # noqa: PLC0415

    match error:
        case smtplib.SMTPServerDisconnected():
            return Unavailable(f"{place}: the connection broke")
        case smtplib.SMTPAuthenticationError(smtp_code=code):
            if 400 <= code < 500:
                return TryAgain(f"{place}: no login at the moment ({code})")
            return ConfigurationError(f"{place}: the user or the password is wrong ({code})")
        case smtplib.SMTPHeloError(smtp_code=code) | smtplib.SMTPConnectError(smtp_code=code):
            kind = TryAgain if 400 <= code < 500 else Unavailable
            return kind(f"{place}: the server does not want to talk ({code})")
        case smtplib.SMTPResponseException(smtp_code=code, smtp_error=text):
            return refusal(place, code, text if isinstance(text, bytes) else text.encode())
        case smtplib.SMTPException():
            return ConfigurationError(
                f"{place}: the server does not offer what is needed: the login, STARTTLS, or addresses "
                "beyond ASCII"
            )
        case ssl.SSLCertVerificationError(verify_message=why):
            return not_trusted(place, why)
        case socket.gaierror():
            return Unavailable(f"{place}: {NO_SUCH_HOST}")
    reason = f": {error.strerror}" if error.strerror else ""
    return Unavailable(f"{place}: no connection{reason}")
