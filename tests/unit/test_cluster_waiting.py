"""Waiting ends as soon as the condition holds, and says what was last seen when it never does."""

import pytest

from tests.waiting import wait_until


def test_the_first_true_value_is_returned() -> None:
    values = iter([None, 0, "", "ready"])
    assert wait_until(lambda: next(values), timeout=5) == "ready"


def test_the_last_value_is_shown_when_time_is_up() -> None:
    with pytest.raises(AssertionError, match=r"after 0 s still not: two pods run; last seen: \[\]"):
        wait_until(list, timeout=0, describe="two pods run")


def test_a_failed_assertion_counts_as_not_yet() -> None:
    seen: list[int] = []

    def third_time() -> bool:
        seen.append(1)
        assert len(seen) == 3, f"only {len(seen)} looks"
        return True

    assert wait_until(third_time, timeout=5)


def test_the_last_failed_assertion_is_shown_when_time_is_up() -> None:
    def never() -> bool:
        raise AssertionError("one is not more than two")

    with pytest.raises(AssertionError, match="one is not more than two"):
        wait_until(never, timeout=0)


def test_another_error_is_not_waited_out() -> None:
    with pytest.raises(ZeroDivisionError):
        wait_until(lambda: 1 / 0, timeout=60)
