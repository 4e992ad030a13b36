"""The clock that a bot injects, which is the bot's code: it may fail, and return anything.

What happens while it fails is left out and counted, as everything that cannot be used; reading what is known already goes on.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TypeAlias

from otel_trading.metrics import faults
from otel_trading.metrics.values import as_float

Clock: TypeAlias = Callable[[], float]


def checked(clock: Clock) -> Clock:
    """Return `clock` as one that returns a finite float or raises, whatever it does; the system's is taken as it is."""
    if clock is time.time:
        return clock

    def now() -> float:
        told = clock()
        seconds = as_float(told)
        if seconds is None or not math.isfinite(seconds):
            raise ValueError(f"the clock returned no time but {type(told).__name__}")
        return seconds

    return now


def present(clock: Clock) -> float:
    """Return the time, or minus infinity where the clock fails: so that nothing is due by it."""
    try:
        return clock()
    except Exception as fault:  # noqa: BLE001 - promise 1: the clock is the bot's, and reading a figure never raises
        with faults.containing("clock"):
            faults.report("clock", fault)
        return -math.inf
