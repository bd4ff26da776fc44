"""Which page comes next, from values only."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job_runner.errors import DataError
from job_runner.fetching.flaws import NotAsPromised
from job_runner.fetching.paging import paging_from, with_parameter

URL = "https://api.example/v1/tokens?limit=2&cursor=a"


@pytest.mark.parametrize(
    ("paging", "page", "count", "following"),
    [
        (None, {"next": "/b"}, 2, None),
        ({"link": "next"}, {"next": "/v1/tokens?cursor=b"}, 2, "https://api.example/v1/tokens?cursor=b"),
        ({"link": "next"}, {"next": "?cursor=b"}, 2, "https://api.example/v1/tokens?cursor=b"),
        ({"link": "next"}, {"next": "https://api.example/x"}, 0, "https://api.example/x"),
        ({"link": "links.next"}, {"links": {"next": None}}, 2, None),
        ({"link": "links.next"}, {"links": []}, 2, None),
        ({"link": "next"}, [], 2, None),
        ({"cursor": "after", "parameter": "cursor"}, {"after": "b c"}, 2, URL[:-1] + "b+c"),
        ({"cursor": "after", "parameter": "cursor"}, {"after": 7}, 2, URL[:-1] + "7"),
        ({"cursor": "after", "parameter": "from"}, {"after": "b"}, 2, URL + "&from=b"),
        ({"cursor": "after", "parameter": "cursor"}, {"after": ""}, 2, None),
    ],
)
def test_a_page_leads_to_the_next(paging: Any, page: Any, count: int, following: str | None) -> None:
    assert paging_from(paging).following(URL, page, count) == following


def test_pages_and_offsets_are_counted_until_a_page_is_empty() -> None:
    by_number, by_offset = paging_from({"page": "p", "first": 0}), paging_from({"offset": "skip"})
    first = by_number.first("http://a/?x=1")
    assert first == "http://a/?x=1&p=0"
    assert by_number.following(first, [], 3) == "http://a/?x=1&p=1"
    assert by_number.following(first, [], 0) is None
    first = by_offset.first("http://a/")
    assert first == "http://a/?skip=0"
    second = by_offset.following(first, [], 3)
    assert second == "http://a/?skip=3"
    assert by_offset.following(second, [], 2) == "http://a/?skip=5"
    assert by_offset.following(second, [], 0) is None


@pytest.mark.parametrize(
    ("url", "next_page", "following"),
    [
        ("https://u:p@api.example/a", "https://api.example/b", "https://u:p@api.example/b"),
        ("https://u:p@api.example/a", "/b", "https://u:p@api.example/b"),
        ("https://api.example/a", "HTTPS://API.Example:443/b", "https://api.example/b"),
        ("http://api.example:80/a", "http://api.example/b", "http://api.example:80/b"),
    ],
)
def test_a_server_is_the_same_however_it_is_written(url: str, next_page: str, following: str) -> None:
    assert paging_from({"link": "next"}).following(url, {"next": next_page}, 1) == following


@pytest.mark.parametrize(
    ("query", "changed"),
    [
        ("sig=a%E9b&flag&x=a+b;c", "sig=a%E9b&flag&x=a+b;c&p=1"),
        ("p=7&q=%20&%70=8", "q=%20&p=1"),
        ("", "p=1"),
    ],
)
def test_the_other_parameters_stay_as_they_are_written(query: str, changed: str) -> None:
    assert with_parameter(f"http://a/b?{query}", "p", 1) == f"http://a/b?{changed}"


@pytest.mark.parametrize(
    "next_page",
    [
        "https://other.example/",
        "http://api.example/",
        "//other.example/x",
        "https://api.example:444/",
        7,
        "http://[",
    ],
)
def test_a_link_never_leads_to_another_server(next_page: object) -> None:
    with pytest.raises(NotAsPromised, match="link to the next page"):
        paging_from({"link": "next"}).following(URL, {"next": next_page}, 1)


@pytest.mark.parametrize("cursor", [True, 1.5, [], {"a": 1}])
def test_a_cursor_is_a_text_or_a_whole_number(cursor: object) -> None:
    with pytest.raises(NotAsPromised, match="cursor"):
        paging_from({"cursor": "c", "parameter": "c"}).following(URL, {"c": cursor}, 1)


@pytest.mark.parametrize(
    "wanted",
    [
        *({}, {"links": "next"}, {"link": ""}, {"link": "a..b"}, {"link": 1}, {"link": "a", "first": 1}),
        *(
            {"cursor": "a"},
            {"page": "p", "first": "1"},
            {"page": "p", "first": True},
            {"offset": ""},
            {"offset": "o", "page": "p"},
        ),
    ],
)
def test_a_paging_that_is_not_known_is_refused_with_what_to_write(wanted: dict[str, Any]) -> None:
    with pytest.raises(DataError):
        paging_from(wanted)


@given(st.dictionaries(st.text(min_size=1), st.text()), st.text(min_size=1), st.text())
def test_a_parameter_is_set_once_whatever_it_is(others: dict[str, str], name: str, value: str) -> None:
    if any("\ud800" <= letter <= "\udfff" for letter in "".join([*others, *others.values(), name, value])):
        return
    url = with_parameter(f"http://a/b?{urlencode(others)}", name, value)
    assert dict(parse_qsl(urlsplit(url).query, keep_blank_values=True)) == {**others, name: value}
