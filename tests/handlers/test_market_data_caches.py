"""The handlers of the market-data caches, each as a process of its own on real servers of this machine."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.cluster.paths import CHECKOUT
from tests.runner.process import Ended, Runner
from tests.servers.redis_server import RedisServer
from tests.servers.sample_api import SampleApi

FOLDER = CHECKOUT / "examples" / "market-data-caches"
ASSETS = [{"id": "XLM", "mapped": True}, {"id": "EURC", "mapped": True}, {"id": "OLD", "mapped": False}]
CORRIDOR = {"id": "A-B", "successRate": 0.9, "volumeUsd": 7, "settlementSeconds": 4}


@dataclass(frozen=True)
class Caches:
    runner: Runner
    api: SampleApi
    redis_url: str
    client: redis.Redis

    def run(self, handler: str, **arguments: Any) -> Ended:
        env = {
            "SCHEDULEDJOB_HANDLERS_PATH": str(FOLDER / "handlers"),
            "REDIS_URL": self.redis_url,
            "API_URL": self.api.url,
        }
        return self.runner.run("run", handler, "--args", json.dumps(arguments), env=env)

    def error(self, handler: str, **arguments: Any) -> tuple[int, str]:
        """Exit code and text of a run that fails."""
        ended = self.run(handler, **arguments)
        assert ended.message is not None
        return ended.exit_code, ended.message["error"]["message"]


@pytest.fixture
def caches(
    tmp_path: Path, sample_api: SampleApi, redis_server: RedisServer, redis_url: str
) -> Iterator[Caches]:
    prices = [{"id": "XLM", "usd": "0.11"}, {"id": "EURC", "usd": 1.08}]
    sample_api.serve(assets=ASSETS, prices=prices, corridors=[CORRIDOR])
    runner = Runner(tmp_path)
    with redis_server.client() as client:
        yield Caches(runner, sample_api, redis_url, client)
    runner.close()


def test_a_price_may_be_a_text_or_a_number(caches: Caches) -> None:
    assert caches.run("price-feed-update").exit_code == 0
    assert caches.client.mget("price:XLM", "price:EURC") == ["0.11", "1.08"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"id": "EURC"}, "the answer has no price in usd"),
        ({"usd": "much"}, "the answer has no price in usd"),
        ({"usd": None}, "the answer has no price in usd"),
        (["usd"], "the answer has no price in usd"),
        ({"usd": "NaN"}, "the price is not above 0"),
        ({"usd": "Infinity"}, "the price is not above 0"),
        ({"usd": 0}, "the price is not above 0"),
        ({"usd": -1}, "the price is not above 0"),
    ],
)
def test_what_is_no_price_is_named_and_the_old_one_stays(answer: object, reason: str, caches: Caches) -> None:
    caches.client.set("price:EURC", "1.07")
    caches.api.fail(path="/v1/prices/EURC", body=json.dumps(answer))
    assert caches.error("price-feed-update") == (75, f"1 of 2 assets have no new price: EURC ({reason})")
    assert caches.client.mget("price:XLM", "price:EURC") == ["0.11", "1.07"]


@pytest.mark.parametrize("bad", [{"mapped": True}, {"id": 5, "mapped": True}, "XLM", None])
def test_an_asset_without_a_name_is_found_before_anything_is_written(bad: object, caches: Caches) -> None:
    caches.api.fail(path="/v1/assets", replace_item=1, replacement=bad)
    assert caches.error("price-feed-update") == (65, "asset 2 of /v1/assets has no id")
    assert caches.client.dbsize() == 0


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ({**CORRIDOR, "id": 7}, "corridor 1 of /v1/corridors has no id"),
        (None, "corridor 1 of /v1/corridors has no id"),
        ({**CORRIDOR, "volumeUsd": "7"}, "corridor 1 of /v1/corridors: volumeUsd is not a number"),
        ({**CORRIDOR, "successRate": True}, "corridor 1 of /v1/corridors: successRate is not a number"),
        ({"id": "A-B"}, "corridor 1 of /v1/corridors: successRate is not a number"),
    ],
)
def test_a_corridor_that_is_not_what_was_promised_is_named(
    bad: object, sentence: str, caches: Caches
) -> None:
    caches.api.fail(path="/v1/corridors", replace_item=0, replacement=bad)
    assert caches.error("corridor-refresh") == (65, sentence)
    assert caches.client.dbsize() == 0


def test_no_corridor_at_all_leaves_none(caches: Caches) -> None:
    caches.api.serve(corridors=[])
    caches.client.hset("network:corridor:OLD", "id", "OLD")
    ended = caches.run("corridor-refresh")
    assert ended.message is not None
    assert ended.message["value"] == {"corridors": 0, "pages": 1, "gone": 1, "invalidated": 0}
    assert caches.client.dbsize() == 0
