"""A real program as a test's child: it says what it printed when the test fails, and it dies with the test."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from typing_extensions import Self

T = TypeVar("T")

DEADLINE = 30.0
"""Seconds that anything which should happen soon may take: only a failing test waits that long."""

_processes: set[Process] = set()


def wait_until(predicate: Callable[[], T], what: str, timeout: float = DEADLINE, interval: float = 0.02) -> T:
    """Call `predicate` until its result is true and return that; fail after `timeout` seconds with the last result.

    An OSError (a server that is not there yet) counts as not yet, any other exception is the test's own.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            last: object = None
            if last := predicate():
                return last
        except OSError as error:
            last = error
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:g} s: {what}; at last: {last!r}")
        time.sleep(interval)


class Process:
    """A child process in its own process group, its output in `log`.

    `start` returns when `ready` is true, and fails at once if the program ends before. However the test ends, its
    children end too: on Linux even when the test's own process is killed.
    """

    def __init__(
        self, name: str, command: Sequence[str | Path], *, directory: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.command = [str(part) for part in command]
        self.directory = directory
        self.env = dict(env or {})
        self.log = directory / f"{name}.log"
        self._child: subprocess.Popen[bytes] | None = None

    def ready(self) -> bool:
        """Whether the program serves; a program with something to wait for overrides this."""
        return True

    def start(self) -> None:
        if self.running:
            raise RuntimeError(f"{self.name} runs already")
        self.directory.mkdir(parents=True, exist_ok=True)
        guard = shutil.which("setpriv")
        prefix = [guard, "--pdeathsig", "KILL"] if guard else []
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                [*prefix, *self.command],
                cwd=self.directory,
                env={**os.environ, **self.env},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        _processes.add(self)
        try:
            wait_until(self._ready_or_dead, f"{self.name} is ready")
        except BaseException:
            self.kill()
            raise

    def _ready_or_dead(self) -> bool:
        ended = not self.running  # looked at first: a short program may be ready and end between two looks
        if self.ready():
            return True
        if ended:
            raise RuntimeError(f"{self.name} ended with {self.returncode} before it was ready:\n{self.output()[-4000:]}")
        return False

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    @property
    def pid(self) -> int:
        return self._started.pid

    @property
    def returncode(self) -> int | None:
        """The exit status, negative for a signal; None while it runs or before it was started."""
        return self._child and self._child.poll()

    def output(self) -> str:
        """All that the program has printed, over all its starts."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def tell(self, line: str) -> None:
        """Write a line to the program's standard input."""
        stdin = self._started.stdin
        if stdin is None:
            raise RuntimeError(f"{self.name} has no standard input")
        stdin.write(f"{line}\n".encode())
        stdin.flush()

    def wait(self, timeout: float = DEADLINE) -> int:
        """Wait for the program to end by itself; return its exit status."""
        return self._started.wait(timeout)

    def stop(self, timeout: float = 10.0) -> int | None:
        """Ask the program to end (SIGTERM), insist after `timeout` seconds; return its exit status."""
        self._end(signal.SIGTERM, timeout)
        return self.returncode

    def kill(self) -> None:
        """End the program and all of its group at once, as `kill -9` does."""
        self._end(signal.SIGKILL, DEADLINE)

    def _end(self, signum: signal.Signals, timeout: float) -> None:
        child = self._child
        if child is None:
            return
        if child.poll() is None:
            os.killpg(child.pid, signum)
            try:
                child.wait(timeout)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait(DEADLINE)
        if child.stdin is not None:
            child.stdin.close()

    @property
    def _started(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            raise RuntimeError(f"{self.name} was not started")
        return self._child

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def logs() -> list[tuple[str, str]]:
    """Name and output of each process that this test, or a fixture that it shares, has started."""
    return [(process.name, output) for process in _processes if (output := process.output())]


def forget_ended() -> None:
    """Leave out of `logs` what has ended: the next test's failure is not its doing."""
    for process in list(_processes):
        if not process.running:
            _processes.discard(process)


@atexit.register
def _kill_all() -> None:
    for process in list(_processes):
        process.kill()
