"""A backtest of ten years, with one clock that its bars set, writes what the live bot would show."""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.harness.python_programs import run

EXAMPLE = Path(__file__).parents[2] / "examples" / "backtest.py"
BARS, EVERY, QUANTITY, CASH, FEE = 3653, 20, 10, 100_000, 1
FIRST = 1_262_304_000  # 2010-01-01

BOT = """
import csv, os, urllib.request
import otel_trading as ot

class Clock:
    now = 0.0
    def __call__(self):
        return self.now

clock = Clock()
live = os.environ["MODE"] == "live"
where = {"exporters": "prometheus", "prometheus_port": 0} if live else {"exporters": "file", "file_path": "backtest.jsonl"}
breaker_before = ot.CircuitBreaker("data", max_data_age=2 * 86_400)   # made before the clock is known, and follows it
telemetry = ot.configure(
    service_name="bot", trading_mode=os.environ["MODE"], clock=clock, export_interval=3600, system_metrics=False, **where
)
bars = [(float(time), price) for time, price in csv.reader(open("bars.csv"))]
clock.now = bars[0][0]
account = ot.Account("main", currency="USD", cash=100_000, strategy="s", venue="paper", periods_per_year=252)
tracker = ot.OrderTracker(venue="paper", strategy="s", account=account)
breaker = ot.CircuitBreaker("drawdown", account=account, max_drawdown=0.5, max_data_age=86_400)
pulse = ot.heartbeat("bars", timeout=600)

@ot.inference(model="coin", version="1")
def predict(number):
    return "up" if number % 40 == 0 else "down"

@ot.order_execution(venue="paper", strategy="s", account=account, breaker=breaker)
def place_order(symbol, side, quantity, price, order_type="market"):
    trade = {"id": f"t-{clock.now}", "amount": quantity, "price": price, "fee": {"cost": 1, "currency": "USD"}}
    return {"id": f"o-{clock.now}", "symbol": symbol, "side": side, "status": "closed", "amount": quantity,
            "filled": quantity, "average": price, "trades": [trade]}

def by_events(number, side, price):
    key = f"e-{number}"
    tracker.decided(key, symbol="AAPL", side=side, type="market", quantity=10, arrival_price=price)
    tracker.submitted(key)
    clock.now += 1.5
    tracker.acknowledged(key)
    tracker.filled(key, 10, price, execution_id=key, fee=1, fee_currency="USD")

@ot.strategy_cycle("s", every=86_400)
def on_bar(number, price):
    ot.record_market_data("bars", venue="paper", symbol="AAPL")
    pulse.beat()
    account.mark("AAPL", price)
    assert breaker_before.check()
    if number % 20 == 0 and breaker.check():
        side = "buy" if predict(number) == "up" else "sell"
        if number % 60 == 0:
            place_order("AAPL", side, 10, price)
        else:
            by_events(number, side, price)

for number, (time, price) in enumerate(bars):
    clock.now = time
    on_bar(number, float(price))
account.reconcile({symbol: position.size for symbol, position in account.positions.items()})
if live:
    with urllib.request.urlopen(telemetry.endpoint_url) as page, open("live.txt", "wb") as kept:
        kept.write(page.read())
assert telemetry.shutdown(30)
"""

ELAPSED = {"trading.order.duration", "trading.strategy.cycle.duration", "trading.inference.duration"}
"""How long the bot's own code took: real seconds, whatever the bars say."""
LEGS = "trading.order.leg.duration"
Key = tuple[str, frozenset[tuple[str, str]]]


class Bar(NamedTuple):
    time: int
    price: Decimal


@pytest.fixture(scope="module")
def bars() -> list[Bar]:
    chance, price, found = random.Random(7), 10_000, []  # noqa: S311 - prices, no secrets
    for day in range(BARS):
        price = max(1_000, price + chance.randint(-150, 155))
        found.append(Bar(FIRST + day * 86_400, Decimal(price) / 100))
    return found


@pytest.fixture(scope="module")
def ran(bars, tmp_path_factory):
    """What the two runs left: the lines of the file, and the live bot's page."""
    directory = tmp_path_factory.mktemp("backtest")
    with (directory / "bars.csv").open("w", newline="") as file:
        csv.writer(file).writerows(bars)
    for mode in ("backtest", "live"):
        run(directory, BOT, env={"MODE": mode, "PYTHONPATH": os.pathsep.join(sys.path)})
    return (directory / "backtest.jsonl").read_text().splitlines(), (directory / "live.txt").read_text()


def last(lines: list[str]) -> dict[Key, object]:
    """The points of the last document by metric and attributes: a number, or count and sum of a histogram."""
    (resource,) = json.loads(lines[-1])["resourceMetrics"]
    found: dict[Key, object] = {}
    for metric in (metric for scope in resource["scopeMetrics"] for metric in scope["metrics"]):
        for kind in ("gauge", "sum", "histogram"):
            for point in metric.get(kind, {}).get("dataPoints", ()):
                attributes = frozenset(
                    (each["key"], str(next(iter(each["value"].values())))) for each in point.get("attributes", ())
                )
                if kind == "histogram":
                    found[metric["name"], attributes] = int(point["count"]), float(point["sum"])
                else:
                    found[metric["name"], attributes] = float(point["asDouble"] if "asDouble" in point else point["asInt"])
    return found


def shown(page: str) -> dict[Key, float]:
    """The samples of a page of Prometheus, without its buckets."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name.startswith("trading_") and not sample.name.endswith("_bucket")
    }


def total(points: dict[Key, object], metric: str, **attributes: str) -> object:
    wanted = {(f"trading.{key.replace('__', '.')}", value) for key, value in attributes.items()}
    values = [value for (name, labels), value in points.items() if name == metric and wanted <= labels]
    assert values, f"{metric} is in the file"
    return sum(values)


def test_the_file_ends_with_what_the_bars_give_by_hand(bars, ran) -> None:
    """Ten years of ten shares bought and sold in turn, one USD each time: cash, value, drawdown and how long it lasts."""
    cash, size, peak, since, deepest, trades, volume = Decimal(CASH), 0, Decimal(CASH), bars[0].time, Decimal(0), 0, Decimal(0)
    now = 0.0
    for number, bar in enumerate(bars):
        now = float(bar.time)
        moments = [now]
        for moment in moments:
            worth = cash + size * bar.price
            if worth >= peak:
                peak, since = worth, moment
            deepest = max(deepest, 1 - worth / peak)
            if number % EVERY == 0 and len(moments) == 1:
                sign = 1 if number % 40 == 0 else -1
                cash -= sign * QUANTITY * bar.price + FEE
                size += sign * QUANTITY
                trades += 1
                volume += QUANTITY * bar.price
                now += 0 if number % 60 == 0 else 1.5
                moments.append(now)
    points = last(ran[0])
    assert total(points, "trading.portfolio.equity") == float(cash + size * bars[-1].price)
    assert total(points, "trading.portfolio.cash") == float(cash)
    assert total(points, "trading.drawdown.max_ratio") == pytest.approx(float(deepest), rel=1e-12)
    assert total(points, "trading.drawdown.duration") == now - since
    assert total(points, "trading.orders", order__status="filled") == trades
    assert total(points, "trading.fills") == trades
    assert total(points, "trading.volume") == pytest.approx(float(volume), rel=1e-12)
    assert total(points, "trading.fees") == trades * FEE
    assert total(points, "trading.circuit_breaker.open") == 0
    (cycles,) = [value for (name, _), value in points.items() if name == "trading.strategy.cycle.duration"]
    assert cycles[0] == BARS
    legs = {dict(labels)["trading.order.leg"]: value for (name, labels), value in points.items() if name == LEGS}
    told = sum(1 for number in range(0, BARS, EVERY) if number % 60)
    assert legs["submit_ack"] == (told, 1.5 * told), "by the clock of the bars"
    # The last bar trades nothing, so that nothing moves the clock on from it.
    for metric in (
        "strategy.last_cycle.time",
        "heartbeat.last_beat.time",
        "market_data.last_update.time",
        "reconciliation.last_check.time",
    ):
        assert {value for (name, _), value in points.items() if name == f"trading.{metric}"} == {bars[-1].time}, metric


def test_the_file_says_that_it_is_a_backtest(ran) -> None:
    (resource,) = json.loads(ran[0][-1])["resourceMetrics"]
    attributes = {each["key"]: each["value"] for each in resource["resource"]["attributes"]}
    assert attributes["trading.mode"] == {"stringValue": "backtest"}


def test_the_same_events_give_the_live_bot_the_same_metrics(ran) -> None:
    """Every series of the file is on the endpoint of the same bot, and the other way round, with the same value."""
    points, page = last(ran[0]), shown(ran[1])
    names = {name.replace("_", "."): name for name, _ in page}
    seen: set[Key] = set()
    for (metric, attributes), value in points.items():
        if not metric.startswith("trading."):
            continue
        labels = frozenset((key.replace(".", "_"), text) for key, text in attributes)
        dotted = metric.replace("_", ".")
        parts = {"": value} if isinstance(value, float) else {".count": value[0], ".sum": value[1]}
        for part, expected in parts.items():
            # Prometheus' name is that of OpenTelemetry, then the unit, then what kind it is.
            units = ("", ".seconds", ".ratio") if part else ("", ".seconds", ".seconds.total", ".total", ".ratio")
            (key,) = {
                (names[dotted + unit + part], labels)
                for unit in units
                if dotted + unit + part in names and (names[dotted + unit + part], labels) in page
            }
            seen.add(key)
            real = metric in ELAPSED and part == ".sum"
            assert real or page[key] == pytest.approx(expected, rel=1e-12), (key, expected)
    assert seen == {key for key in page if not key[0].endswith("_created")}


SWEEP = """
import otel_trading as ot

@ot.order_execution(venue="paper", strategy="s")
def place_order(symbol, side, quantity, price, order_type="limit"):
    return {"id": f"o-{price}", "symbol": symbol, "type": order_type, "side": side, "status": "closed", "amount": quantity,
            "filled": quantity, "average": price, "trades": [], "fees": [{"cost": 0.5, "currency": "USD"}]}

for number in (1, 2):
    telemetry = ot.configure(
        service_name="bot", clock=lambda: 1_262_304_000.0, exporters="file", file_path=f"run-{number}.jsonl",
        export_interval=3600, system_metrics=False,
    )
    account = ot.Account("main", currency="USD", cash=1_000, venue="paper")
    tracker = ot.OrderTracker(venue="paper", strategy="s", account=account)
    for price in (10.0, 11.0, 12.0):
        place_order("AAPL/USD", "buy", 1.0, price)
        tracker.submitted(f"e-{price}", symbol="AAPL/USD", side="buy", type="limit", quantity=2)
        tracker.filled(f"e-{price}", 1, price, execution_id=f"t-{price}", fee=1)
        tracker.update({"id": f"e-{price}", "status": "closed", "amount": 2, "filled": 2, "average": price})
    tracker.submitted("open", symbol="AAPL/USD", side="sell", type="limit", quantity=1)
    assert telemetry.shutdown(30)
    account.close()
"""


def test_runs_in_one_process_with_the_same_ids_write_the_same(tmp_path) -> None:
    """Each begins at zero: nothing that the first one counted is left out of the second, and nothing is added to it."""
    run(tmp_path, SWEEP, env={"PYTHONPATH": os.pathsep.join(sys.path)})
    first, second = (last((tmp_path / f"run-{number}.jsonl").read_text().splitlines()) for number in (1, 2))
    assert total(first, "trading.orders", order__status="filled") == 6
    assert total(first, "trading.order.submissions") == 7
    assert total(first, "trading.order.active") == 1
    assert total(first, "trading.fills") == 9
    assert total(first, "trading.volume") == 3 * (10 + 11 + 12)
    assert total(first, "trading.fees") == 3 * 0.5 + 3 * 1
    assert {key[0] for key in first if key[0] in ELAPSED} == {"trading.order.duration"}
    for found in (first, second):
        del found["process.uptime", frozenset()]
        for key in [key for key in found if key[0] in ELAPSED]:
            found[key] = found[key][0]  # pyright: ignore[reportIndexIssue]
    assert second == first


def test_the_example_prints_what_its_file_ends_with(tmp_path) -> None:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONWARNINGS": "error"}
    done = subprocess.run(
        [sys.executable, EXAMPLE], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=True
    )
    points = last((tmp_path / "backtest.jsonl").read_text().splitlines())
    equity, drawdown = total(points, "trading.portfolio.equity"), total(points, "trading.drawdown.max_ratio")
    trades = total(points, "trading.trades")
    assert done.stdout.strip() == f"equity {equity:.2f} drawdown {drawdown:.1%} trades {trades:.0f} breaker closed"
    assert trades > 20, "it trades all ten years long"
