"""What is said in the same words whatever the server is."""

from job_runner.errors import ConfigurationError

NO_SUCH_HOST = "there is no host of this name"


def not_trusted(place: str, why: str) -> ConfigurationError:
    """why: what OpenSSL says about the certificate."""
    return ConfigurationError(
        f"{place}: its certificate is not trusted ({why}): name the file of its authority in SSL_CERT_FILE"
    )
