"""Statements that begin or end a transaction, which have no place where somebody else does that."""

import re

_BLANK = r"(?:\s|--[^\n]*\n|/\*.*?\*/)*"
_CONTROL = re.compile(
    rf"{_BLANK}(?:BEGIN|START{_BLANK}TRANSACTION|COMMIT|END|ABORT|PREPARE{_BLANK}TRANSACTION"
    rf"|ROLLBACK(?!{_BLANK}(?:(?:WORK|TRANSACTION){_BLANK})?TO\b))\b",
    re.IGNORECASE | re.DOTALL,
)


def controls_transaction(statement: str) -> bool:
    """Whether the statement is BEGIN, COMMIT, ROLLBACK or another spelling of them. Savepoints are not."""
    return _CONTROL.match(statement) is not None
