"""Spans: only while traces are on, with what is too much for a metric, and without a word of an exception's message."""
# ruff: noqa: ARG001 - what a function here does with its arguments is not the point: the decorator reads them

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from otel_trading import tracing
from otel_trading.decorators import inference, order_execution, strategy_cycle, timed

pytestmark = pytest.mark.usefixtures("no_faults")


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.provider.delegate = provider
    yield exporter
    tracing.provider.delegate = None
    provider.shutdown()


def only(spans: InMemorySpanExporter) -> ReadableSpan:
    (span,) = spans.get_finished_spans()
    return span


@order_execution(venue="kraken", strategy="s")
def place_order(symbol, side, quantity, price=None, client_order_id=None, time_in_force=None, short_sale=None):
    assert trace.get_current_span().is_recording()
    if side == "fail":
        raise TimeoutError("POST https://api.example/order?signature=secret")
    return {"id": "OQ-1", "status": "open", "amount": quantity, "filled": 1, "average": 99.5}


def test_span_of_an_order_carries_what_a_metric_must_not(spans) -> None:
    place_order("BTC/USDT", "buy", 2, price="100", client_order_id="c-1", time_in_force="GTC", short_sale=False)
    span = only(spans)
    assert (span.name, span.kind, span.status.status_code) == ("submit kraken", SpanKind.CLIENT, StatusCode.UNSET)
    assert dict(span.attributes) == {
        "trading.venue.name": "kraken",
        "trading.order.operation": "submit",
        "trading.strategy.name": "s",
        "trading.instrument.symbol": "BTC/USDT",
        "trading.order.side": "buy",
        "trading.order.type": "limit",
        "trading.order.client_id": "c-1",
        "trading.order.quantity": 2.0,
        "trading.order.price": 100.0,
        "trading.order.time_in_force": "gtc",
        "trading.order.short_sale": False,
        "trading.order.status": "partially_filled",
        "trading.order.id": "OQ-1",
        "trading.order.filled_quantity": 1.0,
        "trading.order.average_price": 99.5,
    }


def test_failed_span_says_the_kind_of_failure_and_nothing_of_the_message(spans) -> None:
    with pytest.raises(TimeoutError):
        place_order("BTC/USDT", "fail", 2)
    span = only(spans)
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["error.type"] == "timeout"
    assert span.attributes["trading.order.status"] == "unknown"
    assert "secret" not in span.to_json()


def test_span_of_a_call_is_the_parent_of_what_it_calls(spans) -> None:
    @inference(model="m", version="1")
    async def predict(symbol: str) -> str:
        await asyncio.sleep(0)
        with tracing.tracer.start_as_current_span(symbol):
            return "up"

    @strategy_cycle("cycle")
    async def on_bar() -> None:
        await predict("BTC/USDT")

    asyncio.run(on_bar())
    inner, middle, outer = spans.get_finished_spans()
    assert [span.name for span in (inner, middle, outer)] == ["BTC/USDT", "inference m", "cycle cycle"]
    assert inner.parent.span_id == middle.context.span_id
    assert middle.parent.span_id == outer.context.span_id
    assert dict(middle.attributes) == {
        "trading.model.name": "m",
        "trading.model.version": "1",
        "trading.instrument.symbol": "BTC/USDT",
    }
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_generators_leave_the_callers_context_alone(spans) -> None:
    """Between two items the caller runs, in the same context: nothing that it starts is a child of the generator's span."""

    @strategy_cycle("stepwise")
    def steps():
        yield trace.get_current_span()

    @inference(model="stepwise")
    async def async_steps():
        yield trace.get_current_span()

    async def main() -> list[object]:
        return [item async for item in async_steps()]

    assert [*steps(), *asyncio.run(main())] == [trace.INVALID_SPAN] * 2
    assert [span.name for span in spans.get_finished_spans()] == ["cycle stepwise", "inference stepwise"]


def test_blocks_have_spans_too(spans) -> None:
    with strategy_cycle.track("block"):
        assert trace.get_current_span().is_recording()
    with order_execution.track(venue="kraken", operation="cancel", order_id="7"), timed.track("block.duration"):
        pass
    cycle, order = spans.get_finished_spans()
    assert (cycle.name, order.name) == ("cycle block", "cancel kraken")
    assert order.attributes["trading.order.id"] == "7"


def test_no_span_without_traces(recorded) -> None:
    with strategy_cycle.track("dark"):
        assert trace.get_current_span() is trace.INVALID_SPAN
    assert recorded.one("strategy.cycle.duration", strategy="dark")[0] == 1
