"""A fresh stock MeterProvider for each test that asks for it."""

from tests.unit.recording.recorded import no_faults, recorded

__all__ = ["no_faults", "recorded"]
