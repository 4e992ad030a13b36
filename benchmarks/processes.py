"""Starts the worker processes, on the CPUs that are theirs, and talks to them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from typing_extensions import Self

ROOT = Path(__file__).resolve().parent.parent

GRACE = 20.0
"""Seconds that a worker has to end."""


def cpus() -> list[int]:
    """The CPUs that this process may use; none where that cannot be known."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


ALL_CPUS = cpus()


def stand_aside() -> None:
    """Keep this process, which only commands and scrapes, and the fresh ones that it starts, away from the workers' CPU."""
    if len(ALL_CPUS) > 1:
        os.sched_setaffinity(0, ALL_CPUS[:1])


def environment() -> dict[str, str]:
    """The environment without settings of anybody's OpenTelemetry."""
    settings = ("OTEL_", "METRICS_", "PROMETHEUS_", "PYTHON")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(settings)}
    return {**clean, "PYTHONPATH": str(ROOT)}


class WorkerError(RuntimeError):
    """Something failed in a worker; the message is its traceback."""


class Worker:
    """One process with one case in it; used with `with`."""

    def __init__(self, case: type, *, python: str | Path = sys.executable, pinned: bool = True, **options: Any) -> None:
        chosen = ALL_CPUS[-1:] if pinned else ALL_CPUS
        self._command = [
            str(python),
            *("-m", "benchmarks.worker", case.__module__, case.__qualname__),
            ",".join(map(str, chosen)),
            json.dumps(options),
        ]

    def __enter__(self) -> Self:
        self._directory = tempfile.TemporaryDirectory()  # where no settings file lies about
        self._child = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=self._directory.name,
            env=environment(),
            text=True,
            bufsize=1,
        )
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._child.communicate(timeout=GRACE)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.communicate()
        self._directory.cleanup()

    def call(self, method: str, **arguments: Any) -> Any:
        """Call a method of the case and return what it returned."""
        self.send(method, **arguments)
        return self.answer()

    def send(self, method: str, **arguments: Any) -> None:
        """Begin a call, to do something meanwhile."""
        if self._child.stdin is None or self._child.poll() is not None:
            raise WorkerError(f"the worker ended with {self._child.returncode}: {' '.join(self._command[3:])}")
        self._child.stdin.write(json.dumps([method, arguments]) + "\n")

    def answer(self) -> Any:
        """Wait for what the begun call returns."""
        line = self._child.stdout.readline() if self._child.stdout else ""
        if not line:
            raise WorkerError(f"the worker ended: {' '.join(self._command[3:])}")
        answer = json.loads(line)
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer["result"]


def fresh(code: str, *arguments: str) -> list[float]:
    """Run `code` in a fresh interpreter, pinned like a worker, and return the numbers that it prints."""
    pin = f"import os; os.sched_setaffinity(0, {ALL_CPUS[-1:]}) if {bool(ALL_CPUS)} else None\n"
    with tempfile.TemporaryDirectory() as directory:
        done = subprocess.run(
            [sys.executable, "-c", pin + code, *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=directory,
            env=environment(),
        )
    if done.returncode:
        raise WorkerError(done.stderr)
    return [float(number) for number in done.stdout.split()]
