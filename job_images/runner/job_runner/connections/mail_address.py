"""Mail addresses as people write them: ann@example.com, or Ann <ann@example.com>."""

import re
from typing import TYPE_CHECKING

from job_runner.errors import DataError

if TYPE_CHECKING:
    from email.headerregistry import Address

_ATOM = r'[^\s@<>()\[\]\\,;:".]+'
_ADDRESS = rf"(?P<user>{_ATOM}(?:\.{_ATOM})*)@(?P<domain>{_ATOM}(?:\.{_ATOM})*)"
_ENTRY = re.compile(rf'(?:"?(?P<name>[^<>"\\]*?)"?\s*<{_ADDRESS}>|{_ADDRESS.replace("?P<", "?P<bare_")})')


def mail_address(text: str, *, what: str) -> "Address":
    """Exactly one address. Raises DataError, which names it as `what` and never quotes it."""
    from email.headerregistry import Address  # noqa: PLC0415  (30 ms, for runs that send mail)

    found = _ENTRY.fullmatch(text.strip())
    if found is None or not is_one_line(text):
        raise DataError(f"{what} is no mail address: write ann@example.com or Ann <ann@example.com>")
    return Address(
        display_name=(found["name"] or "").strip(),
        username=found["user"] or found["bare_user"],
        domain=found["domain"] or found["bare_domain"],
    )


def is_one_line(text: str) -> bool:
    """Whether a header can hold it: a line break in it would begin another header."""
    return not re.search("[\x00-\x1f\x7f\ud800-\udfff]", text) and len(text.splitlines()) <= 1
