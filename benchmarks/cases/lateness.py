"""How late a trading thread is while its process is scraped."""

from __future__ import annotations

import gc
import time
from typing import Any

from benchmarks import ticks
from benchmarks.cases import scrape
from benchmarks.exposition import fetch
from benchmarks.processes import Worker
from benchmarks.results import STOCK_OBSERVABLE, Outcome
from benchmarks.rounds import Side, in_turn
from benchmarks.scale import Scale

PER_SECOND = 4
NOBODY = "nobody scrapes"


class Trading(scrape.Scraped):
    """In a worker: a trading thread beside the thread that answers scrapes."""

    def ticks(self, seconds: float) -> dict[str, float]:
        """Trade for some seconds, setting one series with each tick, and return how late that was."""
        gc.collect()
        count = len(self._records)

        def act(tick: int) -> None:
            self._records[tick % count](1000.5 + tick)

        found = ticks.lateness(seconds, act)
        self.touch()
        return found


def run(scale: Scale) -> Outcome:
    """Trade while nobody scrapes, and while each library is scraped."""
    outcome = Outcome(
        "lateness",
        f"A trading thread while {scale.series:,} series are scraped {PER_SECOND} times a second",
        "Microseconds by which a thread that wants to act every millisecond is late, when another process scrapes its process "
        f"{PER_SECOND} times a second. Each round is {scale.seconds:g} s long; a tick that is late makes the next ones late, "
        "and each counts. On all CPUs.",
    )
    sides = {_on_all_cpus(side): PER_SECOND for side in scrape.sides("gauge", scale.series)}
    idle = _on_all_cpus(scrape.sides("gauge", scale.series)[0])
    sides[idle] = 0

    def trade(worker: Worker, side: Side) -> dict[str, float]:
        url, period = worker.call("url"), 1 / PER_SECOND
        worker.send("ticks", seconds=scale.seconds)
        end = time.perf_counter() + scale.seconds
        if sides[side]:
            due = time.perf_counter() + period / 2
            while due < end:
                time.sleep(max(0.0, due - time.perf_counter()))
                fetch(url)
                due = max(due + period, time.perf_counter())
        return worker.answer()

    found = in_turn(list(sides), trade, rounds=scale.late_rounds)
    for side, rounds in found.items():
        for quantile in ticks.QUANTILES:
            library = NOBODY if side is idle else side.library
            outcome.add(quantile, library, [late[quantile] for late in rounds], "µs")
    outcome.reach_part("p99.9", STOCK_OBSERVABLE, 1 / 10)
    outcome.reach_part("p99.9", NOBODY, 2)
    outcome.pictured.append("p99.9")
    return outcome


def _on_all_cpus(side: Side) -> Side:
    options: dict[str, Any] = dict(side.options)
    return Side(side.library, Trading, options, pinned=False)
