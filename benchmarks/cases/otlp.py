"""What an export over OTLP costs, and how late a trading thread is meanwhile."""

from __future__ import annotations

import gc
import math
import threading
import time

from benchmarks import results, ticks
from benchmarks.libraries import library, series
from benchmarks.processes import Worker
from benchmarks.results import OURS, STOCK, Outcome
from benchmarks.rounds import Side, in_turn
from benchmarks.scale import Scale
from benchmarks.sink import Sink

PER_SECOND = 4
OPTIONS = {"ours": {"system_metrics": False}, "stock": {}}
"""The same series on both sides."""


class Exported:
    """In a worker: many gauges that are pushed."""

    def __init__(self, name: str, count: int, endpoint: str) -> None:
        self._library = library(name, otlp_endpoint=endpoint, **OPTIONS[name])
        self._records = [self._library.gauge(metric, attributes) for metric, attributes in series(count)]
        self._turn = 0
        self.touch()
        self._library.flush()  # what is prepared with the first export is not made again

    def touch(self) -> float:
        """Give every series a new value and return their sum."""
        self._turn += 1
        present = [1000.25 + place + 0.5 * self._turn for place in range(len(self._records))]
        for record, value in zip(self._records, present, strict=True):
            record(value)
        gc.collect()  # each export begins with a clean heap and pays for the collections that it causes itself
        return math.fsum(present)

    def export(self) -> float:
        """Export once and return the milliseconds of CPU that the process used for it."""
        before = time.process_time_ns()
        self._library.flush()
        return (time.process_time_ns() - before) / 1e6

    def ticks(self, seconds: float, exports: int) -> dict[str, float]:
        """Trade for some seconds while another thread exports so many times a second; return how late that was."""
        gc.collect()
        count, ended = len(self._records), threading.Event()

        def export() -> None:
            while not ended.wait(1 / exports):
                self._library.flush()

        def act(tick: int) -> None:
            self._records[tick % count](1000.5 + tick)

        exporting = threading.Thread(target=export)
        if exports:
            exporting.start()
        found = ticks.lateness(seconds, act)
        ended.set()
        if exports:
            exporting.join()
        return found

    def check(self) -> None:
        """Each export was compared with what was recorded when it arrived."""


def run(scale: Scale) -> Outcome:
    """Export to a receiver in this process."""
    outcome = Outcome(
        "otlp",
        f"OTLP export of {scale.series:,} series",
        "Milliseconds of CPU of the bot's process for one export over http/protobuf to a receiver on this machine, and "
        "microseconds by which a thread that wants to act every millisecond is late while that happens "
        f"{PER_SECOND} times a second. Every series has a new value before each export, and what arrives is compared with it.",
    )
    cpu, late = "export: CPU", "p99.9 of lateness"
    with Sink() as sink:
        sides = [_side(shown, name, scale, sink, pinned=True) for shown, name in ((OURS, "ours"), (STOCK, "stock"))]

        def export(worker: Worker, _: Side) -> float:
            total = worker.call("touch")
            sink.forget()
            used = worker.call("export")
            count, arrived = sink.take("bench.family")
            results.expect("exported series", count, scale.series)
            results.expect("exported values", arrived, total)
            return used

        for side, found in in_turn(sides, export, rounds=scale.scrapes).items():
            outcome.add(cpu, side.library, found, "ms")

        sides = [_side(shown, name, scale, sink, pinned=False) for shown, name in ((OURS, "ours"), (STOCK, "stock"))]

        def trade(worker: Worker, _: Side) -> tuple[float, float]:
            idle = worker.call("ticks", seconds=scale.seconds, exports=0)["p99.9"]
            sink.forget()
            busy = worker.call("ticks", seconds=scale.seconds, exports=PER_SECOND)["p99.9"]
            count, _values = sink.take("bench.family")
            if not count or count % scale.series:
                raise results.CountError(f"{count:,} points arrived, which are no whole exports of {scale.series:,} series")
            return idle, busy

        for side, found in in_turn(sides, trade, rounds=scale.late_rounds).items():
            outcome.add(late, side.library, [busy for _, busy in found], "µs")
            outcome.add(f"{late}, without exports", side.library, [idle for idle, _ in found], "µs")
    outcome.reach_part(cpu, STOCK, 0.85)
    outcome.reach_part(late, STOCK, 1 / 3)
    outcome.pictured.extend((cpu, late))
    return outcome


def _side(shown: str, name: str, scale: Scale, sink: Sink, *, pinned: bool) -> Side:
    options = {"name": name, "count": scale.series, "endpoint": sink.endpoint}
    return Side(shown, Exported, options, pinned=pinned)
