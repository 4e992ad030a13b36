"""`timed`: the duration of any function, under the user's own metric name."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, cast, overload

from otel_trading import metrics
from otel_trading.decorators.blocks import Block
from otel_trading.decorators.kinds import CallableObject, Decorator, FunctionT, P, R_co, metric_name
from otel_trading.decorators.wrapping import Hooks, Shape, wrap
from otel_trading.errors import ConfigurationError
from otel_trading.metrics.values import as_float, labels
from otel_trading.orders import error_type
from otel_trading.recording.observe import own_metric
from otel_trading.recording.series import Table
from otel_trading.semconv.attributes import ERROR_TYPE

BOUNDS: Final = (0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Default upper bounds of the buckets, in seconds."""

Attributes = Mapping[str, object]


class _Timer:
    """The series of one set of attributes."""

    def __init__(self, histogram: metrics.Histogram, attributes: Attributes) -> None:
        self._histogram = histogram
        self._attributes = attributes
        self.duration = histogram.bind(attributes)
        self._failures = Table(self._failure)

    def failed(self, error: BaseException, seconds: float, _state: object) -> None:
        self._failures[error_type(error)].record(seconds)

    def _failure(self, kind: str) -> metrics.HistogramCell:
        return self._histogram.bind({**self._attributes, ERROR_TYPE: kind})


class _Timed:
    """Record how long a function takes, under a metric name of your own: a histogram in seconds, with `error.type` on failures.

    ```python
    @ot.timed("bot.load_bars", attributes={"source": "csv"})
    def load_bars(path): ...

    @ot.timed  # as `<module>.<function>.duration`
    def rebalance(): ...

    with ot.timed.track("bot.load_bars", attributes={"source": "csv"}):
        ...
    ```

    `attributes` is a mapping, or a function that gets the call's arguments by name and returns one (`lambda path, **_: ...`;
    keep its values few). `bounds` are the upper bounds of the buckets, in seconds. What a generator takes is counted from its
    first step to its end.

    Raises `ConfigurationError` when the name cannot be one or is declared otherwise already.
    """

    @overload
    def __call__(self, function: FunctionT, /) -> FunctionT: ...
    @overload
    def __call__(
        self,
        name: str | None = None,
        /,
        *,
        attributes: Attributes | Callable[..., Attributes] | None = None,
        description: str = "",
        bounds: Sequence[float] | None = None,
    ) -> Decorator: ...
    @overload
    def __call__(self, function: CallableObject[P, R_co], /) -> Callable[P, R_co]: ...
    def __call__(
        self,
        name: Any = None,
        /,
        *,
        attributes: Attributes | Callable[..., Attributes] | None = None,
        description: str = "",
        bounds: Sequence[float] | None = None,
    ) -> Any:
        if name is not None and not isinstance(name, str):
            return wrap(name, lambda shape: _hooks(metric_name(shape.function), None, "", None))
        if name is not None:  # declared now, so that a clash is seen where it is made
            _declare(name, attributes, description, bounds)

        def describe(shape: Shape) -> Hooks:
            return _hooks(name or metric_name(shape.function), attributes, description, bounds, shape)

        return partial(wrap, describe=describe)

    def track(
        self, name: str, *, attributes: Attributes | None = None, description: str = "", bounds: Sequence[float] | None = None
    ) -> Block:
        """Return the context manager that does the same for a block of code."""
        return Block(lambda: _hooks(name, attributes, description, bounds))


def _declare(name: str, attributes: object, description: str, bounds: Sequence[float] | None) -> metrics.Histogram:
    keys = tuple(sorted(cast("Attributes", attributes))) if isinstance(attributes, Mapping) else ()
    chosen = BOUNDS if bounds is None else tuple(_bound(bound) for bound in bounds)
    if not chosen or list(chosen) != sorted(set(chosen)) or not math.isfinite(sum(chosen)):
        raise ConfigurationError(f"{name}: bounds are finite numbers of seconds in ascending order, not {bounds!r}")
    return metrics.histogram(own_metric(name, "histogram", "s", description, (*keys, ERROR_TYPE), chosen))


def _bound(value: object) -> float:
    number = as_float(value)
    return math.nan if number is None else number


def _hooks(
    name: str,
    attributes: Attributes | Callable[..., Attributes] | None,
    description: str,
    bounds: Sequence[float] | None,
    shape: Shape | None = None,
) -> Hooks:
    histogram = _declare(name, attributes, description, bounds)
    if not callable(attributes):
        timer = _Timer(histogram, attributes or {})
        return Hooks(timer.failed, duration=timer.duration)
    chosen = attributes
    timers = Table[tuple[tuple[str, str], ...], _Timer](lambda key: _Timer(histogram, dict(key)))

    def begin(args: tuple[object, ...], kwargs: dict[str, object]) -> _Timer:
        return timers[tuple(sorted(labels(chosen(*args, **kwargs)).items()))]

    def ended(_result: object, seconds: float, timer: _Timer | None) -> None:
        (timer or timers[()]).duration.record(seconds)

    def failed(error: BaseException, seconds: float, timer: _Timer | None) -> None:
        (timer or timers[()]).failed(error, seconds, None)

    return Hooks(failed, ended, begin=begin, begins="always", inputs=shape.everything if shape else "")


timed = _Timed()
