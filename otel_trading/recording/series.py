"""Handles of series, bound once and found again by one look-up."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Final, TypeVar

from otel_trading.recording import options
from otel_trading.semconv.spec import Metric

SIZE: Final = 1_000
"""Entries that a table keeps; what comes after them is bound anew each time: slower, never wrong."""

_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")


class Table(dict[_K, _V]):
    """A bounded table whose missing entries are made: `table[key]` costs one look-up once the entry is there."""

    def __init__(self, make: Callable[[_K], _V], size: int = SIZE) -> None:
        super().__init__()
        self._make = make
        self._size = size
        _tables[id(self)] = self

    def __missing__(self, key: _K) -> _V:
        value = self._make(key)
        if len(self) < self._size:
            self[key] = value
        return value


_tables: weakref.WeakValueDictionary[int, Table[Any, Any]] = weakref.WeakValueDictionary()


def select(metric: Metric, known: Mapping[str, object]) -> dict[str, object]:
    """Return those of the `known` attributes that a point of `metric` carries under the present options."""
    return {
        key: value
        for key in metric.attributes
        if (value := known.get(key)) is not None and (options.current.symbol_on_durations or key not in metric.opt_in)
    }


def configure(chosen: options.Options) -> None:
    """Use these options from now on: handles that were bound under others are forgotten."""
    options.current = chosen
    for table in list(_tables.values()):
        table.clear()
