"""The figures of orders that have not ended, read at each collection from what is known of them, whoever told it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import cast

from otel_trading import metrics
from otel_trading.orders import Life, seen
from otel_trading.recording.orders import OrderRecorder
from otel_trading.recording.series import select
from otel_trading.semconv import attributes as a
from otel_trading.semconv import metrics as m
from otel_trading.semconv.spec import Metric


def _active(life: Life) -> float | None:
    return 1.0 if life.active else None


def _unresolved(life: Life) -> float | None:
    return 1.0 if life.unresolved else None


def _since(life: Life) -> float | None:
    return life.since if life.sent and not math.isnan(life.since) else None


def _sum(one: float, other: float) -> float:
    return one + other


def _observe(metric: Metric, value: Callable[[Life], float | None], merge: Callable[[float, float], float]) -> None:
    """Read `metric` from a value of each order that has not ended, merged over those that have the same attributes."""

    def read() -> list[tuple[float, dict[str, object]]]:
        found: dict[tuple[tuple[str, object], ...], float] = {}
        for memory in seen:
            for life in memory.lives():  # what was due by now was done with that: an order without an answer is unknown
                one = value(life)
                if one is None:
                    continue
                context = cast("OrderRecorder", life.sink).context
                known = {a.VENUE_NAME: context.venue, a.STRATEGY_NAME: context.strategy, a.INSTRUMENT_SYMBOL: context.symbol}
                key = tuple(select(metric, known).items())
                found[key] = merge(found[key], one) if key in found else one
        return [(number, dict(key)) for key, number in found.items()]

    metrics.gauge(metric).observe(read)


def observe() -> None:
    """Let the figures be read from now on."""
    _observe(m.ORDER_ACTIVE, _active, _sum)
    _observe(m.ORDER_UNRESOLVED, _unresolved, _sum)
    _observe(m.ORDER_OLDEST_OPEN_TIME, _since, min)
