"""Writes what was found as Markdown: the targets first, then every figure with its spread."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

from benchmarks.processes import ALL_CPUS
from benchmarks.results import OURS, TIMES, Figure, Outcome, Target

_HEAD = """\
# Benchmarks

Written by `make bench`. Every library runs in processes of its own, on a CPU of its own where nothing else is said; the rounds
of the libraries alternate within one run. A figure is the median of its rounds, with the quartiles around it. The garbage
collector runs as in any program; each round begins after a full collection, so that it pays for its own. Every benchmark
compares what was collected with what was recorded and fails if they differ. Everything that otel_trading has on by default
was on: outcome and error type, the check for exemplars, the limit on series, the conversion of values.

![What it costs, beside other libraries](images/benchmarks.svg)
"""

_PACKAGES = ("otel-trading", "opentelemetry-sdk", "opentelemetry-exporter-prometheus", "prometheus-client")


def page(outcomes: Sequence[Outcome]) -> str:
    """Return the whole page."""
    now = datetime.now(timezone.utc)
    versions = ", ".join(f"{package} {version(package)}" for package in _PACKAGES)
    parts = [_HEAD, f"Measured on {now:%Y-%m-%d}: {machine()}; {versions}.", f"## Targets\n\n{targets(outcomes)}"]
    parts.extend(f"## {outcome.title}\n\n{details(outcome)}" for outcome in outcomes)
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def targets(outcomes: Iterable[Outcome]) -> str:
    """Return the table of targets: what had to be reached, and whether it was."""
    rows = [
        (outcome.title, target.what, _limit(target), _measured(target), "yes" if target.met else "**no**")
        for outcome in outcomes
        for target in outcome.targets
    ]
    return table(("benchmark", "what", "target", "measured", "met"), rows)


def details(outcome: Outcome) -> str:
    """Return all figures of one benchmark."""
    rows = [
        (figure.what, figure.library, _quantity(figure.value, figure.unit), _spread(figure), _times(figure, outcome))
        for figure in outcome.figures
    ]
    parts = [outcome.how, table(("what", "library", "median", "quartiles", "times ours"), rows), *outcome.notes]
    return "\n\n".join(parts)


def short(value: float) -> str:
    """Write a number with three significant digits."""
    if abs(value) < 1000:  # from four digits on, there are no decimals
        return f"{float(f'{value:.3g}'):g}"
    return f"{float(f'{value:.3g}'):,.0f}"


def _quantity(value: float, unit: str) -> str:
    return f"{short(value)} {unit}"


def _spread(figure: Figure) -> str:
    sample = figure.sample
    return f"{short(sample.low)} to {short(sample.high)}" if sample.rounds > 1 else "one round"


def _times(figure: Figure, outcome: Outcome) -> str:
    ours = [one.value for one in outcome.figures if (one.what, one.library) == (figure.what, OURS)]
    if figure.library == OURS or not ours or ours[0] <= 0:
        return ""
    return f"{short(figure.value / ours[0])} {TIMES}"


def _limit(target: Target) -> str:
    if not target.against:
        return f"≤ {_quantity(target.limit, target.unit)}"
    return f"≤ {_part(target.limit)} of {target.against}"


def _measured(target: Target) -> str:
    return _part(target.measured) if target.against else _quantity(target.measured, target.unit)


def _part(ratio: float) -> str:
    """A ratio as people say it: 1/25 for what is much less."""
    return f"1/{short(1 / ratio)}" if 0 < ratio <= 1 / 2 else f"{short(ratio)} {TIMES}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def machine() -> str:
    """Say on what it was measured."""
    count = len(ALL_CPUS) or "unknown number of"
    return f"{_processor()}, {count} CPUs, {platform.system()}, Python {platform.python_version()}"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
