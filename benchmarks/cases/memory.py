"""What a series takes of the memory, with live counts and with whatever is kept for the next scrape."""

from __future__ import annotations

import gc
import math
import tracemalloc
from typing import Any

from benchmarks import results
from benchmarks.exposition import values
from benchmarks.libraries import IN_EACH_BUCKET, library, series
from benchmarks.processes import Worker
from benchmarks.results import OURS, PROMETHEUS, STOCK, STOCK_OBSERVABLE, Outcome
from benchmarks.rounds import Side, in_turn
from benchmarks.scale import Scale

IN_EACH = 257
"""Records into each bucket: integers up to 256 are ready made in Python and would take nothing."""

SCRAPES = 3

KINDS = {"gauge": ("gauge", ""), "histogram": (f"histogram of {len(IN_EACH_BUCKET)} buckets", "_count")}


class Kept:
    """In a worker: series that are made while memory is traced."""

    def __init__(self, name: str, kind: str, options: dict[str, Any] | None = None) -> None:
        self._library = library(name, **options or {})
        self._kind = kind
        self._sum = 0.0

    def bytes_per_series(self, count: int) -> float:
        """Make one series, then `count` more, and return the bytes that each of those takes."""
        (metric, attributes), *more = series(count + 1)
        kept = [self._recorded(metric, attributes)]
        tracemalloc.start()
        self._scrape()
        before = tracemalloc.get_traced_memory()[0]
        kept.extend(self._recorded(metric, attributes) for metric, attributes in more)
        self._scrape()
        after = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        found = values(self._library.text(), "bench_family", KINDS[self._kind][1])
        results.expect(f"series of {self._kind}s", len(found), len(kept))
        results.expect(f"values of {self._kind}s", math.fsum(found), self._sum)
        return (after - before) / count

    def _recorded(self, metric: str, attributes: dict[str, str]) -> Any:
        record = getattr(self._library, self._kind)(metric, attributes)
        if self._kind == "gauge":
            value = 1000.25 + self._sum
            record(value)
            self._sum += value
        else:
            for value in IN_EACH_BUCKET:
                for _ in range(IN_EACH):
                    record(value)
            self._sum += IN_EACH * len(IN_EACH_BUCKET)
        return record

    def _scrape(self) -> None:
        for _ in range(SCRAPES):
            self._library.text()
        gc.collect()

    def check(self) -> None:
        """What is kept was compared with what was recorded when it was weighed."""


def run(scale: Scale) -> Outcome:
    """Weigh gauges and histograms of all libraries."""
    outcome = Outcome(
        "memory",
        "Memory of a series",
        "Bytes that Python allocates (tracemalloc) for one more series with three attributes, everything that belongs to it: "
        "the handle that is recorded through, its attributes, live counts above 256 in every bucket, and what is kept from one "
        "scrape to the next.",
    )
    for kind, (what, _) in KINDS.items():
        found = [(OURS, "ours", {"system_metrics": False}), (STOCK, "stock", {}), (PROMETHEUS, "prometheus", {})]
        if kind == "gauge":
            found.insert(2, (STOCK_OBSERVABLE, "stock", {"observable": True}))
        sides = [Side(shown, Kept, {"name": name, "kind": kind, "options": options}) for shown, name, options in found]
        # Gauges are made in no time, and a dictionary grows in leaps: the more series, the less does a leap count.
        count = scale.measured_series * (7 if kind == "gauge" else 1)

        def weigh(worker: Worker, _: Side, count: int = count) -> float:
            return worker.call("bytes_per_series", count=count)

        for side, weights in in_turn(sides, weigh, rounds=1, processes=1).items():
            outcome.add(what, side.library, weights, "B")
        outcome.pictured.append(what)
    outcome.reach_part(KINDS["histogram"][0], STOCK, 1 / 2)
    outcome.reach_part(KINDS["gauge"][0], STOCK, 1 / 3)
    return outcome
