"""Writes our cells in Prometheus' text format 0.0.4 and in OpenMetrics 1.0.0.

The text of a series' labels is made once and kept with its cell, so that a scrape only formats numbers. Every few hundred
lines the interpreter is given away, so that a scrape does not hold up a trading thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import accumulate
from operator import add
from typing import Any, Final

from pydantic import ConfigDict, TypeAdapter

from otel_trading.exposition.naming import family_name, label_name, unit_words
from otel_trading.metrics import faults
from otel_trading.metrics.cells import Cell, Exemplar, HistogramCell
from otel_trading.metrics.meter import AnyInstrument, CoreMeter

SERIES_IN_ONE_GO: Final = 200
LINES_IN_ONE_GO: Final = 800
"""What is written, at most, before another thread may run: a few tenths of a millisecond."""

_TYPES: Final = {"counter": "counter", "updowncounter": "gauge", "gauge": "gauge", "histogram": "histogram"}
_SUFFIXES: Final = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}
"""What is appended to the family's name in samples, so that no other family may have those names."""
_json: Final = TypeAdapter(list[Any], config=ConfigDict(ser_json_inf_nan="constants")).dump_json


class Renderer:
    """Renders what the meters hold, for one reader."""

    def __init__(self, meters: Callable[[], Iterable[CoreMeter]], reader: Hashable) -> None:
        self._meters = meters
        self.reader = reader
        self._families: dict[AnyInstrument, _Family] = {}

    def render(self, *, openmetrics: bool) -> tuple[list[bytes], frozenset[str]]:
        """Return the parts of the text of all families that have series, and all names that they take.

        OpenMetrics lacks its `# EOF`.
        """
        parts: list[bytes] = []
        names: set[str] = set()
        room = LINES_IN_ONE_GO
        for meter in self._meters():
            for instrument in meter.all():
                cells = instrument.points(self.reader)
                family = self._family(instrument, names) if cells else None
                if family is None:
                    continue
                parts.append((family.openmetrics_head if openmetrics else family.text_head).encode())
                lines = max(family.lines, LINES_IN_ONE_GO // SERIES_IN_ONE_GO)  # that a series counts for
                at_once = max(1, LINES_IN_ONE_GO // lines)
                for start in range(0, len(cells), at_once):
                    written = cells[start : start + at_once]
                    if len(written) * lines > room:
                        time.sleep(0)
                        room = LINES_IN_ONE_GO
                    room -= len(written) * lines
                    parts.append(family.text(written, openmetrics=openmetrics).encode())
        return parts, frozenset(names)

    def _family(self, instrument: AnyInstrument, names: set[str]) -> _Family | None:
        """The family of `instrument`, whose names are added to those that are taken; None if one of them was."""
        family = self._families.get(instrument)
        if family is None:
            family = self._families[instrument] = _Family(instrument)
        if not names.isdisjoint(family.names):
            faults.drop(
                "duplicate_family", "%s stands twice under different meters: shown once", family.name, about=family.name
            )
            return None
        names |= family.names
        return family


class _Family:
    """What is always the same about the series of one instrument."""

    def __init__(self, instrument: AnyInstrument) -> None:
        metric = instrument.metric
        self.name = base = family_name(metric.name, metric.unit, counter=metric.kind == "counter")
        self.type = _TYPES[metric.kind]
        self.sample = f"{base}_total" if metric.kind == "counter" else base
        self.names = {base, *(f"{base}{suffix}" for suffix in _SUFFIXES.get(metric.kind, ()))}
        help_text = metric.description.replace("\\", "\\\\").replace("\n", "\\n")
        unit = unit_words(metric.unit)
        histogram = metric.kind == "histogram"
        self.text = self._histograms if histogram else self._values
        """Writes the lines of series."""
        self.lines = len(instrument.bounds) + 3 if histogram else 1
        """Lines of one series."""
        self._bounds: tuple[float, ...] = ()
        self._bucket_texts = ['le="+Inf"} ']
        self.text_head = f"# HELP {self.sample} {help_text}\n# TYPE {self.sample} {self.type}\n"
        self.openmetrics_head = (
            f"# HELP {base} {help_text.replace(chr(34), chr(92) + chr(34))}\n# TYPE {base} {self.type}\n"
            + (f"# UNIT {base} {unit}\n" if unit else "")
        )

    def _values(self, cells: Sequence[Any], *, openmetrics: bool) -> str:
        """The lines of series that have one value each."""
        texts = [cell.text or self._value_text(cell) for cell in cells]
        # One that another thread begins again just now has no value for a moment.
        return "\n".join(map(add, texts, _numbers([cell.value or 0.0 for cell in cells]))) + "\n"

    def _histograms(self, cells: Sequence[HistogramCell], *, openmetrics: bool) -> str:
        """The lines of histograms: buckets, count and sum."""
        name = self.name
        measured = [(*accumulate(cell.counts), cell.sum) for cell in cells]
        numbers = _numbers([number for each in measured for number in each])
        parts: list[str] = []
        end = 0
        for cell, each in zip(cells, measured, strict=True):
            start, end = end, end + len(each)
            *counts, total = numbers[start:end]
            labels = cell.text
            if labels is None:
                labels = cell.text = _labels(cell.key, {"le": "exported_le"})
            braces = f"{{{labels}}} " if labels else " "
            # Three parts of each line: the name and the labels, the bound, the number.
            lines = [f"\n{name}_bucket{{{labels}," if labels else f"\n{name}_bucket{{"] * (3 * len(counts))
            lines[1::3] = self._buckets(cell)
            lines[2::3] = counts
            if openmetrics and cell.exemplars:
                for index, exemplar in cell.exemplars.copy().items():  # it may get another one meanwhile
                    lines[3 * index + 2] += _exemplar(exemplar)
            parts += lines
            parts.append(f"\n{name}_count{braces}{counts[-1]}\n{name}_sum{braces}{total}")
        return "".join(parts)[1:] + "\n"

    def _value_text(self, cell: Cell) -> str:
        labels = _labels(cell.key)
        cell.text = f"{self.sample}{{{labels}}} " if labels else f"{self.sample} "
        return cell.text

    def _buckets(self, cell: HistogramCell) -> list[str]:
        if cell.bounds is not self._bounds:  # they change with a new configuration
            self._bounds = cell.bounds
            self._bucket_texts = [f'le="{bound!r}"}} ' for bound in cell.bounds] + ['le="+Inf"} ']
        return self._bucket_texts


def _numbers(values: list[float]) -> list[str]:
    """The shortest texts that read as `values`: those of JSON, which take pydantic a fraction of what `repr` takes Python."""
    return _json(values)[1:-1].decode().split(",")


def _labels(key: Sequence[str], reserved: Mapping[str, str] | None = None) -> str:
    """The labels for the attributes in `key`; a name that the format has a meaning for is written as `reserved` says."""
    texts: dict[str, str] = {}
    for attribute, value in zip(key[::2], key[1::2], strict=True):
        name = label_name(attribute)
        name = (reserved or {}).get(name, name)
        # Two attributes may become one label: the specification joins their values.
        texts[name] = f"{texts[name]};{value}" if name in texts else value
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in texts.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _exemplar(exemplar: Exemplar) -> str:
    value, nanoseconds, span = exemplar
    labels = f'trace_id="{span.trace_id:032x}",span_id="{span.span_id:016x}"' if span.trace_id else ""
    return f" # {{{labels}}} {value!r} {nanoseconds / 1e9:.3f}"
