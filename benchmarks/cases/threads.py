"""What a record costs while four threads record into one series."""

from __future__ import annotations

import gc
import threading
import time
from itertools import cycle, islice

from benchmarks import results
from benchmarks.exposition import total
from benchmarks.libraries import IN_EACH_BUCKET, STRATEGY, SYMBOL, VENUE, library
from benchmarks.processes import Worker
from benchmarks.results import OURS, PROMETHEUS, STOCK, TIMES, Outcome
from benchmarks.rounds import Side, in_turn
from benchmarks.scale import Scale

THREADS = 4
BEFORE = 300 * len(IN_EACH_BUCKET)
ONE, FOUR, PART = "one thread", f"{THREADS} threads", f"{THREADS} threads to one"


class Shared:
    """In a worker: one series of a histogram."""

    def __init__(self, name: str, calls: int) -> None:
        self._library = library(name)
        self._record = self._library.histogram("bench.shared", {VENUE: "kraken", SYMBOL: "BTC/USD", STRATEGY: "sma_cross"})
        self._values = list(islice(cycle(IN_EACH_BUCKET), calls))
        self._made = BEFORE
        for value in islice(cycle(IN_EACH_BUCKET), BEFORE):
            self._record(value)

    def round(self, threads: int) -> float:
        """Return the nanoseconds of the clock for each record, all threads together."""
        gc.collect()
        barrier = threading.Barrier(threads + 1)
        ends: list[int] = []

        def work() -> None:
            record, values = self._record, self._values
            barrier.wait()
            for value in values:
                record(value)
            ends.append(time.perf_counter_ns())

        running = [threading.Thread(target=work) for _ in range(threads)]
        for thread in running:
            thread.start()
        # Taken before any of them can go: what it takes to wake them is part of the cost of threads.
        start = time.perf_counter_ns()
        barrier.wait()
        for thread in running:
            thread.join()
        made = threads * len(self._values)
        self._made += made
        return (max(ends) - start) / made

    def check(self) -> None:
        """Compare what was counted with what was recorded: no thread's record was lost."""
        results.expect("shared histogram", total(self._library.text(), "bench_shared", "_count"), self._made)


def run(scale: Scale) -> Outcome:
    """Measure one thread and four in the same round of the same process."""
    outcome = Outcome(
        "threads",
        "Four threads on one series",
        "Nanoseconds of the clock for each record into one histogram series, by one thread and by four at once, on all CPUs.",
        pictured=[FOUR],
    )
    # Long enough that every library's threads take turns, of which Python lets each last 5 ms.
    calls = scale.calls * scale.blocks
    sides = [
        Side(shown, Shared, {"name": name, "calls": calls * times}, pinned=False)
        for shown, name, times in ((OURS, "ours", 10), (STOCK, "stock", 1), (PROMETHEUS, "prometheus", 10))
    ]

    def both(worker: Worker, _: Side) -> tuple[float, float]:
        return worker.call("round", threads=1), worker.call("round", threads=THREADS)

    found = in_turn(sides, both, rounds=scale.rounds, processes=scale.processes)
    for side, rounds in found.items():
        outcome.add(ONE, side.library, [one for one, _ in rounds], "ns")
        outcome.add(FOUR, side.library, [four for _, four in rounds], "ns")
        outcome.add(PART, side.library, [four / one for one, four in rounds], TIMES)
    outcome.reach(PART, 1.3, TIMES)
    return outcome
