"""The benchmarks run, and each compares what it collected with what it recorded; no time is asserted anywhere."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import pytest

from benchmarks import cases, chart, processes, report
from benchmarks.cases.calls import Calls
from benchmarks.processes import Worker, WorkerError
from benchmarks.results import TIMES, CountError, Outcome, expect
from benchmarks.scale import TINY


@pytest.mark.parametrize("name", cases.MODULES)
def test_a_benchmark_runs_and_collects_what_it_recorded(name: str) -> None:
    """A tiny run goes through, and each of its targets is about a figure that was measured."""
    outcome = cases.run(name, TINY)
    measured = {figure.what for figure in outcome.figures}
    assert outcome.name == name
    assert measured
    assert {target.what for target in outcome.targets} <= measured
    assert set(outcome.pictured) <= measured


def test_a_lost_record_fails_the_run() -> None:
    """A library that is not told of a call is found out by the count, in the worker."""
    options: dict[str, Any] = {"name": "prometheus", "way": "time", "calls": 80, "only_sync": True}
    with Worker(Calls, **options) as worker:
        worker.call("round", blocks=1)
        worker.call("check")
    with Worker(Miscounting, **options) as worker, pytest.raises(WorkerError, match="CountError"):
        worker.call("check")


class Miscounting(Calls):
    """Believes that it made a call more than it did."""

    def check(self) -> None:
        """Check with one call too many."""
        self._made += 1
        super().check()


def test_counts_that_differ_are_said() -> None:
    """The message names both numbers."""
    with pytest.raises(CountError, match="1,000 were recorded, 999 were collected"):
        expect("calls", 999, 1000)


def test_the_page_shows_targets_figures_and_their_spread() -> None:
    """What the page says of three rounds is their median, their quartiles, the ratio, and whether the target was met."""
    outcome = Outcome("calls", "A call", "How.", pictured=["record"])
    outcome.add("record", "otel_trading", [200.0, 210.0, 220.0], "ns")
    outcome.add("record", "OpenTelemetry SDK", [6300.0, 6000.0, 6600.0], "ns")
    outcome.reach("record", 250, "ns")
    outcome.reach("record", 100, "ns")
    outcome.reach_part("record", "OpenTelemetry SDK", 1 / 25)
    page = report.page([outcome])
    assert "| record | otel_trading | 210 ns | 205 to 215 |  |" in page
    assert f"| record | OpenTelemetry SDK | 6,300 ns | 6,150 to 6,450 | 30 {TIMES} |" in page
    assert "| A call | record | ≤ 250 ns | 210 ns | yes |" in page
    assert "| A call | record | ≤ 100 ns | 210 ns | **no** |" in page
    assert "| A call | record | ≤ 1/25 of OpenTelemetry SDK | 1/30 | yes |" in page
    assert str(processes.ROOT) not in page
    picture = ET.fromstring(chart.svg([outcome]))  # noqa: S314 - our own picture
    bars = [bar for bar in picture.iter() if bar.tag.endswith("rect") and bar.get("x")]
    ours, stock = (float(bar.get("width", "")) for bar in bars)
    assert stock / ours == pytest.approx(30, rel=0.01)
