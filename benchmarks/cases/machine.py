"""How fast the machine itself is: what the least that can be measured takes on it."""

from __future__ import annotations

import time

from benchmarks import timing
from benchmarks.results import Outcome
from benchmarks.rounds import Side, in_turn
from benchmarks.scale import Scale

PYTHON = "Python"
EMPTY, CLOCK = "an empty call", "two readings of the clock"


class Interpreter:
    """In a worker: nothing of any library."""

    def __init__(self, calls: int) -> None:
        self._calls = range(calls)

    def round(self, blocks: int) -> tuple[float, float]:
        """Return the nanoseconds of an empty call, and of two readings of the clock."""
        loop = self._looped
        return tuple(timing.difference(block, loop, blocks, len(self._calls)) for block in (self._called, self._read))

    def check(self) -> None:
        """Nothing was recorded."""

    def _looped(self) -> int:
        start = time.perf_counter_ns()
        for _ in self._calls:
            pass
        return time.perf_counter_ns() - start

    def _called(self) -> int:
        def empty() -> None:
            pass

        start = time.perf_counter_ns()
        for _ in self._calls:
            empty()
        return time.perf_counter_ns() - start

    def _read(self) -> int:
        clock = time.perf_counter
        start = time.perf_counter_ns()
        for _ in self._calls:
            clock()
            clock()
        return time.perf_counter_ns() - start


def run(scale: Scale) -> Outcome:
    """Measure the interpreter on this machine."""
    outcome = Outcome(
        "machine",
        "The machine",
        "Nanoseconds of the least that there is to measure. The targets below that are in nanoseconds were set on a machine "
        "where an empty call takes 18 ns and two readings of the clock 84 ns: on one that takes longer for these, everything "
        "does, and the ratios are what to compare.",
    )
    sides = [Side(PYTHON, Interpreter, {"calls": scale.calls})]
    for side, rounds in in_turn(
        sides,
        lambda worker, _: worker.call("round", blocks=scale.blocks),
        rounds=scale.rounds,
        processes=scale.processes,
    ).items():
        for what, values in zip((EMPTY, CLOCK), zip(*rounds, strict=True), strict=True):
            outcome.add(what, side.library, values, "ns")
    return outcome
