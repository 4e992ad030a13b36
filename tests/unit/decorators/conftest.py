"""A fresh stock MeterProvider for each test that asks for it, and a clock that a test moves."""

from __future__ import annotations

import pytest

from otel_trading.decorators import wrapping
from tests.unit.recording.recorded import no_faults, recorded

__all__ = ["clock", "no_faults", "recorded"]


class Clock:
    """Seconds that only pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """What durations are measured with from here on (for what is decorated in the test)."""
    clock = Clock()
    monkeypatch.setattr(wrapping, "clock", clock)
    return clock
