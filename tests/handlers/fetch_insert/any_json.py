"""Any JSON, and the columns that records of it go to."""

from __future__ import annotations

from hypothesis import strategies as st

from job_runner.fetching.copy_text import Column

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


COLUMNS = [Column("a", ("a",), required=True), Column("b", ("b",))]
