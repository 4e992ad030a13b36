"""Where times of events are read: the clock of the process, which `configure(clock=)` sets, or an object's own.

A clock that a bot injects is the bot's code: it may fail, and return anything. What happens while it fails is left out and
counted, as everything that cannot be used; reading what is known already goes on.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final

from otel_trading.errors import ConfigurationError
from otel_trading.metrics import faults
from otel_trading.metrics.values import as_float

WALL: Final[Callable[[], float]] = time.time


class Clock:
    """A clock that may be set to another one at any time: whoever holds it reads what it is at that moment."""

    __slots__ = ("now",)

    def __init__(self, read: Callable[[], float] = WALL) -> None:
        self.now = _checked(read)
        """Returns unix seconds, a finite float; raises whatever the bot's own clock raises. The system's is called directly."""

    def set(self, read: Callable[[], float]) -> None:
        """Read `read` from now on."""
        self.now = _checked(read)

    def moment(self) -> float | None:
        """Return the time; None where the clock fails, which is counted."""
        try:
            return self.now()
        except Exception as fault:  # noqa: BLE001 - promise 1: the clock is the bot's, and no fault of it may reach the bot
            failed(fault)
            return None

    def stamp(self) -> float:
        """Return the time; NaN where the clock fails, which is counted: for what happens all the same, at an unknown time."""
        now = self.moment()
        return math.nan if now is None else now

    def present(self) -> float:
        """Return the time, or minus infinity where the clock fails: so that nothing is due by it."""
        now = self.moment()
        return -math.inf if now is None else now


def chosen(given: Callable[[], float] | None, whose: str) -> Clock:
    """Return the clock of an object: that which it was given, else that of the process.

    Raises `ConfigurationError`, which names the object, for what cannot be called.
    """
    if given is None:
        return process
    if not callable(given):
        raise ConfigurationError(f"{whose}: clock is {given!r}, expected a function that returns unix seconds")
    return Clock(given)


def failed(fault: Exception) -> None:
    """Count and log that a clock failed; never raises."""
    faults.contain("clock", fault)


def _checked(read: Callable[[], float]) -> Callable[[], float]:
    """Return `read` as a function that returns a finite float or raises; the system's is taken as it is."""
    if read is WALL:
        return read

    def now() -> float:
        told = read()
        seconds = as_float(told)
        if seconds is None or not math.isfinite(seconds):
            raise ValueError(f"the clock returned no time but {type(told).__name__}")
        return seconds

    return now


process: Final = Clock()
"""The clock of all that has none of its own: the system's, unless `configure(clock=)` gave another."""
