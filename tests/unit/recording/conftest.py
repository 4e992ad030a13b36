"""A fresh stock MeterProvider for each test that asks for it, and an order tracker with a clock that the test moves."""

from tests.unit.recording.recorded import no_faults, recorded
from tests.unit.recording.tracked import now, tracker

__all__ = ["no_faults", "now", "recorded", "tracker"]
