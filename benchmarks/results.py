"""What a benchmark found: figures with their spread, and the targets that they meet or miss."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

OURS, STOCK, STOCK_OBSERVABLE, PROMETHEUS, AUTOMETRICS = (
    "otel_trading",
    "OpenTelemetry SDK",
    "OpenTelemetry SDK, observable",
    "prometheus_client",
    "autometrics",
)
"""The libraries, as they are called in every table."""

TIMES = "\N{MULTIPLICATION SIGN}"
"""The unit of what is a multiple, or a part, of something else."""


@dataclass(frozen=True)
class Sample:
    """The median of what the rounds gave, and the quartiles around it."""

    median: float
    low: float
    high: float
    rounds: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Sample:
        """Return the sample of some rounds."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0], 1)
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(median, low, high, len(values))


@dataclass(frozen=True)
class Figure:
    """One number: what was measured, of which library."""

    what: str
    library: str
    sample: Sample
    unit: str

    @property
    def value(self) -> float:
        """The median."""
        return self.sample.median


@dataclass(frozen=True)
class Target:
    """What has to be reached, and what was."""

    what: str
    measured: float
    limit: float
    unit: str
    """`TIMES` for a part of what another library takes."""
    against: str = ""

    @property
    def met(self) -> bool:
        """Whether it was reached."""
        return self.measured <= self.limit


@dataclass
class Outcome:
    """All that one benchmark found."""

    name: str
    title: str
    how: str
    """How it was measured, for the reader of the page."""
    figures: list[Figure] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    pictured: list[str] = field(default_factory=list)
    """Which `what` of the figures belong into the picture."""

    def add(self, what: str, library: str, values: Sequence[float], unit: str) -> Figure:
        """Keep the figure of some rounds."""
        figure = Figure(what, library, Sample.of(values), unit)
        self.figures.append(figure)
        return figure

    def value(self, what: str, library: str) -> float:
        """Return the median of a figure."""
        return next(figure.value for figure in self.figures if (figure.what, figure.library) == (what, library))

    def reach(self, what: str, limit: float, unit: str, library: str = OURS) -> None:
        """State a target for the figure `what`."""
        self.targets.append(Target(what, self.value(what, library), limit, unit))

    def reach_part(self, what: str, of: str, limit: float, *, theirs: str | None = None) -> None:
        """State that our `what` has to be at most `limit` times that of the library `of` (or its figure `theirs`)."""
        ratio = self.value(what, OURS) / self.value(theirs or what, of)
        self.targets.append(Target(what, ratio, limit, TIMES, of))


class CountError(AssertionError):
    """What was collected is not what was recorded: no figure of such a run means anything."""


def expect(what: str, collected: float, made: float) -> None:
    """Raise unless the counts collected equal the calls made."""
    if collected != made:
        raise CountError(f"{what}: {made:,} were recorded, {collected:,} were collected")
