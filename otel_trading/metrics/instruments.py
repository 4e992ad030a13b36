"""Our instruments: those of the OpenTelemetry API, with `bind`, `remove` and `observe` beyond it.

Values and attributes are converted once, recording never raises, and what cannot be recorded is dropped, counted and logged
once. Each series of an instrument is a cell (see `cells`), and the handle that `bind` returns is that cell itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

from otel_trading.errors import ConfigurationError
from otel_trading.metrics import faults
from otel_trading.metrics.cells import Cell, HistogramCell
from otel_trading.metrics.routes import Kind, Route, cell_class, ended_class
from otel_trading.metrics.values import Attributes, Key, key_of, labels
from otel_trading.semconv.spec import Metric

CARDINALITY_LIMIT = 2_000
"""Series of one instrument, the overflow included: the default of OpenTelemetry's specification."""

OVERFLOW: Key = ("otel.metric.overflow", "true")
"""The series that takes what comes beyond the limit."""

DEFAULT_BOUNDS = (0.0, 5.0, 10.0, 25.0, 50.0, 75.0, 100.0, 250.0, 500.0, 750.0, 1000.0, 2500.0, 5000.0, 7500.0, 10000.0)
"""Bounds of a histogram that was declared without any: the specification's, "Explicit Bucket Histogram Aggregation"."""

CellT = TypeVar("CellT", bound=Cell)


@dataclass(frozen=True)
class Limits:
    """How many series an instrument may have, by its name and in general."""

    default: int = CARDINALITY_LIMIT
    by_name: Mapping[str, int] = field(default_factory=dict[str, int])

    def of(self, name: str) -> int:
        """The limit of the instrument of this name."""
        return self.by_name.get(name, self.default)


class Instrument(Generic[CellT]):
    """One metric, and its series by their attributes."""

    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        self.name = metric.name
        self.kind: Kind = metric.kind
        self.bounds: tuple[float, ...] = metric.bounds
        self.limit = CARDINALITY_LIMIT
        self.lock = threading.RLock()
        self._cells: dict[Key, CellT] = {}
        self._route: Route = "idle"
        self._make_stock: Callable[[], Any] = lambda: None
        self._stock: Any = None

    @property
    def observed(self) -> bool:
        """Whether it is read from callbacks."""
        return False

    @property
    def stock(self) -> Any:
        """The instrument of the application's MeterProvider that stands for this one, on that route."""
        if self._stock is None:
            with self.lock:
                self._stock = self._stock or self._make_stock()
        return self._stock

    def bind(self, attributes: Attributes | None = None) -> CellT:
        """Return the handle of the series with these attributes; recording by it costs no look-up."""
        return self._cell(key_of(labels(attributes)))

    def observe(self, callback: Callable[[], object], attributes: Attributes | None = None) -> Callable[[], None]:
        """Read the metric from `callback` at each collection; call what is returned to stop doing so.

        Raises `ConfigurationError` for a metric that cannot be observed.
        """
        raise ConfigurationError(f"{self.name} is a {self.kind}: it can be recorded but not observed")

    @faults.contained("remove")
    def remove(self, attributes: Attributes | None = None) -> None:
        """End the series with these attributes; a handle of it that is used again begins a new one."""
        self.end(key_of(labels(attributes)))

    def end(self, key: Key) -> None:
        """End the series of this key."""
        with self.lock:
            cell = self._cells.pop(key, None)
            if cell is not None:
                _become(cell, ended_class(self.kind))

    def release(self, cell: Cell) -> None:
        """End the series of a handle, but not the sum of all that is beyond the limit for one of them."""
        if cell.key != OVERFLOW or self.kind == "gauge":
            self.end(cell.key)

    def revive(self, ended: CellT) -> CellT:
        """Return the series to record in by a handle whose own had ended.

        It begins again, unless another handle has begun it meanwhile or there is no room for it any more.
        """
        return self._begin(self._cells, ended.key, ended)

    def attach(self, route: Route, make_stock: Callable[[], Any]) -> None:
        """Record by `route` from now on, from zero (a gauge keeps its present values)."""
        with self.lock:
            self._route = route
            self._make_stock = make_stock
            self._stock = None
            if self.kind != "gauge":
                for cell in self._cells.values():
                    cell.clear()
            self._reclass()

    def points(self, reader: Hashable) -> Sequence[CellT]:
        """The series to export to `reader` now, those that were never measured left out."""
        return [cell for cell in list(self._cells.values()) if not cell.empty]

    def begin_in_child(self) -> None:
        """Start without a series in a process that forked, where the lock may be held by a thread that is not here."""
        self.lock = threading.RLock()
        for cell in self._cells.values():
            cell.clear()

    def accepts(self, amount: float) -> bool:
        """Whether `amount` has a sign that the instrument takes; if not it is counted as dropped."""
        if amount >= 0 or self.kind in {"updowncounter", "gauge"}:
            return True
        why = "it counts up" if self.kind == "counter" else "a histogram is unsigned"
        faults.drop("negative", "%s: %s, a negative value was dropped", self.name, why, about=self.name)
        return False

    def _reclass(self) -> None:
        kept = self._cell_class()
        for cell in self._cells.values():
            _become(cell, kept)

    def _cell_class(self) -> type[Cell]:
        return cell_class(self.kind, self._route)

    def _cell(self, key: Key) -> CellT:
        cell = self._cells.get(key)
        return self._begin(self._cells, key) if cell is None else cell

    def _begin(self, cells: dict[Key, CellT], key: Key, ended: CellT | None = None) -> CellT:
        """Add the series `key` to `cells`, by its `ended` handle if there is one; or find the overflow if there is no room."""
        with self.lock:
            if key not in cells and len(cells) >= self.limit - (OVERFLOW not in cells):
                faults.drop(
                    "cardinality_limit",
                    "%s has more than %d series: what comes beyond is summed under %s",
                    self.name,
                    self.limit,
                    OVERFLOW[0],
                    about=self.name,
                )
                key = OVERFLOW
            cell = cells.get(key)
            if cell is None:
                if ended is None or ended.key != key:
                    cell = cast("CellT", self._cell_class()(self, key))
                else:
                    cell = ended
                    cell.life += 1
                    cell.clear()
                    _become(cell, self._cell_class())
                cells[key] = cell
            return cell


class Histogram(Instrument[HistogramCell]):
    """A distribution of values that are not negative (what has a sign carries it as an attribute)."""

    @faults.contained("record")
    def record(self, amount: Any, attributes: Any = None, context: Any = None) -> None:
        """Record `amount`, in the metric's unit."""
        self._cell(key_of(labels(attributes))).record(amount)

    def rebound(self, bounds: Sequence[float] | None) -> None:
        """Use these bounds, by default the declared ones, from the next `attach` on."""
        self.bounds = tuple(map(float, bounds or self.metric.bounds or DEFAULT_BOUNDS))


def _become(cell: Any, kind: type[Cell]) -> None:
    """Make `cell` one of another class of the same layout: the handles that a bot holds then record elsewhere."""
    cell.__class__ = kind


AnyInstrument = Instrument[Any]
