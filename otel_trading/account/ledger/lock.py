"""One process for each file. The operating system frees the lock when the process ends, however it does."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from filelock import FileLock, Timeout

from otel_trading.errors import ConfigurationError


def locked(path: Path) -> FileLock:
    """Lock the ledger at `path` for this process.

    Raises `ConfigurationError` when another process has it, whose id the message names, or when no file can be made there.
    """
    # Not of one thread: the writer's thread releases what the bot's has taken.
    lock = FileLock(f"{path}.lock", timeout=0, thread_local=False)
    try:
        lock.acquire()  # pyright: ignore[reportUnknownMemberType] - of its return type, which is not used
    except Timeout:
        if not os.path.lexists(lock.lock_file):  # where no file can be made, some file systems say that there is none
            raise ConfigurationError(f"ledger {path}: no file can be made in {path.parent}, name another place") from None
        raise ConfigurationError(
            f"ledger {path}: {_holder(path)} has it open; one process writes a ledger, give each bot a file of its own"
        ) from None
    except OSError as error:
        raise ConfigurationError(f"ledger {path}: cannot be locked, because {error}") from error
    return lock


def _holder(path: Path) -> str:
    """Who has it, as the file says: that a reader can see it is what SQLite's write-ahead log is for."""
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            found = connection.execute("SELECT pid, host FROM runs WHERE outcome IS NULL ORDER BY id DESC LIMIT 1").fetchone()
    except sqlite3.Error:
        found = None
    return "another process" if found is None else f"the process {found[0]} on {found[1]}"
