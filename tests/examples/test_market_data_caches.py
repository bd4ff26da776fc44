"""The caches of market data: four jobs on Redis and the network's API."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from click.testing import CliRunner

from scheduledjob_operator.cli import main
from tests.examples.system import FOLDER, System
from tests.examples.time_limits import check_timed_out, ending_after
from tests.waiting import wait_until

SYSTEM = "market-data-caches"
PRICES = {
    "BRLC": "0.1834",
    "EURC": "1.0842",
    "KESC": "0.0077",
    "MXNC": "0.0541",
    "NGNC": "0.00065",
    "USDC": "1.0001",
    "XLM": "0.1125",
}
SCHEDULES = {
    "corridor-refresh": "*/5 * * * *",
    "anchor-refresh": "*/10 * * * *",
    "price-feed-update": "*/15 * * * *",
    "cache-cleanup": "0 * * * *",
}


@pytest.fixture
def caches(system: System) -> Iterator[System]:
    """The system with nothing in Redis, and its API without a fault."""
    system.redis("FLUSHALL")
    system.reset_api()
    yield system
    system.clear_faults()


def fill(system: System, **keys: str) -> None:
    system.redis("MSET", *[word for name, value in keys.items() for word in (name.replace("__", ":"), value)])


def keys(system: System, pattern: str = "*") -> list[str]:
    return sorted(system.redis("KEYS", pattern).split())


def prices(system: System) -> dict[str, str]:
    names = keys(system, "price:*")
    values = system.redis("MGET", *names).splitlines() if names else []
    return {name.removeprefix("price:"): value for name, value in zip(names, values, strict=True)}


def calls(system: System, command: str) -> int:
    """How often Redis was asked for a command since it started."""
    for line in system.redis("INFO", "commandstats").split():
        if line.startswith(f"cmdstat_{command}:"):
            return int(line.partition("calls=")[2].partition(",")[0])
    return 0


def in_pairs(words: list[str]) -> dict[str, str]:
    return dict(zip(words[::2], words[1::2], strict=True))


def ending(run: dict[str, Any]) -> tuple[str, int | None]:
    return run["result"], run.get("exitCode")


def test_the_manifests_are_what_the_old_settings_become() -> None:
    done = CliRunner().invoke(main, ("import", "env", str(FOLDER / SYSTEM / "jobs.env")))
    assert done.stdout == (FOLDER / SYSTEM / "scheduledjobs.yaml").read_text()
    assert (done.exit_code, done.stderr) == (0, "")


def test_each_job_has_the_interval_of_the_old_settings(caches: System) -> None:
    found = {name: caches.job(name).status["resolvedSchedule"] for name in SCHEDULES}
    assert found == SCHEDULES


@dataclass(frozen=True)
class Round:
    """The three jobs that fill and empty caches have run at the same time: what was there afterwards."""

    values: dict[str, Any]
    keys: list[str]
    metrics: list[str]
    prices: dict[str, str]
    price_lives_for: int
    requests: list[dict[str, Any]]
    keys_commands: int
    scan_commands: int


def run_round(system: System) -> Round:
    before = {command: calls(system, command) for command in ("keys", "scan")}
    started = {
        "corridor-refresh": system.start("corridor-refresh"),
        "anchor-refresh": system.start("anchor-refresh"),
        "price-feed-update": system.start("price-feed-update", args={"at_once": 3, "time_to_live": 500}),
    }
    runs = {name: system.wait(name, run) for name, run in started.items()}
    assert {ending(run) for run in runs.values()} == {("Succeeded", 0)}, runs
    asked = {command: calls(system, command) - count for command, count in before.items()}
    return Round(
        values={name: run["value"] for name, run in runs.items()},
        keys=keys(system),
        metrics=system.redis("HGETALL", "network:corridor:USD-PHP").split(),
        prices=prices(system),
        price_lives_for=int(system.redis("TTL", "price:XLM")),
        requests=system.requests(),
        keys_commands=asked["keys"],
        scan_commands=asked["scan"],
    )


@pytest.fixture(scope="module")
def rounds(system: System) -> tuple[Round, Round]:
    """The first finds what other programs have in Redis, the second a figure that has changed."""
    system.reset_api()
    system.api_fault(path="/v1/prices", delay_seconds=1)
    fill(system, corridor__list="old", corridor__detail__USD="old", corridors="stays")
    fill(system, anchor__list="old", anchor__detail__A="old", anchors="stays")
    system.redis("HSET", "network:corridor:GONE", "id", "GONE")
    first = run_round(system)
    system.api("PATCH", "/v1/corridors/USD-PHP", {"volumeUsd": 7})
    return first, run_round(system)


def test_corridors_are_taken_over_page_by_page_and_what_was_made_of_them_goes(
    system: System, rounds: tuple[Round, Round]
) -> None:
    first, second = rounds
    assert first.values["corridor-refresh"] == {"corridors": 12, "pages": 3, "gone": 1, "invalidated": 2}
    assert len([key for key in first.keys if key.startswith("network:corridor:")]) == 12
    assert [key for key in first.keys if key.startswith("corridor")] == ["corridors"]
    figures = {"successRate": "0.917", "volumeUsd": "142500", "settlementSeconds": "5"}
    assert in_pairs(first.metrics) == {"id": "USD-PHP", **figures}
    asked = [request["query"] for request in first.requests if request["path"] == "/v1/corridors"]
    assert asked == ["limit=5", "cursor=at-5&limit=5", "cursor=at-10&limit=5"]
    assert second.values["corridor-refresh"] == {"corridors": 12, "pages": 3, "gone": 0, "invalidated": 0}
    assert in_pairs(second.metrics) == {"id": "USD-PHP", **figures, "volumeUsd": "7"}
    assert second.keys == first.keys


def test_anchors_are_dropped_and_nothing_else(rounds: tuple[Round, Round]) -> None:
    first, second = rounds
    assert first.values["anchor-refresh"] == {"invalidated": 2}
    assert [key for key in first.keys if key.startswith("anchor")] == ["anchors"]
    assert second.values["anchor-refresh"] == {"invalidated": 0}


def test_prices_of_mapped_assets_are_warm_for_a_time_and_fetched_some_at_once(
    rounds: tuple[Round, Round],
) -> None:
    for each in rounds:
        assert each.values["price-feed-update"] == {"assets": 7, "updated": 7}
        assert each.prices == PRICES
        assert 400 < each.price_lives_for <= 500
    asked = [request for request in rounds[0].requests if request["path"].startswith("/v1/prices")]
    assert sorted(request["path"] for request in asked) == [f"/v1/prices/{name}" for name in PRICES]
    assert max(request["busy"] for request in asked if request["status"] == 200) in {3, 4}


def test_no_job_walks_all_keys_at_once(rounds: tuple[Round, Round]) -> None:
    assert [(each.keys_commands, each.scan_commands > 1) for each in rounds] == [(0, True), (0, True)]


def test_what_has_expired_or_would_never_is_cleaned_and_reported(caches: System) -> None:
    caches.redis("DEBUG", "SET-ACTIVE-EXPIRE", "0")  # else Redis may be quicker than the job
    fill(caches, price__FOREVER="1", corridor__list="1", settings="stays")
    caches.redis("SET", "price:XLM", "1", "EX", "900")
    caches.redis("SET", "price:OLD", "1", "PX", "1")
    run = caches.run("cache-cleanup")
    caches.redis("DEBUG", "SET-ACTIVE-EXPIRE", "1")
    again = caches.run("cache-cleanup")["value"]
    value = run["value"]
    assert {key: value[key] for key in ("removed", "expired", "keysBefore", "keysAfter")} == {
        "removed": 2,
        "expired": 1,
        "keysBefore": 5,
        "keysAfter": 2,
    }
    assert value["memoryBeforeBytes"] > 500_000
    assert value["memoryAfterBytes"] > 500_000
    assert (again["removed"], again["keysBefore"], again["keysAfter"]) == (0, 2, 2)
    assert keys(caches) == ["price:XLM", "settings"]


def test_an_asset_without_a_price_is_named_and_the_others_are_warm(caches: System) -> None:
    caches.api_fault(path="/v1/prices/EURC", status=404)
    caches.api("PATCH", "/v1/prices/KESC", {"usd": "-1"})
    run = caches.run("price-feed-update")
    assert ending(run) == ("Failed", 75)
    assert run["message"].startswith("TryAgain: 2 of 7 assets have no new price: EURC (")
    assert run["message"].endswith("KESC (the price is not above 0)")
    assert sorted(prices(caches)) == ["BRLC", "MXNC", "NGNC", "USDC", "XLM"]


def test_the_next_attempt_gets_the_prices_that_were_missing(caches: System) -> None:
    job = caches.job("price-feed-update")
    job.patch(retry={"limit": 1, "backoff": {"initial": "1s"}})
    job.wait_ready()
    caches.api_fault(path="/v1/prices/EURC", status=404, times=1)
    run = caches.run("price-feed-update")
    job.patch(retry={"limit": 0, "backoff": None})
    assert ending(run) == ("Succeeded", 0)
    assert [attempt["exitCode"] for attempt in run["attempts"]] == [75, 0]
    assert prices(caches) == PRICES


def test_a_job_that_fails_touches_no_other(caches: System) -> None:
    fill(caches, anchor__list="1", corridor__list="stays")
    with caches.stopped("api"):
        started = {name: caches.start(name) for name in SCHEDULES}
        runs = {name: caches.wait(name, job) for name, job in started.items()}
    assert {name: ending(run) for name, run in runs.items()} == {
        "corridor-refresh": ("Failed", 69),
        "price-feed-update": ("Failed", 69),
        "anchor-refresh": ("Succeeded", 0),
        "cache-cleanup": ("Succeeded", 0),
    }
    assert runs["corridor-refresh"]["message"].startswith("Unavailable: GET api/v1/corridors")
    printed = caches.log(runs["corridor-refresh"])
    assert "Running job 'corridor-refresh'" in printed
    assert "Job 'corridor-refresh' failed: " in printed
    assert "Job 'anchor-refresh' completed successfully" in caches.log(runs["anchor-refresh"])


FAULTS: dict[str, tuple[dict[str, Any], int, str]] = {
    "slow": ({"delay_seconds": 3}, 69, "GET api/v1/corridors"),
    "refusing the token": ({"status": 401}, 78, "GET api/v1/corridors"),
    "asked too often": ({"status": 429, "retry_after": 0}, 75, "GET api/v1/corridors"),
    "gone half-way": ({"cut_after_bytes": 200, "after": 1}, 69, "GET api/v1/corridors"),
    "sending a bad record": ({"replace_item": 7, "with": {"id": "X"}}, 65, "corridor 8 of"),
    "no JSON": ({"body": "<html>", "after": 1}, 65, "the answer is not JSON"),
    "without a list": ({"body": '{"items": 3}'}, 65, "a page has no list of items"),
}


def test_nothing_is_half_written_when_the_network_is(caches: System) -> None:
    fill(caches, corridor__list="stays")
    job = caches.job("corridor-refresh")
    job.patch(concurrencyPolicy="Allow")
    job.wait_ready()
    started: dict[str, str] = {}
    for page_size, (name, (fault, _, _)) in enumerate(FAULTS.items(), start=3):
        caches.api("POST", "/faults", {"path": "/v1/corridors", "query": f"limit={page_size}", **fault})
        patience = 0.4 if name == "slow" else 10.0
        arguments = {"request_timeout": patience, "page_size": page_size}
        started[name] = caches.start("corridor-refresh", args=arguments)
    runs = {name: caches.wait("corridor-refresh", run) for name, run in started.items()}
    job.patch(concurrencyPolicy=None)
    for name, (_, exit_code, told) in FAULTS.items():
        assert ending(runs[name]) == ("Failed", exit_code), name
        assert told in runs[name]["message"], name
    assert keys(caches) == ["corridor:list"]


@pytest.mark.parametrize(
    ("fault", "request_timeout", "exit_code"),
    [
        ({"status": 503, "retry_after": 0}, 10, 69),
        ({"delay_seconds": 5}, 1.5, 69),
        ({"status": 401}, 10, 78),
    ],
    ids=["gone", "slow", "refusing the token"],
)
def test_all_prices_missing_is_a_network_that_is_not_there_or_does_not_know_us(
    fault: dict[str, Any], request_timeout: float, exit_code: int, caches: System
) -> None:
    caches.api_fault(path="/v1/prices", **fault)
    run = caches.run("price-feed-update", args={"at_once": 7, "request_timeout": request_timeout})
    assert ending(run) == ("Failed", exit_code)
    assert "7 of 7 assets have no new price" in run["message"]
    assert prices(caches) == {}


def test_without_redis_every_job_says_so_and_ends(caches: System) -> None:
    with caches.stopped("redis"):
        started = {name: caches.start(name) for name in SCHEDULES}
        runs = {name: caches.wait(name, job) for name, job in started.items()}
    assert {name: ending(run) for name, run in runs.items()} == dict.fromkeys(SCHEDULES, ("Failed", 69))
    assert {run["message"] for run in runs.values()} == {
        "Unavailable: Redis does not answer: no connection with REDIS_URL"
    }


def test_a_run_that_redis_does_not_answer_ends_at_its_timeout(caches: System) -> None:
    with ending_after(caches, "8s", "anchor-refresh"), caches.frozen("redis"):
        run = caches.run("anchor-refresh")
    check_timed_out(caches, {"anchor-refresh": run})


def test_a_redis_that_goes_away_at_work_ends_the_run_and_the_next_one_does_it_all(caches: System) -> None:
    caches.api_fault(path="/v1/prices", delay_seconds=3)
    started = caches.start("price-feed-update", args={"at_once": 1})
    wait_until(lambda: prices(caches), timeout=60, interval=0.5, describe="a price is warm")
    with caches.stopped("redis"):
        run = caches.wait("price-feed-update", started)
    caches.clear_faults()
    assert ending(run) == ("Failed", 69)
    assert run["message"] == "Unavailable: Redis does not answer: no connection with REDIS_URL"
    assert ending(caches.run("price-feed-update")) == ("Succeeded", 0)
    assert prices(caches) == PRICES


def test_a_run_that_is_cancelled_keeps_what_it_has_and_says_how_far_it_came(caches: System) -> None:
    caches.api_fault(path="/v1/prices", after=2, delay_seconds=5)  # it is not done before it is told to end
    started = caches.start("price-feed-update", args={"at_once": 1})
    wait_until(lambda: len(prices(caches)) >= 2, timeout=60, interval=0.5, describe="two prices are warm")
    run = caches.cancel("price-feed-update", started)
    assert ending(run) == ("Cancelled", 143)
    written = prices(caches)
    assert run["value"] == {"assets": 7, "updated": len(written)}
    assert 2 <= len(written) < 7
    assert written.items() <= PRICES.items()


def test_a_handler_file_that_is_broken_stops_no_other(caches: System) -> None:
    caches.add_handlers("anchor-refresh", {"broken.py": "this is no Python"})
    fill(caches, anchor__list="1")
    run = caches.run("anchor-refresh")
    assert (ending(run), run["value"]) == (("Succeeded", 0), {"invalidated": 1})
    assert "broken.py" in caches.log(run)
