"""The handlers of the market-data caches on real servers of this machine."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml

from job_runner.testing import Outcome, run_handler
from tests.cluster.paths import CHECKOUT
from tests.handlers.loading import function_of
from tests.runner.process import Runner, Running
from tests.servers.redis_server import RedisServer
from tests.servers.sample_api import SampleApi
from tests.waiting import wait_until

FOLDER = CHECKOUT / "examples" / "market-data-caches"
ASSETS = [{"id": "XLM", "mapped": True}, {"id": "EURC", "mapped": True}, {"id": "OLD", "mapped": False}]
CLEAN_UP = {"patterns": ["price:*", "corridor:*", "anchor:*"], "without_ttl": True}
CORRIDOR = {"id": "A-B", "successRate": 0.9, "volumeUsd": 7, "settlementSeconds": 4}


@dataclass(frozen=True)
class Caches:
    runner: Runner
    api: SampleApi
    redis_url: str
    client: redis.Redis

    @property
    def addresses(self) -> dict[str, str]:
        """The variables that the handlers read."""
        return {"REDIS_URL": self.redis_url, "API_URL": self.api.url}

    def start(self, handler: str, **arguments: Any) -> Running:
        """Start a handler in a process of its own."""
        env = {"SCHEDULEDJOB_HANDLERS_PATH": str(FOLDER / "handlers"), **self.addresses}
        return self.runner.start("run", handler, "--args", json.dumps(arguments), env=env)

    def run(self, handler: str, **arguments: Any) -> Outcome:
        """Run a handler of the example in this process."""
        function = function_of(FOLDER / "handlers" / f"{handler.replace('-', '_')}.py")
        with pytest.MonkeyPatch.context() as variables:
            for name, value in self.addresses.items():
                variables.setenv(name, value)
            return run_handler(function, args=arguments)

    def error(self, handler: str, **arguments: Any) -> tuple[int, str]:
        """Exit code and text of a run that fails."""
        ended = self.run(handler, **arguments)
        assert ended.error is not None
        return ended.exit_code, ended.error.message


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


@pytest.mark.parametrize("figure", ["NaN", "Infinity", "1e999"])
def test_a_figure_that_is_no_finite_number_is_named(figure: str, caches: Caches) -> None:
    item = f'{{"id": "A-B", "successRate": 0.9, "volumeUsd": {figure}, "settlementSeconds": 1}}'
    caches.api.fail(path="/v1/corridors", body=f'{{"items": [{item}]}}')
    says = "corridor 1 of /v1/corridors: volumeUsd is not a number"
    assert caches.error("corridor-refresh") == (65, says)
    assert caches.client.dbsize() == 0


def test_an_empty_list_where_there_were_some_is_taken_for_a_mistake(caches: Caches) -> None:
    caches.api.serve(corridors=[])
    caches.client.hset("network:corridor:OLD", "id", "OLD")
    caches.client.set("corridor:list", "OLD")
    says = "the network lists no corridor at all: nothing is changed; allow_none lets all go"
    assert caches.error("corridor-refresh") == (65, says)
    assert sorted(caches.client.scan_iter()) == ["corridor:list", "network:corridor:OLD"]


def test_where_there_were_none_there_may_be_none(caches: Caches) -> None:
    caches.api.serve(corridors=[])
    assert caches.run("corridor-refresh").exit_code == 0


def test_no_corridor_at_all_leaves_none_where_that_is_allowed(caches: Caches) -> None:
    caches.api.serve(corridors=[])
    caches.client.hset("network:corridor:OLD", "id", "OLD")
    ended = caches.run("corridor-refresh", allow_none=True)
    assert ended.termination_message["value"] == {"corridors": 0, "pages": 1, "gone": 1, "invalidated": 0}
    assert caches.client.dbsize() == 0


@pytest.mark.parametrize(
    ("following", "says"),
    [
        (7, "next of a page is no address of the next one"),
        ("http://elsewhere.example/v1/corridors?limit=5", "next of a page is no address of the next one"),
        ("/v1/corridors?limit=5", "page 1 leads on to one more, or to one before, without an end"),
        ("/v1/corridors?cursor=2", "page 2 leads on to one more, or to one before, without an end"),
    ],
    ids=str,
)
def test_pages_that_lead_elsewhere_or_in_a_circle_end_the_run(
    following: object, says: str, caches: Caches
) -> None:
    caches.api.fail(path="/v1/corridors", body=json.dumps({"items": [], "next": following}))
    assert caches.error("corridor-refresh") == (65, f"/v1/corridors: {says}")


@pytest.mark.parametrize(
    ("handler", "arguments", "says"),
    [
        ("price-feed-update", {"at_once": 0}, "at_once is 1 to 64"),
        ("price-feed-update", {"time_to_live": -1}, "time_to_live is 1 to 604800"),
        ("price-feed-update", {"request_timeout": 0}, "request_timeout is 0.01 to 120"),
        ("corridor-refresh", {"page_size": 0}, "page_size is 1 to 1000"),
        ("corridor-refresh", {"page_size": -1}, "page_size is 1 to 1000"),
    ],
)
def test_arguments_that_make_no_sense_are_refused_before_anybody_is_asked(
    handler: str, arguments: dict[str, Any], says: str, caches: Caches
) -> None:
    assert caches.error(handler, **arguments) == (65, says)
    assert (caches.api.requests(), caches.client.dbsize()) == ([], 0)


def test_a_network_that_does_not_know_us_is_a_matter_of_configuration(caches: Caches) -> None:
    caches.api.fail(path="/v1/prices", status=401)
    code, says = caches.error("price-feed-update")
    assert (code, says[:37]) == (78, "2 of 2 assets have no new price: EURC")


def test_prices_that_come_too_late_are_named_and_the_others_are_warm(caches: Caches) -> None:
    caches.api.fail(path="/v1/prices/EURC", delay_seconds=2)
    code, says = caches.error("price-feed-update", request_timeout=0.5)
    assert code == 75
    assert says.endswith("/v1/prices/EURC: no answer in time (3 attempts))")
    assert caches.client.get("price:XLM") == "0.11"


def test_a_redis_that_goes_away_at_work_is_unavailable_and_the_next_run_does_it_all(
    caches: Caches, redis_server: RedisServer
) -> None:
    caches.api.fail(path="/v1/prices/EURC", delay_seconds=2)
    running = caches.start("price-feed-update")
    wait_until(lambda: caches.client.exists("price:XLM"), describe="the first price is warm")
    with redis_server.stopped():
        ended = running.end()
    assert ended.message is not None
    says = "Redis does not answer: no connection with REDIS_URL"
    assert (ended.exit_code, ended.message["error"]["message"]) == (69, says)
    caches.api.clear_faults()
    assert caches.start("price-feed-update").end().exit_code == 0
    assert caches.client.mget("price:XLM", "price:EURC") == ["0.11", "1.08"]


@pytest.mark.parametrize("handler", ["anchor-refresh", "corridor-refresh", "price-feed-update"])
def test_a_redis_that_refuses_the_password_is_a_matter_of_configuration(handler: str, caches: Caches) -> None:
    wrong = caches.redis_url.replace("sesame", "guess")
    code, says = replace(caches, redis_url=wrong).error(handler)
    assert (code, says) == (
        78,
        "Redis refuses the connection: the user or the password of REDIS_URL is wrong",
    )


def test_a_second_clean_up_finds_nothing(caches: Caches) -> None:
    caches.client.mset({"price:OLD": "1", "settings": "stays"})
    found = []
    for _ in range(2):
        ended = caches.start("redis_cleanup", **CLEAN_UP).end()
        assert ended.message is not None
        value = ended.message["value"]
        found.append((value["removed"], value["keysBefore"], value["keysAfter"]))
    assert found == [(1, 2, 1), (0, 1, 1)]


def test_every_job_is_tried_again_within_its_interval_and_has_its_limits() -> None:
    bodies = yaml.safe_load_all((FOLDER / "kustomization.yaml").read_text())
    (patches,) = [body["patches"] for body in bodies]
    everywhere = {each["path"]: each["value"] for each in yaml.safe_load(patches[0]["patch"])}
    assert patches[0]["target"] == {"kind": "ScheduledJob"}
    assert everywhere["/spec/retry"]["limit"] == 2
    assert everywhere["/spec/resources"]["limits"] == {"memory": "128Mi"}
    (args,) = [
        each["value"]
        for patch in patches
        for each in yaml.safe_load(patch["patch"])
        if each["path"] == "/spec/args"
    ]
    assert args == CLEAN_UP
