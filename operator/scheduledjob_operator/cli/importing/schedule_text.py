"""What holds for the text of every schedule, wherever it was read."""

from scheduledjob_operator.cli.importing.findings import UnreadableError

MOST_CHARACTERS = 120
"""Of the schedule in a spec."""


def fitting(schedule: str) -> str:
    """The schedule. Raises UnreadableError where it is longer than a spec takes."""
    if len(schedule) > MOST_CHARACTERS:
        raise UnreadableError(
            f"its schedule has {len(schedule)} characters, and {MOST_CHARACTERS} are the most: write ranges "
            "and steps in place of lists, or make several jobs of it"
        )
    return schedule
