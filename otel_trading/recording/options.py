"""What the pipeline may choose about recording; `otel_trading.recording.configure` changes it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """The choices."""

    symbol_on_durations: bool = False
    """Put `trading.instrument.symbol` on the metrics that name it as opt-in too: a series for each symbol."""


current = Options()
