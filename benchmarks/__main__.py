"""`make bench`: runs the benchmarks, prints what they found, and writes it to the documentation after a full run."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from benchmarks import cases, chart, report
from benchmarks.processes import ROOT, stand_aside
from benchmarks.results import Outcome
from benchmarks.scale import FULL, QUICK

PAGE = ROOT / "docs" / "benchmarks.md"
PICTURE = ROOT / "docs" / "images" / "benchmarks.svg"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what the command line asks for. A target that is missed is shown as such and is no failure."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="what calls cost and a scrape, within a minute; writes nothing")
    parser.add_argument("--only", action="append", choices=list(cases.MODULES), help="one of them; writes nothing")
    parser.add_argument("--no-write", action="store_true", help="only print")
    chosen = parser.parse_args(arguments)
    names = chosen.only or (cases.QUICK if chosen.quick else tuple(cases.MODULES))
    stand_aside()
    outcomes: list[Outcome] = []
    for name in names:
        start = time.perf_counter()
        outcomes.append(cases.run(name, QUICK if chosen.quick else FULL))
        _say(f"## {outcomes[-1].title} ({name}, {time.perf_counter() - start:.0f} s)\n\n{report.details(outcomes[-1])}\n")
    if any(outcome.targets for outcome in outcomes):
        _say(f"## Targets\n\n{report.targets(outcomes)}")
    # The page shows one whole run, never parts of several.
    if tuple(names) == tuple(cases.MODULES) and not (chosen.no_write or chosen.quick):
        PAGE.write_text(report.page(outcomes), encoding="utf-8")
        PICTURE.write_text(chart.svg(outcomes), encoding="utf-8")
        _say(f"\nwritten: {PAGE.relative_to(ROOT)}, {PICTURE.relative_to(ROOT)}")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
