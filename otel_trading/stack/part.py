"""One program of the stack as a child of ours: its output in a file, its end asked for, or the kernel's when we are killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from http.client import HTTPException
from pathlib import Path
from typing import Final
from urllib.error import HTTPError

TERMINATE: Final = 10.0
"""Seconds that a program has to end after it was asked to."""

LOG_SIZE: Final = 10 << 20
"""Bytes beyond which a log begins anew."""

_LINES: Final = 10
_WIDTH: Final = 200
"""Characters of a line that is shown: a Collector writes pages into one."""

_MOST: Final = 64 << 20
"""What Prometheus takes of a bot: what it says of the SDK comes after all that the bot measures."""


class Part:
    """A child process, with `environment` as all that it is handed. It is ready when `ready_url` answers 200."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        ready_url: str,
        directory: Path,
        log: Path,
        environment: Mapping[str, str],
    ) -> None:
        self.name = name
        self.log = log
        self._command = command
        self._ready_url = ready_url
        self._directory = directory
        self._environment = environment
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it. Raises `OSError` when it cannot be run."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.write_bytes(b"")
        # To append is what lets `trim_log` shorten it under the program's hands.
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(  # noqa: S603 - the programs that the user has, with our arguments
                [*_guard(), *self._command],
                cwd=self._directory,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C is ours: we ask each part to end, once.
                start_new_session=True,
            )

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    @property
    def pid(self) -> int | None:
        return self._child and self._child.pid

    @property
    def ending(self) -> str:
        """How it ended, in words."""
        code = self._child and self._child.poll()
        if code is None:
            return "runs"
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"

    def ready(self) -> bool:
        return answers(self._ready_url)

    def last_lines(self) -> str:
        """The beginnings of the lines that it printed last, indented."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(f"    {line if len(line) <= _WIDTH else f'{line[: _WIDTH - 1]}…'}" for line in lines[-_LINES:])

    def trim_log(self) -> None:
        """Begin the log anew once it is longer than `LOG_SIZE`; what was in it is beside it, with `.1` after its name."""
        with suppress(OSError):  # the disk is full, or somebody removed it: neither ends the stack
            if self.log.stat().st_size > LOG_SIZE:
                with suppress(OSError):
                    shutil.copyfile(self.log, self.log.with_name(f"{self.log.name}.1"))
                os.truncate(self.log, 0)

    def ask_to_end(self) -> None:
        if self._child is not None and self.running:
            self._child.terminate()

    def end(self, timeout: float = TERMINATE) -> None:
        """Wait until it has ended, and end it by force after `timeout` seconds."""
        if self._child is None:
            return
        try:
            self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()


def answers(url: str) -> bool:
    """Whether an address of this machine answers 200."""
    return fetch(url) is not None


def fetch(url: str) -> bytes | None:
    """Return what an address of this machine answers, at most `_MOST` bytes; None if it is not 200. No proxy is asked."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=2) as response:
            return response.read(_MOST)
    except HTTPError as error:
        error.close()
        return None
    except (OSError, HTTPException, ValueError):
        return None


@cache
def _guard() -> tuple[str, ...]:
    """What to start a program with, so that it is asked to end when we are killed and cannot ask any more: Linux can."""
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    if setpriv is None:
        return ()
    guard = (setpriv, "--pdeathsig", "TERM")
    try:
        tried = subprocess.run([*guard, "true"], check=False, capture_output=True, timeout=10)  # noqa: S603 - no input of anybody's
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return guard if tried.returncode == 0 else ()  # BusyBox' has no such option
