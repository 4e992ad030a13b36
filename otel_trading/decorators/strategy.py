"""`strategy_cycle`: that a strategy runs, and how long a cycle of it takes."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, overload

from opentelemetry.trace import SpanKind

from otel_trading import metrics, tracing
from otel_trading.decorators import spans
from otel_trading.decorators.blocks import Block
from otel_trading.decorators.kinds import CallableObject, Decorator, FunctionT, P, R_co, default_name
from otel_trading.decorators.spans import OpenSpan
from otel_trading.decorators.wrapping import Hooks, Shape, wrap
from otel_trading.errors import ConfigurationError
from otel_trading.metrics.values import as_float
from otel_trading.orders import error_type
from otel_trading.recording.series import Table
from otel_trading.recording.strategy import cycles
from otel_trading.risk.heartbeats import Heartbeat
from otel_trading.risk.watchdog import watchdog
from otel_trading.semconv.attributes import STRATEGY_NAME

Interval = float | timedelta | None


class _StrategyCycle:
    """Record each cycle of a strategy: its duration, when it ended, and the interval at which it is expected.

    ```python
    @ot.strategy_cycle("sma_cross", every=60)
    def on_bar(bar): ...

    with ot.strategy_cycle.track("sma_cross", every=60):
        ...
    ```

    `every` is in seconds, or a `timedelta`. Without a name the strategy is called as the function is. An exception that leaves
    a cycle is counted as an error of the component `strategy`, too.

    With `every`, a strategy has a heartbeat of its name that beats when a cycle ends and is missed when none has ended for
    `stalled_after` times `every` (see `ot.heartbeat`), the first time from the beginning of the first cycle. None: it has none.

    Raises `ConfigurationError` when `every` or `stalled_after` is not a positive number.
    """

    @overload
    def __call__(self, function: FunctionT, /) -> FunctionT: ...
    @overload
    def __call__(
        self, name: str | None = None, /, *, every: Interval = None, stalled_after: float | None = 3.0
    ) -> Decorator: ...
    @overload
    def __call__(self, function: CallableObject[P, R_co], /) -> Callable[P, R_co]: ...
    def __call__(self, name: Any = None, /, *, every: Interval = None, stalled_after: float | None = 3.0) -> Any:
        if name is not None and not isinstance(name, str):
            return wrap(name, partial(_hooks, None, None, None))
        return partial(wrap, describe=partial(_hooks, name, *_timing(every, stalled_after)))

    def track(self, name: str, *, every: Interval = None, stalled_after: float | None = 3.0) -> Block:
        """Return the context manager that does the same for a block of code."""
        return Block(lambda: _hooks(name, *_timing(every, stalled_after), None))


def _seconds(every: Interval) -> float | None:
    if every is None:
        return None
    seconds = as_float(every.total_seconds() if isinstance(every, timedelta) else every)
    if seconds is None or not (seconds > 0 and math.isfinite(seconds)):
        raise ConfigurationError(f"every is the interval between cycles in seconds, a positive number, not {every!r}")
    return seconds


def _timing(every: Interval, stalled_after: float | None) -> tuple[float | None, float | None]:
    """Return the interval, and the time without a cycle after which the strategy has stalled."""
    interval = _seconds(every)
    times = as_float(stalled_after)
    if stalled_after is not None and (times is None or not (times > 0 and math.isfinite(times))):
        raise ConfigurationError(f"stalled_after is a multiple of every, a positive number, not {stalled_after!r}")
    return interval, None if interval is None or times is None else interval * times


def _hooks(name: str | None, every: float | None, timeout: float | None, shape: Shape | None) -> Hooks:
    strategy = name or (default_name(shape.function) if shape else "")
    cycle = cycles[strategy, every]
    pulse = None if timeout is None else _pulses[strategy, timeout]
    current = shape is None or shape.runs_at_once

    def traced() -> OpenSpan:
        return spans.start(f"cycle {strategy}", SpanKind.INTERNAL, {STRATEGY_NAME: strategy}, current=current)

    def awaited() -> OpenSpan | None:
        if pulse is not None and pulse.last is None:  # the first cycle may be the one that hangs
            pulse.beat()
        return traced() if tracing.enabled() else None

    def ended(_result: object, _seconds: float, span: OpenSpan | None) -> None:
        cycle.ended()
        if pulse is not None:
            pulse.beat()
        if span is not None:
            span.end()

    def failed(error: BaseException, seconds: float, span: OpenSpan | None) -> None:
        cycle.failed(seconds, error)
        if pulse is not None:
            pulse.beat()
        if span is not None:
            span.end(error_type=error_type(error))

    if pulse is None:
        return Hooks(failed, ended, cycle.duration, begin=traced, begins="traced")
    return Hooks(failed, ended, cycle.duration, begin=awaited, begins="always")


def _pulse(key: tuple[str, float]) -> Heartbeat:
    strategy, timeout = key
    # Without a pipeline no cycle is told of, so that none can be missed.
    return Heartbeat(strategy, timeout, strategy=strategy, guard=watchdog, only_while=metrics.active)


_pulses: Table[tuple[str, float], Heartbeat] = Table(_pulse)
"""The heartbeat of each strategy, by its name and its time-out in seconds."""

strategy_cycle = _StrategyCycle()
