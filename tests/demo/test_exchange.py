"""The exchange as the separate program that it is, over its wire, against its own record."""

from __future__ import annotations

import collections
import itertools
import os
import subprocess
import sys
import time
from decimal import Decimal

import pytest
import requests

from otel_trading.demo import errors
from otel_trading.demo.client import VenueClient
from otel_trading.demo.exchange import rules
from otel_trading.demo.exchange.behaviour import Behaviour
from otel_trading.demo.exchange.process import ExchangeProcess

SEED = 3
CALM = dict.fromkeys(Behaviour.__dataclass_fields__, 0.0)


class Venue:
    def __init__(self, *, bars: int = 5, timeout: float = 10.0, pace: float = 0.0, journal=None, **behaviour: float) -> None:
        chosen = Behaviour(**{**CALM, **behaviour})
        self.process = ExchangeProcess(seed=SEED, first=1000, bars=bars, pace=pace, behaviour=chosen, journal=journal)
        self.client = VenueClient(self.process.url, self.process.credentials, timeout=timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.close()
        self.process.stop()


def test_fills_of_the_stream_sum_to_the_positions_cash_and_fees_of_the_record():
    """A customer who believes nothing but the executions arrives at the venue's own account, to the last digit."""
    held, cash, fees, sent = collections.Counter(), Decimal(100_000), Decimal(0), 0
    with Venue(bars=60, split=0.5, shortfall=0.1, partial=0.5, funding=0.001) as venue:
        for kind, data, *_ in venue.client.events():
            if kind in {"funding", "transfer"}:
                cash += data["amount"]
            if kind == "fill":
                sign = 1 if data["side"] == "buy" else -1
                held[data["symbol"]] += sign * data["amount"]
                cash -= sign * data["amount"] * data["price"] + data["fee"]["cost"]
                fees += data["fee"]["cost"]
            if kind == "bar":
                sent += 1
                selling, bid = held[data["symbol"]] > 50, data["close"] - Decimal("0.2")
                terms = ("market", "sell", Decimal(20)) if selling else ("limit", "buy", Decimal(20))
                venue.client.create_order(data["symbol"], *terms, **({} if selling else {"price": bid}))
        record = venue.process.record()

    account = record["account"]
    assert {s: q for s, q in held.items() if q} == {p["symbol"]: Decimal(p["contracts"]) for p in account["positions"]}
    assert cash == Decimal(account["cash"])
    assert fees == Decimal(account["fees"]) - Decimal(account["rebates"])
    assert Decimal(account["rebates"]) > 0
    assert Decimal(account["funding"]) < 0
    assert sent == len(record["orders"]) > 100
    assert record["days"] == 60


def test_unsigned_forged_and_stale_requests_are_turned_away():
    with Venue() as venue:
        own = venue.process.credentials
        address = f"{venue.process.url}/accounts/{own.account}"
        now = int(time.time() * 1000)
        forged = {**own.sign({}, now), "signature": "0" * 64}
        for query, status, code in (
            ({}, 401, "INVALID_SIGNATURE"),
            (forged, 401, "INVALID_SIGNATURE"),
            ({**own.sign({}, now), "amount": "5"}, 401, "INVALID_SIGNATURE"),
            (own.sign({}, now - 60_000), 400, "INVALID_TIMESTAMP"),
        ):
            answer = requests.get(address, params=query, timeout=5)
            assert (answer.status_code, answer.json()["code"]) == (status, code)
        other = requests.get(f"{venue.process.url}/accounts/U0000000", params=own.sign({}, now), timeout=5)
        assert other.status_code == 401
        assert requests.get(address, params=own.sign({}, now), timeout=5).status_code == 200


def test_every_answer_tells_what_is_used_of_its_limit_and_beyond_it_comes_429_with_retry_after():
    with Venue(busy=1.0) as venue:
        own = venue.process.credentials
        address = f"{venue.process.url}/accounts/{own.account}"
        used = [5]  # by the client's own question
        for _ in range(5):
            answer = requests.get(address, params=own.sign({}, int(time.time() * 1000)), timeout=5)
            used.append(int(answer.headers["X-RateLimit-Used"]))
        assert all(now in {before + 5, 5} for before, now in itertools.pairwise(used))  # a minute may have begun
        assert answer.headers["X-RateLimit-Name"] == "request_weight"
        assert int(answer.headers["X-RateLimit-Limit"]) == rules.LIMITS["request_weight"]

        limit = rules.LIMITS["orders"]
        with pytest.raises(errors.VenueError):  # the market is closed: all but one of this limit was used by others
            venue.client.create_order("IBM", "market", "buy", Decimal(1))
        with pytest.raises(errors.RateLimitExceeded) as limited:
            venue.client.create_order("IBM", "market", "buy", Decimal(1))
        assert limited.value.retry_after >= 1
        assert venue.client.rate_limits["orders"] == (limit + 1, limit)
        assert [r["code"] for r in venue.process.record()["refusals"]][1:] == ["RATE_LIMITED"]


def test_a_late_answer_is_a_time_out_for_an_order_that_was_executed():
    with Venue(timeout=1.0, late=1.0, hold=5.0) as venue:
        _first_day(venue)
        with pytest.raises(errors.RequestTimeout):
            venue.client.create_order("IBM", "market", "buy", Decimal(10), client_order_id="a")
        assert venue.client.fetch_order("a")["filled"] == 10
        [lost] = venue.process.record()["unanswered"]
        assert (lost["clientOrderId"], lost["executed"]) == ("a", True)


def test_a_lost_request_is_a_time_out_for_an_order_that_never_was():
    with Venue(timeout=1.0, lost=1.0, hold=5.0) as venue:
        _first_day(venue)
        with pytest.raises(errors.RequestTimeout):
            venue.client.create_order("IBM", "market", "buy", Decimal(10), client_order_id="a")
        with pytest.raises(errors.OrderNotFound):
            venue.client.fetch_order("a")
        [lost] = venue.process.record()["unanswered"]
        assert (lost["clientOrderId"], lost["executed"]) == ("a", False)


def test_what_the_client_raises_never_holds_a_url():
    """Requests puts the whole URL into its messages, and the URL holds the signature."""
    venue = Venue()
    with venue:
        own = venue.process.credentials
    with pytest.raises(errors.NetworkError) as caught:
        venue.client.create_order("IBM", "market", "buy", Decimal(10))

    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert own.key not in str(caught.value)
    assert "http" not in str(caught.value)


@pytest.mark.parametrize(
    ("order", "error"),
    [
        (("IBM", "market", "buy", Decimal("0.001")), errors.InvalidOrder),
        (("IBM", "market", "buy", Decimal(2_600)), errors.InsufficientFunds),
        (("IBM", "market", "sell", Decimal(10)), errors.InsufficientFunds),
        (("IBM", "peg", "buy", Decimal(10)), errors.InvalidOrder),
    ],
)
def test_refusals_are_the_clients_exceptions(order, error):
    with Venue() as venue:
        _first_day(venue)
        with pytest.raises(error):
            venue.client.create_order(*order)


def test_deposits_and_withdrawals_arrive():
    with Venue() as venue:
        venue.client.transfer(Decimal(500))
        assert venue.client.transfer(Decimal("-100.50"))["cash"] == Decimal("100399.50")
        with pytest.raises(errors.InsufficientFunds):
            venue.client.transfer(Decimal(-200_000))
        told = [e["data"] for e in venue.process.record()["events"] if e["type"] == "transfer"]
        assert [(t["id"], t["day"], t["amount"]) for t in told] == [("T000001", -1, "500"), ("T000002", -1, "-100.50")]


def test_the_client_measures_how_far_the_venues_clock_is_ahead():
    with Venue(clock_skew=40.0) as venue:
        assert venue.client.clock_offset == pytest.approx(40.0, abs=1.0)
        assert venue.client.fetch_account()["currency"] == "USD"  # signed with the venue's time, 35 s outside of its window


def test_a_stream_that_breaks_comes_back_and_nothing_is_missed_or_heard_twice():
    with Venue(bars=40, drop=0.5) as venue:
        seen = list(venue.client.events())
        record = venue.process.record()

    states = collections.Counter((data["stream"], data["state"]) for kind, data, *_ in seen if kind == "stream")
    for feed, dropped in record["droppedConnections"].items():
        assert dropped > 2
        assert states[feed, "connected"] == dropped + 1
        assert states[feed, "disconnected"] == dropped
    assert [data["index"] for kind, data, *_ in seen if kind == "day"] == list(range(40))
    times = [event.time for event in seen if event.kind != "stream"]
    assert times == sorted(set(times))


def test_who_comes_back_is_told_the_whole_story_and_goes_on_where_the_venue_is(tmp_path):
    journal = tmp_path / "journal.jsonl"
    with Venue(bars=10, journal=journal) as venue:
        for event in venue.client.events():
            if event.kind == "day" and event.data["index"] == 3:
                venue.client.create_order("IBM", "market", "buy", Decimal(10))
                break
    with Venue(bars=10, journal=journal) as venue:
        assert venue.client.orders_sent == 1
        seen = list(venue.client.events())

    assert [(e.data["index"], e.past) for e in seen if e.kind == "day"] == [(i, i <= 3) for i in range(10)]
    assert [e.data["amount"] for e in seen if e.kind == "fill"] == [10]


def test_the_pace_is_the_least_time_between_two_days():
    with Venue(bars=6, pace=0.1) as venue:
        started = time.monotonic()
        assert sum(kind == "day" for kind, *_ in venue.client.events()) == 6
        assert time.monotonic() - started >= 0.5


def test_the_exchange_ends_with_its_standard_input():
    """Whoever started it may die of kill -9: it does not stay behind."""
    program = subprocess.Popen(
        [sys.executable, "-m", "otel_trading.demo.exchange", "--bars", "1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ,
    )
    with program:
        assert b"http://127.0.0.1:" in program.stdout.readline()
        program.stdin.close()
        assert program.wait(timeout=20) == 0


def _first_day(venue: Venue) -> None:
    """Let the first trading day be played: without prices there is no market."""
    for kind, *_ in venue.client.events():
        if kind == "day":
            return
