"""The venue's own record on disk: a line of JSON for each thing it was asked to do, with what came of it.

The file is only ever appended to. The engine is deterministic: asked for the same again it is where it was. That is how a venue
that was stopped, in whatever way, goes on.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from otel_trading.demo.exchange.orders import Json

PATIENCE: Final = 15.0
"""Seconds that a venue waits for the one before it, which ends a little later than the bot that it served."""


class JournalError(Exception):
    """The file belongs to another run or to another venue, or it is none of ours."""


class Journal:
    """Keeps what is done in `path`; the first line says by which settings everything happened.

    One venue at a time has it: whoever comes next waits for `patience` seconds, and then raises `JournalError`.
    """

    def __init__(self, path: Path, settings: Json, *, patience: float = PATIENCE) -> None:
        self._lock = FileLock(f"{path}.lock", timeout=patience, thread_local=False)
        try:
            self._lock.acquire()  # pyright: ignore[reportUnknownMemberType] - of its return type, which is not used
        except Timeout:
            raise JournalError(f"{path} is the record of a paper exchange that runs") from None
        try:
            self._open(path, settings)
        except BaseException:
            self._lock.release()
            raise

    def _open(self, path: Path, settings: Json) -> None:
        self.commands: list[Json] = []
        """What was done before: name, arguments, facts."""
        self._facts: list[Json] = []
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        complete, _, _ = text.rpartition("\n")  # a venue that is killed while it writes leaves a part of a line
        lines = [self._read(line, path) for line in complete.split("\n") if line]
        if lines and lines[0].get("settings") != settings:
            known: Json = lines[0].get("settings") or {}
            other = [f"{name} {known.get(name)}" for name in settings if known.get(name) != settings[name]]
            raise JournalError(f"{path} is the record of another run, with {', '.join(other)}")
        self.commands = lines[1:]
        self._file = path.open("r+" if path.exists() else "w", encoding="utf-8")
        self._file.seek(len(complete.encode()) + 1 if complete else 0)
        self._file.truncate()
        if not lines:
            self._write({"settings": settings})

    def fact(self, kind: str, data: Json, time: int | None = None) -> None:
        """Note what came, at `time` in unix milliseconds, of the command that is being carried out."""
        self._facts.append({"type": kind, "time": time, "data": data})

    @contextmanager
    def command(self, name: str, arguments: Json) -> Generator[None]:
        """Write the command with its facts when it has been carried out or refused, before anybody gets an answer."""
        try:
            yield
        finally:
            self._write({"command": name, "arguments": arguments, "facts": self._facts})
            self._facts = []

    def close(self) -> None:
        self._file.close()
        self._lock.release()

    def _write(self, line: Json) -> None:
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()

    @staticmethod
    def _read(line: str, path: Path) -> Json:
        try:
            read = json.loads(line)
        except json.JSONDecodeError as wrong:
            raise JournalError(f"{path} is no record of a paper exchange") from wrong
        if not isinstance(read, dict):
            raise JournalError(f"{path} is no record of a paper exchange")
        return read  # pyright: ignore[reportUnknownVariableType] - JSON that we wrote
