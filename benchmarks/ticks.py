"""A trading thread: it wants to act every millisecond, and notes how late it was."""

from __future__ import annotations

import time
from collections.abc import Callable

PERIOD = 1_000_000
"""Nanoseconds between two ticks."""

QUANTILES = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}


def lateness(seconds: float, act: Callable[[int], object]) -> dict[str, float]:
    """Tick for some seconds, calling `act` with the number of each tick; return quantiles of the lateness in microseconds.

    A tick that comes too late does not put off the next ones: each of them is late, too.
    """
    late: list[int] = []
    due = time.perf_counter_ns()
    for tick in range(int(seconds * 1e9) // PERIOD):
        due += PERIOD
        wait = due - time.perf_counter_ns()
        if wait > 0:
            time.sleep(wait / 1e9)
        late.append(time.perf_counter_ns() - due)
        act(tick)
    late.sort()
    return {name: late[min(int(part * len(late)), len(late) - 1)] / 1e3 for name, part in QUANTILES.items()}
