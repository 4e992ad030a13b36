"""`otel-trading demo` as the program that it is, and short ways to ask what it exposes."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path

from tests.harness import Process, find, free_port, wait_until

PROGRAM = Path(sys.executable).with_name("otel-trading")


class Demo(Process):
    """The demo with its endpoint on a free port, and the exchange's record in a file."""

    def __init__(self, directory: Path, *options: str | Path, env: dict[str, str] | None = None, name: str = "demo") -> None:
        self.port = free_port()
        self.record_file = directory / f"{name}-record.json"
        own = ["demo", "--port", str(self.port), "--record", self.record_file]
        super().__init__(name, [PROGRAM, *own, *options], directory=directory, env=env)

    def ready(self) -> bool:
        return self.record_file.exists() or "metrics:" in self.output()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/metrics"

    @property
    def record(self):
        return json.loads(self.record_file.read_text())

    @property
    def finished(self) -> bool:
        return "finished" in self.output() or not self.running

    def wait_until_lingering(self) -> None:
        wait_until(lambda: self.finished, "the last day is over", timeout=150)
        assert self.running, self.output()

    def interrupt(self) -> None:
        os.kill(self.pid, signal.SIGINT)


def total(samples, name: str, **labels: str) -> float:
    """The sum over all series of a metric that have these labels."""
    return sum(sample.value for sample in find(samples, name, **labels))


def by(samples, name: str, *labels: str) -> Counter:
    """The sums of a metric by the values of these labels."""
    found = Counter()
    for sample in find(samples, name):
        found[tuple(sample.labels[label] for label in labels)] += sample.value
    return found
