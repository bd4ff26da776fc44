"""What the real client makes of refusals and of answers that cannot be read."""

import asyncio
from typing import Any

import pytest

from scheduledjob_operator.cluster import ApiError
from tests.unit.api_calls import NAMED, SEEN, refusal_of
from tests.unit.api_server import Answer, broken_answer, json_answer, serving, text_answer


@pytest.mark.parametrize(
    ("status", "answer", "reason", "message"),
    [
        (403, {"reason": "Forbidden", "message": "no"}, "Forbidden", "no"),
        (409, {"reason": "Conflict", "message": "moved"}, "Conflict", "moved"),
        (422, {"reason": "Invalid", "message": "bad"}, "Invalid", "bad"),
        (500, {}, "Internal Server Error", "Internal Server Error"),
    ],
)
def test_a_refusal_is_in_the_api_servers_words(status: int, answer: Any, reason: str, message: str) -> None:
    error = refusal_of(
        lambda cluster: cluster.patch_status(**SEEN, patch={}), json_answer(answer, status=status)
    )
    assert (error.status, error.reason, error.message) == (status, reason, message)
    assert str(error) == f"{status} {reason}: {message}"


def test_a_refusal_that_is_no_json_is_one_too() -> None:
    error = refusal_of(
        lambda cluster: cluster.patch_status(**SEEN, patch={}), text_answer("<html>", status=502)
    )
    assert (error.status, error.is_refusal) == (502, False)


@pytest.mark.parametrize(
    "answer",
    [broken_answer(), broken_answer('{"kind": '), text_answer("<html>"), text_answer("")],
    ids=["nothing", "half", "no JSON", "empty"],
)
def test_an_answer_that_cannot_be_read_is_no_answer(answer: Answer) -> None:
    error = refusal_of(lambda cluster: cluster.patch_status(**SEEN, patch={}), answer)
    assert (error.status, error.is_refusal) == (0, False)


def test_a_server_that_is_not_there_gives_no_answer() -> None:
    async def main() -> None:
        async with serving(json_answer({})) as (_, cluster):
            cluster._client.configuration.host = "http://127.0.0.1:1"
            await cluster.get("CronJob", **NAMED)

    with pytest.raises(ApiError) as caught:
        asyncio.run(main())
    assert caught.value.status == 0


@pytest.mark.parametrize(
    ("error", "refusal"),
    [
        ((400, ""), True),
        ((403, ""), True),
        ((413, ""), True),
        ((422, ""), True),
        ((500, "failed to create typed patch object (a/b; batch/v1, Kind=CronJob)"), True),
        ((0, ""), False),
        ((401, ""), False),
        ((404, ""), False),
        ((409, ""), False),
        ((410, ""), False),
        ((429, ""), False),
        ((500, ""), False),
        ((503, ""), False),
        ((504, ""), False),
    ],
    ids=str,
)
def test_what_is_no_use_to_try_again_at_once(error: tuple[int, str], refusal: bool) -> None:
    assert ApiError(status=error[0], reason="", message=error[1]).is_refusal is refusal
