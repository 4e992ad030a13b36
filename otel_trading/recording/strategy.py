"""Turns the cycles of strategies, and their signals, into metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from otel_trading import metrics
from otel_trading.metrics.catalog import provider
from otel_trading.metrics.clock import failed, process
from otel_trading.metrics.values import as_float
from otel_trading.orders import error_type, vocabulary
from otel_trading.recording.operations import error_series
from otel_trading.recording.series import Table, select
from otel_trading.semconv import attributes as a
from otel_trading.semconv import metrics as m
from otel_trading.semconv.attributes import SignalDirection

_DURATION = metrics.histogram(m.STRATEGY_CYCLE_DURATION)
_INTERVAL = metrics.gauge(m.STRATEGY_CYCLE_INTERVAL)
_LAST = metrics.gauge(m.STRATEGY_LAST_CYCLE_TIME)

_DIRECTIONS: Final[Mapping[str, SignalDirection]] = {
    **dict.fromkeys(("long", "up", "bullish", "enter_long", "exit_short"), "long"),
    **dict.fromkeys(("short", "down", "bearish", "enter_short", "exit_long"), "short"),
    **dict.fromkeys(("flat", "hold", "neutral", "none", "close", "exit", "wait"), "flat"),
}

COMPONENT: Final = "strategy"
"""The component under which exceptions that leave a cycle are counted."""


def direction_of(value: object) -> SignalDirection:
    """Return the position that a signal asks for: a word for it, a side, or a number by its sign; else `flat`."""
    side = vocabulary.side(value)
    if side is not None:
        return "long" if side == "buy" else "short"
    number = as_float(value)
    if number is not None:
        return "long" if number > 0 else "short" if number < 0 else "flat"
    return _DIRECTIONS.get(vocabulary.word(value) or "", "flat")


class CycleSeries:
    """The series of one strategy."""

    def __init__(self, key: tuple[str, float | None]) -> None:
        strategy, self._every = key
        self._known = {a.STRATEGY_NAME: strategy}
        self.duration = _DURATION.bind(self._known)
        """Of cycles that succeeded; the caller records it."""
        self._interval = _INTERVAL.bind(self._known)
        self._last = _LAST.bind(self._known)
        self._failures = Table(self._failure)
        self._announced: object = None

    def ended(self) -> None:
        """Record that a cycle ended just now."""
        try:  # not `moment()`: a call more, in each cycle
            self._last.set(process.now())
        except Exception as fault:  # noqa: BLE001 - promise 1: the clock may be the bot's
            failed(fault)
        if self._announced is not provider.delegate:
            self._announce()

    def failed(self, seconds: float, error: BaseException) -> None:
        """Record a cycle that failed just now: it has ended too."""
        kind = error_type(error)
        self._failures[kind].record(seconds)
        moment = process.moment()
        if moment is not None:
            self._last.set(moment)
        self._announce()
        if isinstance(error, Exception):  # a cancellation is no error of the bot
            error_series[COMPONENT, kind].add()

    def _announce(self) -> None:
        """Say the interval, once to each provider: a strategy that never ran is none that stands still."""
        self._announced = provider.delegate
        if self._every is not None:
            self._interval.set(self._every)

    def _failure(self, kind: str) -> metrics.HistogramCell:
        return _DURATION.bind(select(m.STRATEGY_CYCLE_DURATION, {**self._known, a.ERROR_TYPE: kind}))


cycles: Table[tuple[str, float | None], CycleSeries] = Table(CycleSeries)
"""The series of every strategy, by its name and the interval at which it is expected in seconds."""
