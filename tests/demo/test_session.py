"""The bot, the venue's client and the exchange together, in this process."""

from __future__ import annotations

import importlib
import json
import math
import sys
import threading
from dataclasses import replace
from decimal import Decimal

import pytest

import otel_trading as ot
from otel_trading import demo
from otel_trading.demo import prices, wire
from otel_trading.demo.client import Event
from otel_trading.demo.exchange.behaviour import Behaviour
from otel_trading.demo.session import TRAINING_DAYS, Plan, Session
from otel_trading.orders import seen
from tests.demo import ledger_of_record
from tests.demo.program import total
from tests.demo.test_engine import opened, order
from tests.harness import scrape


@pytest.fixture(scope="module")
def days():
    return prices.load()


@pytest.fixture
def fresh_bot(monkeypatch):
    """The bot's account lives as long as its module: each run gets a new one, and each venue begins with the same ids."""
    seen.clear()
    monkeypatch.delitem(sys.modules, "otel_trading.demo.bot", raising=False)
    monkeypatch.delattr(demo, "bot", raising=False)
    bot = importlib.import_module("otel_trading.demo.bot")
    yield bot
    bot.breaker.close()
    bot.account.close()


@pytest.mark.usefixtures("fresh_bot")
def test_the_bots_books_are_the_venues_to_the_last_digit(days):
    with Session(Plan(bars=80, speed=math.inf, seed=12), days) as session:
        session.run()
        truth = session.record()["account"]

    account = session.account
    assert account.cash == Decimal(truth["cash"])
    assert account.equity == Decimal(truth["equity"])
    assert {s: p.size for s, p in account.positions.items()} == {
        p["symbol"]: Decimal(p["contracts"]) for p in truth["positions"]
    }
    assert account.fees == Decimal(truth["fees"]) - Decimal(truth["rebates"])
    assert session.client.days == 80
    assert session.client.time == days[TRAINING_DAYS + 79].time


def test_an_order_that_is_not_answered_is_unresolved_until_the_stream_or_the_venue_tells(days, fresh_bot, monkeypatch):
    """Whether it was executed or never arrived."""
    waiting = []
    monkeypatch.setattr(ot, "record_venue_error", lambda *_: waiting.append(fresh_bot.tracker.unresolved))
    with ot.configure(exporters="none"), Session(Plan(bars=200, speed=math.inf, seed=6), days) as session:
        session.run()
        lost = session.record()["unanswered"]

        assert {order["executed"] for order in lost} == {True, False}
        assert waiting == [1] * len(lost)
        assert fresh_bot.tracker.unresolved == 0
        assert fresh_bot.tracker.active == sum(map(len, session.client.open_orders())) > 0


@pytest.mark.usefixtures("fresh_bot")
def test_the_bot_never_sells_what_it_does_not_have_and_always_protects_what_it_holds(days):
    with Session(Plan(bars=120, speed=math.inf, seed=5), days) as session:
        session.run()
        record = session.record()

    stops = [o for o in record["orders"] if o["type"] == "stop_market"]
    assert stops
    assert all(Decimal(stop["triggerPrice"]) > 0 and stop["side"] == "sell" for stop in stops)
    held: dict[str, Decimal] = {}
    for trade in sorted((t for o in record["orders"] for t in o["trades"]), key=lambda t: t["id"]):
        sign = 1 if trade["side"] == "buy" else -1
        held[trade["symbol"]] = held.get(trade["symbol"], Decimal(0)) + sign * Decimal(trade["amount"])
        assert held[trade["symbol"]] >= 0


@pytest.mark.usefixtures("fresh_bot")
def test_the_books_get_the_fills_in_the_venues_order_also_when_they_cross_a_cancel(days, monkeypatch):
    """A bot that traded on before it knew of such a fill would close a trade that the venue's order of fills does not have."""
    monkeypatch.setattr(Plan, "behaviour", lambda _: Behaviour(latency=0.0002, crossed=1.0, partial=1.0, late=0.0, lost=0.0))
    with Session(Plan(bars=160, speed=math.inf, seed=3), days) as session:
        session.run()
        record = session.record()

    crossed = [o for o in record["orders"] if o["side"] == "buy" and len(o["trades"]) > 1 and o["status"] == "closed"]
    assert crossed
    fills = [event["data"] for event in record["events"] if event["type"] == "fill"]
    assert session.account.dump()["executions"] == [f"{fill['symbol']}|{fill['id']}" for fill in fills]


def test_a_fill_that_is_recalled_counts_once_with_what_comes_of_its_order_afterwards(fresh_bot):
    """The bot was killed between two fills of an order, before its ledger had the first one."""
    engine = opened("100 100 100 100", "99 101 94 100", "99 101 94 100", partial=1.0)
    resting = engine.place(order(price="95"))
    engine.advance()
    engine.advance()
    told = wire.decode(json.dumps(engine.events))
    first, second = (Event("fill", event["data"], event["time"] / 1000, True) for event in told if event["type"] == "fill")

    bot = fresh_bot.Bot(None, None, {})
    bot.recall(first, None)
    bot.on_fill(second.data)
    bot.on_order(wire.decode(json.dumps(resting.to_wire())))

    assert first.data["amount"] + second.data["amount"] == resting.filled
    assert fresh_bot.account.positions["IBM"].size == resting.filled


def test_the_model_is_trained_before_the_first_day_that_is_traded(days, fresh_bot):
    with Session(Plan(bars=1, speed=math.inf, seed=1), days) as session:
        assert session.first is days[TRAINING_DAYS]
        assert session.last is session.first
        assert session.model.samples < TRAINING_DAYS * 3
        assert 0.4 < session.model.test_accuracy < 0.6
    assert fresh_bot.Bot.predict.__name__ == "predict"


@pytest.mark.usefixtures("fresh_bot")
def test_the_next_round_has_a_new_account_and_books_as_true(days, tmp_path, monkeypatch):
    """Nothing of the round before it is left, in the account nor in what the SDK remembers of orders and fills."""
    monkeypatch.setenv("BOT_STATE", "")  # what the sessions set ends with the test
    plan, fills, before = Plan(bars=60, speed=math.inf, seed=12, state=tmp_path), 0, set(threading.enumerate())
    with ot.configure(exporters="prometheus", prometheus_port=0) as telemetry:
        for _ in range(2):
            (plan.folder or tmp_path).mkdir(exist_ok=True)
            with Session(plan, days, again=True) as session:
                session.run()
                truth = session.record()
                fills += sum(event["type"] == "fill" for event in truth["events"])
                assert session.account.equity == Decimal(truth["account"]["equity"])
                assert session.account.trades.count == ledger_of_record.read(truth).outcomes.total()
                assert total(scrape(telemetry.endpoint_url), "trading_fills_total") == fills > 0
                session.retire()
            plan = replace(plan.following(), speed=math.inf)
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.db")) == [
        "account.db",
        "round-2/account.db",
    ]
    left = set(threading.enumerate()) - before
    assert "otel-trading-ledger" not in {thread.name for thread in left}, "the ledgers are closed"


def test_a_stopped_demo_goes_on_with_the_last_round_of_which_there_is_a_state(tmp_path):
    plan = Plan(bars=60, speed=10, seed=12, state=tmp_path)
    assert plan.resumed() == plan
    (tmp_path / "round-2").mkdir()
    (tmp_path / "round-3").mkdir()
    last = plan.resumed()
    assert (last.round, last.folder, last.seed, last.speed) == (3, tmp_path / "round-3", 14, 1.0)
    assert replace(plan, state=None).resumed().round == 1
