"""Where a handle records, by its class: nowhere, into a stock instrument, into a series that has ended, or under a lock.

Every class has the layout of the cell that it derives from, so that `cell.__class__` can be set to it.
"""

from __future__ import annotations

import sysconfig
from typing import Any, Final, Literal

from otel_trading.metrics import faults
from otel_trading.metrics.cells import Cell, CounterCell, GaugeCell, HistogramCell, SumCell, UpDownCounterCell
from otel_trading.metrics.values import number

Route = Literal["idle", "core", "application"]
"""`core`: our own cells are collected; `application`: a stock instrument on its MeterProvider; `idle`: not configured."""

FREE_THREADED: Final = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


class _IdleSum(SumCell):
    __slots__ = ()

    def add(self, value: object = 1) -> None:
        pass


class _IdleHistogram(HistogramCell):
    __slots__ = ()

    def record(self, value: object) -> None:
        pass


class _StockSum(SumCell):
    __slots__ = ()

    @faults.contained("record")
    def add(self, value: object = 1) -> None:
        amount = number(value, self.instrument.name)
        if amount is not None and self.instrument.accepts(amount):
            self.instrument.stock.add(amount, self.attributes)


class _StockHistogram(HistogramCell):
    __slots__ = ()

    @faults.contained("record")
    def record(self, value: object) -> None:
        amount = number(value, self.instrument.name)
        if amount is not None and self.instrument.accepts(amount):
            self.instrument.stock.record(amount, self.attributes)


class ObservedSum(SumCell):
    """Of an instrument that is read from callbacks."""

    __slots__ = ()

    def add(self, value: object = 1) -> None:
        name = self.instrument.name
        faults.drop("observed", "%s: it is observed, what is added to it was dropped", name, about=name)


class _EndedSum(SumCell):
    __slots__ = ()

    def add(self, value: object = 1) -> None:
        self.instrument.revive(self).add(value)


class _EndedHistogram(HistogramCell):
    __slots__ = ()

    def record(self, value: object) -> None:
        self.instrument.revive(self).record(value)


class _EndedGauge(GaugeCell):
    __slots__ = ()

    def set(self, value: object) -> None:
        self.instrument.revive(self).set(value)


class _LockedCounter(CounterCell):
    __slots__ = ()

    def add(self, value: Any = 1) -> None:
        with self.instrument.lock:
            CounterCell.add(self, value)


class _LockedUpDownCounter(UpDownCounterCell):
    __slots__ = ()

    def add(self, value: Any = 1) -> None:
        with self.instrument.lock:
            UpDownCounterCell.add(self, value)


class _LockedHistogram(HistogramCell):
    __slots__ = ()

    def record(self, value: Any) -> None:
        with self.instrument.lock:
            HistogramCell.record(self, value)


Kind = Literal["counter", "updowncounter", "histogram", "gauge"]

_CORE: dict[Kind, type[Cell]] = {
    "counter": _LockedCounter if FREE_THREADED else CounterCell,
    "updowncounter": _LockedUpDownCounter if FREE_THREADED else UpDownCounterCell,
    "histogram": _LockedHistogram if FREE_THREADED else HistogramCell,
    "gauge": GaugeCell,
}
_SUMS: dict[Route, type[Cell]] = {"idle": _IdleSum, "application": _StockSum}
_HISTOGRAMS: dict[Route, type[Cell]] = {"idle": _IdleHistogram, "application": _StockHistogram}


def cell_class(kind: Kind, route: Route) -> type[Cell]:
    """The class of the handles of an instrument of `kind` while `route` is taken.

    A gauge keeps its values on every route: on the application's its cells are observed.
    """
    if route == "core" or kind == "gauge":
        return _CORE[kind]
    return (_HISTOGRAMS if kind == "histogram" else _SUMS)[route]


def ended_class(kind: Kind) -> type[Cell]:
    """The class of the handle of a series that was removed: what is recorded by it begins a new one."""
    return {"histogram": _EndedHistogram, "gauge": _EndedGauge}.get(kind, _EndedSum)
