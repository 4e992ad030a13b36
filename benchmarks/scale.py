"""How long the benchmarks take: the full run, the one within a minute, and the one that only shows that they work."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """How much is measured."""

    processes: int
    """Fresh processes of each side: where code and data come to lie in memory changes what a call costs."""
    rounds: int
    """Rounds of each process, for costs of calls."""
    blocks: int
    """Blocks of calls in a round, by turns of what is measured and of what it is compared with."""
    calls: int
    """Calls in a block."""
    scrapes: int
    """Rounds of each side, for scrapes and exports."""
    huge: bool
    """Whether 100,000 series are scraped, too."""
    series: int
    """Series that are scraped and exported, where the table of targets says 10,000."""
    measured_series: int
    """Series over which memory is measured."""
    late_rounds: int
    """Rounds of each side, for the lateness of a trading thread."""
    seconds: float
    """Seconds of such a round: its thousandth part is what p99.9 rests on."""
    starts: int
    """Fresh interpreters of each side, for imports."""
    autometrics: bool
    """Whether autometrics is measured, for which an environment has to be made."""


FULL = Scale(2, 6, 10, 1000, 7, True, 10_000, 96, 3, 6.0, 7, True)
QUICK = Scale(1, 4, 5, 1000, 5, False, 10_000, 64, 2, 4.0, 5, True)
TINY = Scale(1, 1, 2, 80, 1, False, 200, 4, 1, 0.3, 1, True)
