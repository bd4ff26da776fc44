"""Addresses and headers as arguments of a manifest give them: written out, or as the name of a variable."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from job_runner.connections.variables import from_variable
from job_runner.errors import DataError


def address_of(url: str | None, url_variable: str | None) -> str:
    """The address that one of two arguments gives. Raises DataError or ConfigurationError."""
    if (url is None) == (url_variable is None):
        raise DataError("give url or url_variable, not both" if url else "give url or url_variable")
    if url is None:
        return from_variable(url_variable or "")
    try:
        netloc = urlsplit(url).netloc
    except ValueError:
        raise DataError("the url is no address: write for instance https://host/path") from None
    if "@" in netloc:
        raise DataError("the url holds a user or a password: keep it in a Secret, and give url_variable")
    return url


def secret_headers(variables: Mapping[str, str] | None) -> dict[str, str]:
    """Headers whose values are in environment variables. Raises ConfigurationError."""
    return {header: from_variable(variable) for header, variable in (variables or {}).items()}
