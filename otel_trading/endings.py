"""What is done before the process ends: at its regular end, and where a signal ends it that we handle."""

from __future__ import annotations

import atexit
from collections.abc import Callable

from otel_trading.metrics import faults

_endings: list[Callable[[], object]] = []


def register(ending: Callable[[], object]) -> None:
    """Call `ending` before the process ends; it may be called twice."""
    _endings.append(ending)
    atexit.register(ending)


def run() -> None:
    """Do it now: the process ends without Python's own end."""
    for ending in reversed(_endings):
        with faults.containing("shutdown"):
            ending()
