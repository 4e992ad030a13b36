"""Instruments that can also be read from callbacks: sums and gauges.

A series that was exported to a reader and is no more is either gone at once or, where the registry says that it truly ended
at zero (`ends_at_zero`), exported as 0 in two more collections of that reader. A Collector keeps the last value that it got,
so that last value has to be the true one.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, Final, TypeVar, cast

from opentelemetry.metrics import CallbackOptions, Observation

from otel_trading.errors import ConfigurationError
from otel_trading.metrics import faults
from otel_trading.metrics.cells import Cell, GaugeCell, SumCell
from otel_trading.metrics.collection import current_reader
from otel_trading.metrics.instruments import OVERFLOW, Instrument
from otel_trading.metrics.routes import ObservedSum, Route
from otel_trading.metrics.values import Attributes, Key, key_of, labels, number
from otel_trading.semconv.spec import Metric

ObserveCallback = Callable[[], object]
"""Returns a number, None (absent just now), or an iterable of pairs of a value and its attributes."""

FINAL_COLLECTIONS: Final = 2
"""Collections of a reader in which a series that ended at zero is still exported."""

FINAL_SECONDS: Final = 120.0
"""The same for readers that cannot be told apart, those of the application: two of OpenTelemetry's default intervals."""

Texts = dict[str, str]
_ValueCellT = TypeVar("_ValueCellT", SumCell, GaugeCell)


class Observable(Instrument[_ValueCellT]):
    """An instrument with one value a series, recorded or read from callbacks."""

    def __init__(self, metric: Metric) -> None:
        super().__init__(metric)
        self._sources: list[tuple[ObserveCallback, Texts]] = []
        self._observed: dict[Key, _ValueCellT] = {}
        self._declared: list[Callable[[], None]] = []
        self._declared_in: int | None = None

    @property
    def observed(self) -> bool:
        return bool(self._sources)

    def attach(self, route: Route, make_stock: Callable[[], Any]) -> None:
        super().attach(route, make_stock)
        self._declare_stock()

    def _declare_stock(self) -> None:
        """Let the application's provider ask from now on, if it is the one to record to."""
        if self._route == "application" and self.observed and self._stock is None:
            self._stock = self._make_stock()

    def observe(self, callback: ObserveCallback, attributes: Attributes | None = None) -> Callable[[], None]:
        """Read the metric from `callback` at each collection; call what is returned to stop doing so.

        Raises `ConfigurationError` when `callback` is asynchronous, as nobody could await it.
        """
        if inspect.iscoroutinefunction(callback):
            raise ConfigurationError(f"{self.name}: the callback is asynchronous; let it return a value that is there")
        source = (callback, labels(attributes))
        with self.lock:
            self._sources.append(source)
            self._declare_stock()

        def stop() -> None:
            with self.lock:
                if source in self._sources:
                    self._sources.remove(source)

        return stop

    def declared(self, callbacks: Sequence[ObserveCallback], generation: int) -> None:
        """Read the metric from the callbacks that it is declared with by OpenTelemetry's API, beside those of `observe`.

        Declared twice in one `generation` of the provider the first counts, as with the SDK. In a later one the last counts:
        whoever sets up again after a new `configure()` means the new objects.
        """
        with self.lock:
            if self._declared_in == generation:
                faults.declared_twice(self.name)
                return
            while self._declared:
                self._declared.pop()()
            self._declared = [self.observe(callback) for callback in callbacks]
            self._declared_in = generation

    def points(self, reader: Hashable) -> Sequence[_ValueCellT]:
        recorded = [cell for cell in list(self._cells.values()) if cell.value is not None and cell.value is not False]
        if not (self._sources or self._observed):
            return recorded
        observed = self._read()
        if not recorded:
            return observed
        keys = {cell.key for cell in observed}  # a gauge may be set and observed: the same series must not stand twice
        return [*(cell for cell in recorded if cell.key not in keys), *observed]

    def observations(self, _: CallbackOptions) -> list[Observation]:
        """What a stock observable instrument asks for, on the application's MeterProvider."""
        if self._route != "application":  # shut down, while the application's provider goes on
            return []
        return [Observation(cell.value or 0.0, cell.attributes) for cell in self.points(current_reader())]

    def _read(self) -> list[_ValueCellT]:
        """Call the callbacks, and return the series that they observed now; one that fails is reported and left out."""
        with self.lock:
            sources = self._sources.copy()
        # Not under the lock: a callback may wait for a thread that records or declares.
        values: dict[Key, float] = {}
        for callback, fixed in sources:
            for value, texts in _called(self.name, callback, fixed) or ():
                key = key_of(texts)
                if self.accepts(value):
                    values[key] = values.get(key, 0.0) + value if self.kind != "gauge" else value
        with self.lock:
            for ended in self._observed.keys() - values.keys() - {OVERFLOW}:
                del self._observed[ended]
            return self._assigned(values)

    def _assigned(self, values: dict[Key, float]) -> list[_ValueCellT]:
        overflow: _ValueCellT | None = None
        for key, value in values.items():
            cell = self._observed.get(key) or self._begin(self._observed, key)
            if cell.key == key:
                cell.value = value
            else:  # beyond the limit: all such series are one sum
                cell.value = value + (cell.value or 0.0 if cell is overflow else 0.0)
                overflow = cell
        if overflow is None and OVERFLOW not in values:
            self._observed.pop(OVERFLOW, None)
        return list(self._observed.values())


@faults.isolated("observe")
def _called(about: str, callback: ObserveCallback, fixed: Texts) -> list[tuple[float, Texts]]:
    result = callback()
    if result is None:
        return []
    several = isinstance(result, Iterable) and not isinstance(result, (str, bytes))
    pairs = cast("Iterable[tuple[object, Attributes | None]]", result if several else [(result, None)])
    found: list[tuple[float, Texts]] = []
    for value, attributes in pairs:
        if value is not None and (converted := number(value, about)) is not None:
            found.append((converted, {**fixed, **labels(attributes)}))
    return found


class Sum(Observable[SumCell]):
    """A counter or an up-down counter: it is either added to or observed, never both at a time."""

    def __init__(self, metric: Metric) -> None:
        super().__init__(metric)
        self._asked = False
        """Whether the application's provider has an observable instrument for it: it keeps that one for good."""

    @property
    def observed(self) -> bool:
        return self._asked or super().observed

    def attach(self, route: Route, make_stock: Callable[[], Any]) -> None:
        self._asked = False
        super().attach(route, make_stock)

    def _declare_stock(self) -> None:
        super()._declare_stock()
        self._asked = self.observed and self._route == "application"

    @faults.contained("record")
    def add(self, amount: Any = 1, attributes: Any = None, context: Any = None) -> None:
        """Add `amount`, which must not be negative on a counter."""
        self._cell(key_of(labels(attributes))).add(amount)

    def observe(self, callback: ObserveCallback, attributes: Attributes | None = None) -> Callable[[], None]:
        """Read the metric from `callback` at each collection; call what is returned to stop doing so.

        Raises `ConfigurationError` when the metric was already added to, or when `callback` is asynchronous.
        """
        with self.lock:
            recorded = self._stock is not None and not self.observed
            if recorded or any(not cell.empty for cell in self._cells.values()):
                raise ConfigurationError(f"{self.name} is already recorded by this program: it cannot be observed too")
            stop = super().observe(callback, attributes)
            self._reclass()
        return stop

    def points(self, reader: Hashable) -> Sequence[SumCell]:
        return self._read() if self.observed else super().points(reader)

    def _cell_class(self) -> type[Cell]:
        return ObservedSum if self.observed else super()._cell_class()


class Gauge(Observable[GaugeCell]):
    """The present value of something: set, or observed, or both."""

    def __init__(self, metric: Metric, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(metric)
        self._clock = clock
        self._endings: dict[Hashable, _Endings] = {}

    @property
    def observed(self) -> bool:
        return True  # what was set is read at each collection, too

    @faults.contained("record")
    def set(self, amount: Any, attributes: Any = None, context: Any = None) -> None:
        """Make `amount` the present value; what is no finite number leaves it as it was."""
        self._cell(key_of(labels(attributes))).set(amount)

    def attach(self, route: Route, make_stock: Callable[[], Any]) -> None:
        self._endings.clear()  # of readers that went with their pipeline
        super().attach(route, make_stock)

    def points(self, reader: Hashable) -> Sequence[GaugeCell]:
        alive = super().points(reader)
        if not self.metric.ends_at_zero:
            return alive
        with self.lock:
            endings = self._endings.setdefault(reader, _Endings(timed=reader is None))
            return [*alive, *endings.collect(alive, self._clock())]


class _Endings:
    """What one reader has been shown alive, and the last zeros that it is still owed."""

    def __init__(self, *, timed: bool) -> None:
        self._timed = timed
        self._shown: dict[Key, GaugeCell] = {}
        self._owed: dict[Key, tuple[GaugeCell, int, float]] = {}

    def collect(self, alive: Sequence[GaugeCell], now: float) -> list[GaugeCell]:
        """Return the series to export as 0 in this collection."""
        shown = {cell.key: cell for cell in alive}
        for key in self._shown.keys() - shown.keys():
            last = GaugeCell(self._shown[key].instrument, key)
            last.value = 0.0
            self._owed[key] = (last, FINAL_COLLECTIONS, now + FINAL_SECONDS)
        self._shown = shown
        for key in self._owed.keys() & shown.keys():
            del self._owed[key]
        due = [cell for cell, _, _ in self._owed.values()]
        self._owed = {
            key: (cell, left - 1, until)
            for key, (cell, left, until) in self._owed.items()
            if (now < until if self._timed else left > 1)
        }
        return due
