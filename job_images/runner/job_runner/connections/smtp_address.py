"""Where mail is handed over, as a variable says it: smtp://user:password@host:587?starttls=true."""

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from job_runner.errors import ConfigurationError

_YES, _NO = {"true", "1", "yes"}, {"false", "0", "no"}


@dataclass(frozen=True, kw_only=True)
class SmtpAddress:
    """tls: from the first byte on; starttls: after a greeting, and never without."""

    host: str
    port: int
    tls: bool = False
    starttls: bool = False
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)


def smtp_address(text: str, *, variable: str) -> SmtpAddress:
    """The parts of the address. Raises ConfigurationError, which never quotes it."""
    try:
        parts = urlsplit(text)
        port = parts.port
        (parts.hostname or "").encode(
            "idna"
        )  # as connecting would, which takes two dots for a wrong password
    except ValueError:
        raise _unusable(variable) from None
    options = {name.lower(): value.lower() for name, value in parse_qsl(parts.query, keep_blank_values=True)}
    starttls = options.pop("starttls", "false")
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path.strip("/") or parts.fragment:
        raise _unusable(variable)
    if options or starttls not in _YES | _NO:
        raise ConfigurationError(f"behind the ? of {variable} there may only be starttls=true")
    tls = parts.scheme == "smtps"
    if tls and starttls in _YES:
        raise ConfigurationError(f"{variable}: write smtps:// or ?starttls=true, not both")
    usual = 465 if tls else 587 if starttls in _YES else 25
    return SmtpAddress(
        host=parts.hostname,
        port=port or usual,
        tls=tls,
        starttls=starttls in _YES,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def _unusable(variable: str) -> ConfigurationError:
    return ConfigurationError(
        f"the value of {variable} is no address of a mail server: write for instance "
        "smtp://user:password@host:587?starttls=true, with %2F for a / in the password, %23 for a # "
        "and %3F for a ?"
    )
