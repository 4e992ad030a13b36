"""Small programs with this SDK in them, as processes of their own."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

from tests.harness.process import Process


class Program(Process):
    """Runs Python code, warnings being errors as in the tests; it is ready when it has printed `ready`."""

    def __init__(self, directory: Path, code: str, *, env: Mapping[str, str] | None = None) -> None:
        command = [sys.executable, "-u", "-W", "error", "-c", textwrap.dedent(code)]
        super().__init__("program", command, directory=directory, env=env)

    def start(self) -> None:
        self.log.unlink(missing_ok=True)
        super().start()

    def ready(self) -> bool:
        return "ready\n" in self.output() or not self.running


def run(directory: Path, code: str, *, env: Mapping[str, str] | None = None, status: int = 0) -> str:
    """Run a program to its end, which has to be this one; return what it printed."""
    with Program(directory, textwrap.dedent(code) + "\nprint('ready')", env=env) as program:
        assert program.wait(60) == status, program.output()
    return program.output().replace("ready\n", "")
