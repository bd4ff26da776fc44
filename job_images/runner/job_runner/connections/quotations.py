"""What servers quote in their sentences may be a value of somebody's."""

import re


def without_quotations(text: str, *, marks: str) -> str:
    """A sentence on one line, with … from the first of a mark to its last: a value may have quotes in it."""
    return re.sub(rf"([{marks}]).*\1", r"\1…\1", " ".join(text.split()))
