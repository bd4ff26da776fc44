"""Which certificate authorities are trusted: those of SSL_CERT_FILE, else the well-known ones."""

import os
from typing import TYPE_CHECKING

from job_runner.errors import ConfigurationError

if TYPE_CHECKING:
    import ssl


def verifying_context() -> "ssl.SSLContext":
    """For connections whose server must prove that it is the one that was asked for."""
    import ssl  # noqa: PLC0415  (not for runs that connect to nothing)

    try:
        return ssl.create_default_context(cafile=authorities())
    except OSError:
        raise ConfigurationError(
            "the file of SSL_CERT_FILE cannot be read: mount certificates in PEM format there"
        ) from None


def authorities() -> str | None:
    """The file that is named, or the one that comes with httpx; None, the system's own, without both."""
    if file := os.environ.get("SSL_CERT_FILE"):
        return file
    try:
        import certifi  # noqa: PLC0415
    except ModuleNotFoundError:
        return None
    return certifi.where()
