"""What a scrape costs the bot's process, and how long it takes."""

from __future__ import annotations

import gc
import math
import time
from typing import Any

from benchmarks import results
from benchmarks.exposition import fetch, values
from benchmarks.libraries import IN_EACH_BUCKET, library, series
from benchmarks.processes import Worker
from benchmarks.results import OURS, PROMETHEUS, STOCK, STOCK_OBSERVABLE, TIMES, Outcome
from benchmarks.rounds import Side, in_turn
from benchmarks.scale import Scale

BEFORE = 300
"""Records into the first bucket of each histogram: the counts of all buckets, which add up, are beyond the small integers."""

ENDINGS = {"gauge": "", "histogram": "_count"}


class Scraped:
    """In a worker: many series, served as the library serves them."""

    def __init__(self, name: str, kind: str, count: int, options: dict[str, Any] | None = None) -> None:
        self._library = library(name, **options or {})
        self._kind = kind
        make = getattr(self._library, kind)
        self._records = [make(metric, attributes) for metric, attributes in series(count)]
        self._turn = self._made = 0
        if kind == "histogram":
            for record in self._records:
                for _ in range(BEFORE):
                    record(IN_EACH_BUCKET[0])
            self._made = BEFORE * count
        self.touch()
        self._library.text()  # what is prepared with the first scrape is not made again

    def url(self) -> str:
        """Return where it is served."""
        return self._library.url()

    def nothing_url(self) -> str:
        """Return where the same server answers without rendering."""
        return self._library.nothing_url()

    def touch(self) -> float:
        """Give every series a new value, and return what a scrape has to sum up to: values of gauges, counts of histograms."""
        self._turn += 1
        if self._kind == "histogram":
            value = IN_EACH_BUCKET[self._turn % len(IN_EACH_BUCKET)]
            for record in self._records:
                record(value)
            self._made += len(self._records)
            self._sum = float(self._made)
        else:
            present = [1000.25 + place + 0.5 * self._turn for place in range(len(self._records))]
            for record, value in zip(self._records, present, strict=True):
                record(value)
            self._sum = math.fsum(present)
        gc.collect()  # each scrape begins with a clean heap and pays for the collections that it causes itself
        return self._sum

    def cpu(self) -> int:
        """Return the nanoseconds of CPU that this process has used."""
        return time.process_time_ns()

    def check(self) -> None:
        """Compare what is served with what was recorded."""
        expect(self._library.text(), self._kind, len(self._records), self._sum)


def expect(text: str, kind: str, count: int, total: float) -> None:
    """Raise unless a scrape has all the series, and what was recorded."""
    found = values(text, "bench_family", ENDINGS[kind])
    results.expect(f"series of {kind}s", len(found), count)
    results.expect(f"values of {kind}s", math.fsum(found), total)


def sides(kind: str, count: int) -> list[Side]:
    """Return the libraries with `count` series; stock gauges in both ways that there are."""
    with_us = {"system_metrics": False}  # the same series on all sides
    found = [(OURS, "ours", with_us), (STOCK, "stock", {}), (PROMETHEUS, "prometheus", {})]
    if kind == "gauge":
        found.insert(2, (STOCK_OBSERVABLE, "stock", {"observable": True}))
    return [
        Side(shown, Scraped, {"name": name, "kind": kind, "count": count, "options": options}) for shown, name, options in found
    ]


def run(scale: Scale) -> Outcome:
    """Scrape gauges, histograms, and very many gauges."""
    outcome = Outcome(
        "scrape",
        "A scrape",
        "Milliseconds of one scrape in the text format, uncompressed. CPU is what the whole process of the bot uses for it, "
        "threads and all; for rendering alone, without what its server uses for a request that renders nothing. The clock is "
        "that of the process that scrapes, from the connection to the last byte. Every series has a new value before each "
        "scrape, and each answer is compared with what was recorded. Stock gauges are measured both as gauges that are set, as "
        "ours are, and as observable ones that are read by a callback; the targets are about the latter.",
    )
    _scrape(outcome, "gauge", scale.series, scale.scrapes)
    _scrape(outcome, "histogram", scale.series // 10, scale.scrapes)
    if scale.huge:
        _scrape(outcome, "gauge", scale.series * 10, max(3, scale.scrapes // 2))
    return outcome


def _scrape(outcome: Outcome, kind: str, count: int, rounds: int) -> None:
    what = f"{count:,} gauges" if kind == "gauge" else f"{count:,} histograms {TIMES} {len(IN_EACH_BUCKET)} buckets"
    cpu, request, clock = f"{what}: CPU of rendering", f"{what}: CPU of the request", f"{what}: clock"

    def scrape(worker: Worker, _: Side) -> tuple[float, float, float]:
        url, nothing, total = worker.call("url"), worker.call("nothing_url"), worker.call("touch")
        start = worker.call("cpu")
        fetch(nothing)
        before = worker.call("cpu")
        text, seconds = fetch(url)
        end = worker.call("cpu")
        expect(text, kind, count, total)
        used = end - before
        return (used - (before - start)) / 1e6, used / 1e6, seconds * 1e3

    for side, found in in_turn(sides(kind, count), scrape, rounds=rounds).items():
        for figure, milliseconds in zip((cpu, request, clock), zip(*found, strict=True), strict=True):
            outcome.add(figure, side.library, milliseconds, "ms")
    stock = STOCK_OBSERVABLE if kind == "gauge" else STOCK
    if (kind, count) == ("gauge", 10_000):
        outcome.reach(cpu, 5, "ms")
    outcome.reach_part(cpu, stock, 1 / 30)
    outcome.reach_part(cpu, PROMETHEUS, 1 / 12)
    outcome.reach_part(clock, stock, 1 / 20)
    outcome.reach_part(clock, PROMETHEUS, 1 / 8)
    outcome.pictured.append(cpu)
