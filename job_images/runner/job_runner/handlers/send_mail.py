import re
from typing import TYPE_CHECKING, Any

from job_runner import Context, DataError, job_handler
from job_runner.connections.mail_address import is_one_line, mail_address
from job_runner.connections.smtp import send

if TYPE_CHECKING:
    from email.message import EmailMessage


@job_handler("send_mail")
def send_mail(  # noqa: PLR0913  (each is an argument of a manifest)
    context: Context,
    *,
    to: list[str],
    subject: str,
    sender: str,
    text: str | None = None,
    html: str | None = None,
    cc: list[str] | None = None,
    reply_to: str | None = None,
    url_variable: str = "SMTP_URL",
) -> dict[str, Any]:
    """Sends a mail. A retry sends it with the same Message-ID."""
    message = _message(subject, text, html)
    message["From"] = mail_address(sender, what="sender")
    if reply_to is not None:
        message["Reply-To"] = mail_address(reply_to, what="reply_to")
    places = {**_addressed(message, "Cc", cc or []), **_addressed(message, "To", to)}
    if not places:
        raise DataError("the mail has no recipient: name one in `to`")
    refused = {
        places[address]: answer for address, answer in send(context, message, variable=url_variable).items()
    }
    for place, answer in refused.items():
        context.logger.warning("recipient %s was refused (%s)", place, answer)
    return {
        "messageId": str(message["Message-ID"]),
        "accepted": len(places) - len(refused),
        "refused": refused,
    }


def _message(subject: str, text: str | None, html: str | None) -> "EmailMessage":
    from email.message import EmailMessage  # noqa: PLC0415  (30 ms, for runs that send mail)

    if text is None and html is None:
        raise DataError("give text or html, or both")
    if not is_one_line(subject):
        raise DataError("subject has a line break or another control character in it")
    if re.search("[\ud800-\udfff]", f"{text}{html}"):
        raise DataError("text or html has half a character in it")
    message = EmailMessage()
    message["Subject"] = subject
    if text is not None:
        message.set_content(text)
    if html is not None and text is not None:
        message.add_alternative(html, subtype="html")
    elif html is not None:
        message.set_content(html, subtype="html")
    return message


def _addressed(message: "EmailMessage", header: str, entries: list[str]) -> dict[str, str]:
    """Put the addresses into the header; answers where each stands in the arguments, such as `to 2`."""
    name = header.lower()
    addresses = [
        mail_address(entry, what=f"{name} {number}") for number, entry in enumerate(entries, start=1)
    ]
    if addresses:
        message[header] = addresses
    return {
        address.addr_spec: f"{name} {number}"
        for number, address in reversed(list(enumerate(addresses, start=1)))
    }
