"""A real VictoriaMetrics: a Prometheus-compatible store that takes remote write and gives back each raw sample."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from tests.harness.exposition import one, scrape
from tests.harness.ports import LOOPBACK, free_port
from tests.harness.process import Process
from tests.harness.programs import require_program
from tests.harness.web import fetch, serves


class Point(NamedTuple):
    """One sample of one series as it is stored."""

    name: str
    labels: frozenset[tuple[str, str]]
    milliseconds: int
    value: float


class VictoriaMetrics(Process):
    """A store with a directory of its own; stopped, it can be started again and has what it had.

    `deduplicate` keeps one of several samples of a series at the same millisecond, as Prometheus does.
    """

    def __init__(self, *, directory: Path, deduplicate: bool = False, name: str = "victoria-metrics") -> None:
        self.port = free_port()
        self.url = f"http://{LOOPBACK}:{self.port}"
        self.write_url = f"{self.url}/api/v1/write"
        command = [
            require_program("victoria-metrics"),
            f"-httpListenAddr={LOOPBACK}:{self.port}",
            f"-storageDataPath={directory / name}-data",
            "-memory.allowedBytes=256MB",
            *(["-dedup.minScrapeInterval=1ms"] if deduplicate else []),
        ]
        super().__init__(name, command, directory=directory)

    def ready(self) -> bool:
        return serves(f"{self.url}/health")

    def written(self) -> int:
        """How many samples have come in by remote write since it was started, doubles included."""
        return int(one(scrape(f"{self.url}/metrics"), "vm_rows_inserted_total", type="promremotewrite") or 0)

    def points(self) -> list[Point]:
        """Return all that is stored."""
        fetch(f"{self.url}/internal/force_flush")  # what came within the last second is not searched otherwise
        response = fetch(f"{self.url}/api/v1/export?match[]=%7B__name__!=%22%22%7D")
        if response.status != 200:
            raise AssertionError(f"the export answers {response.status}: {response.text[:500]}")
        found: list[Point] = []
        for series in map(json.loads, response.text.splitlines()):
            labels = dict(series["metric"])
            name = labels.pop("__name__")
            key = frozenset(labels.items())
            found += [Point(name, key, *sample) for sample in zip(series["timestamps"], series["values"], strict=True)]
        return found
