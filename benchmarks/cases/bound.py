"""What one record costs on a series that is bound already."""

from __future__ import annotations

import time
from typing import Any

from benchmarks import results, timing
from benchmarks.exposition import total
from benchmarks.libraries import IN_EACH_BUCKET, STRATEGY, SYMBOL, VENUE, library
from benchmarks.results import OURS, PROMETHEUS, STOCK, Outcome
from benchmarks.rounds import Side, in_turn
from benchmarks.scale import Scale

SERIES = 4
"""Series that are recorded in turn."""

BEFORE = 300 * len(IN_EACH_BUCKET)
"""Records of each before anything is measured, so that no count is an integer that Python keeps ready made."""

ADD, RECORD = "counter add", "histogram record"
ENDINGS = {"counter": "_total", "histogram": "_count"}


class Bound:
    """In a worker: series of a counter or a histogram."""

    def __init__(self, name: str, kind: str, calls: int) -> None:
        self._library = library(name)
        self._kind = kind
        make = getattr(self._library, kind)
        records = [
            make("bench.bound", {VENUE: "kraken", SYMBOL: f"SYM{place}/USD", STRATEGY: "sma_cross"}) for place in range(SERIES)
        ]
        values = IN_EACH_BUCKET if kind == "histogram" else (1,)
        pairs = [(records[place % SERIES], values[place // SERIES % len(values)]) for place in range(calls)]
        self._calls = calls
        self._made = SERIES * BEFORE
        for place in range(BEFORE):
            for record in records:
                record(values[place % len(values)])

        def recorded() -> int:
            self._made += calls
            start = time.perf_counter_ns()
            for record, value in pairs:
                record(value)
            return time.perf_counter_ns() - start

        def looped() -> int:
            start = time.perf_counter_ns()
            for _record, _value in pairs:
                pass
            return time.perf_counter_ns() - start

        self._blocks: tuple[timing.Block, timing.Block] = recorded, looped

    def round(self, blocks: int) -> float:
        """Return the nanoseconds of a call, without those of the loop around it."""
        return timing.difference(*self._blocks, blocks, self._calls)

    def check(self) -> None:
        """Compare what was counted with what was recorded."""
        text = self._library.text()
        results.expect(f"bound {self._kind}", total(text, "bench_bound", ENDINGS[self._kind]), self._made)


def run(scale: Scale) -> Outcome:
    """Measure counters and histograms of all libraries."""
    outcome = Outcome(
        "bound",
        "One record",
        f"Nanoseconds of one call on a series that is bound, {SERIES} series with three attributes in turn, values in every "
        "bucket. Stock OpenTelemetry binds nothing: it is given its attributes with each call.",
        pictured=[ADD, RECORD],
    )
    sides: list[tuple[str, Side]] = []
    for what, kind in ((ADD, "counter"), (RECORD, "histogram")):
        for shown, name in ((OURS, "ours"), (STOCK, "stock"), (PROMETHEUS, "prometheus")):
            options: dict[str, Any] = {"name": name, "kind": kind, "calls": scale.calls}
            sides.append((what, Side(shown, Bound, options)))
    found = in_turn(
        [side for _, side in sides],
        lambda worker, _: worker.call("round", blocks=scale.blocks),
        rounds=scale.rounds,
        processes=scale.processes,
    )
    for what, side in sides:
        outcome.add(what, side.library, found[side], "ns")
    outcome.reach(ADD, 60, "ns")
    outcome.reach(RECORD, 200, "ns")
    return outcome
