"""Options and hypothesis profiles of the unit tests."""

import pytest
from hypothesis import HealthCheck, settings

# The machine is shared and an example may wait for its turn: no deadlines.
settings.register_profile("unit", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unit")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="Write the operator's golden files in tests/data/output anew instead of comparing with them",
    )
