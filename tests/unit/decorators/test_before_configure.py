"""Decorators are applied when a module is imported, before anything is configured: they record from `configure()` on."""

from __future__ import annotations

import asyncio

import pytest

from otel_trading.decorators import inference, order_execution, strategy_cycle, timed
from otel_trading.metrics import catalog
from otel_trading.semconv.attributes import STRATEGY_NAME
from tests.routes import ROUTES, attached

# Here, when the module is imported, nothing is attached.


@order_execution(venue="kraken")
def place_order(symbol: str, side: str) -> str:
    return symbol + side


@inference(model="before")
def predict(up: bool) -> str:
    return "up" if up else "down"


@inference(model="before with a symbol")
def predict_symbol(symbol: str) -> float:
    return float(len(symbol))


@strategy_cycle("before", every=60)
async def on_bar() -> None:
    await asyncio.sleep(0)


@timed("before.duration")
def load(path: str) -> str:
    return path


@timed("before.by_arguments.duration", attributes=lambda path: {"path": path})
def load_all(path: str):
    yield path


METRICS = {
    "trading.order.duration",
    "trading.order.submissions",
    "trading.inference.duration",
    "trading.predictions",
    "trading.prediction.score",
    "trading.strategy.cycle.duration",
    "trading.strategy.cycle.interval",
    "trading.strategy.last_cycle.time",
    "before.duration",
    "before.by_arguments.duration",
}


def call_all() -> None:
    place_order("BTC/USD", "buy")
    predict(True)
    predict_symbol("BTC/USD")
    asyncio.run(on_bar())
    load("a")
    assert list(load_all("a")) == ["a"]


def counted(reader) -> dict[str, list[float]]:
    """How often each of our metrics was recorded (the value, for gauges); other strategies' gauges keep what they were set to."""
    data = reader.get_metrics_data()
    found = {
        metric.name: [
            getattr(point, "count", None) or point.value
            for point in metric.data.data_points
            if point.attributes.get(STRATEGY_NAME, "before") == "before"
        ]
        for resource in (data.resource_metrics if data else ())
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name in METRICS
    }
    return {name: values for name, values in found.items() if values}


@pytest.mark.parametrize("route", ROUTES)
def test_what_was_decorated_before_records_from_then_on(route) -> None:
    """Nothing of the calls of before; each of those after, exactly; and again when another pipeline takes over."""
    catalog.attach("idle")
    call_all()
    for calls in (1, 3):
        with attached(route) as (reader,):
            for _ in range(calls):
                call_all()
            found = counted(reader)
        call_all()  # shut down: nowhere
        assert found.keys() == METRICS
        del found["trading.strategy.last_cycle.time"]
        assert found.pop("trading.strategy.cycle.interval") == [60.0]
        assert {name: sum(values) for name, values in found.items()} == {
            name: calls * (2 if name == "trading.inference.duration" else 1) for name in found
        }
