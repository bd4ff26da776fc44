"""Addresses, passwords and tokens come from environment variables, which a manifest takes from a Secret."""

import os
import re

from job_runner.errors import ConfigurationError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


def from_variable(name: str) -> str:
    """Its value without blanks around it: files that become Secrets tend to end in a line break.

    Raises ConfigurationError when it is missing or empty.
    """
    if not _NAME.fullmatch(name):  # perhaps the secret itself: it is not quoted
        raise ConfigurationError("give the name of a variable, such as DATABASE_URL, and not its value")
    value = os.environ.get(name, "").strip()
    if not value:
        raise ConfigurationError(
            f"the variable {name} is not set: take it from a Secret with env.valueFrom.secretKeyRef"
        )
    return value
