"""When one of many fails the others have their turn, and the end of the run tells of all."""

from job_runner import ConfigurationError, DataError, JobError, TryAgain, Unavailable

IN_A_ROW = 3
"""So many that cannot be reached one after the other, and the server is gone: the rest would only wait."""
DESCRIBED = 5
_KINDS: tuple[type[JobError], ...] = (Unavailable, TryAgain, ConfigurationError, DataError, JobError)
"""A retry may help with the first two: they decide how the run ends."""


class Failures:
    """What failed, by name."""

    def __init__(self, what: str) -> None:
        """what: such as "accounts"."""
        self._what = what
        self._errors: dict[str, JobError] = {}
        self._in_a_row = 0
        self._tried = 0

    def succeeded(self) -> None:
        self._tried += 1
        self._in_a_row = 0

    def failed(self, name: str, error: JobError) -> None:
        """Raises the error of the run when the server seems to be gone."""
        self._tried += 1
        self._errors[name] = error
        self._in_a_row = self._in_a_row + 1 if isinstance(error, Unavailable) else 0
        if self._in_a_row == IN_A_ROW:
            self.raise_any()

    def raise_any(self) -> None:
        """One error for all that failed, which describes the first few."""
        if not self._errors:
            return
        kind = next(
            kind for kind in _KINDS if any(isinstance(error, kind) for error in self._errors.values())
        )
        described = [f"{name}: {error}" for name, error in self._errors.items()][:DESCRIBED]
        if len(self._errors) > DESCRIBED:
            described.append(f"and {len(self._errors) - DESCRIBED} more")
        raise kind(f"{len(self._errors)} of {self._tried} {self._what} failed: {'; '.join(described)}")
