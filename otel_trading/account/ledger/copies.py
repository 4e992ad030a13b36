"""The last good copy of a ledger, kept beside it, and its return when the ledger itself is damaged."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

SIDES = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database; left beside another database, it would be taken for that one's."""


def copy_of(path: Path) -> Path:
    """Where the good copy of the ledger at `path` is."""
    return path.with_name(f"{path.name}.copy")


def new_at(path: Path) -> Path:
    """Where what is to be at `path` is made: it appears there whole, or not at all."""
    return path.with_name(f"{path.name}.new")


def remove(path: Path) -> None:
    """Delete a database and what SQLite keeps beside it."""
    for name in (path.name, *(path.name + side for side in SIDES)):
        path.with_name(name).unlink(missing_ok=True)


def replace(path: Path, make: Callable[[sqlite3.Connection], object]) -> None:
    """Let `make` fill an empty database, and put it at `path` when it is safely on the disk."""
    new = new_at(path)
    remove(new)
    try:
        with closing(sqlite3.connect(new, isolation_level=None)) as connection:
            make(connection)
            # A single file from now on: it is renamed, and what SQLite keeps beside it would stay behind.
            connection.execute("PRAGMA journal_mode = DELETE")
        _put(new, path)
    except BaseException:
        remove(new)
        raise


def restore(path: Path, check: Callable[[Path], None]) -> Path | None:
    """Put the copy in the place of the ledger at `path`, which stays beside it under the name that is returned.

    What `check` raises about the copy is raised before anything has been moved.
    """
    new = new_at(path)
    remove(new)
    try:
        shutil.copyfile(copy_of(path), new)
        check(new)
    except BaseException:
        remove(new)
        raise
    aside = path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}")
    kept = path.exists()
    for side in ("", *SIDES):
        beside = path.with_name(path.name + side)
        if beside.exists():
            beside.replace(aside.with_name(aside.name + side))
    _put(new, path)
    return aside if kept else None


def _put(new: Path, path: Path) -> None:
    """Rename, so that also after a power cut there is the one or the other, whole."""
    with new.open("rb+") as file:
        os.fsync(file.fileno())
    new.replace(path)
    if os.name == "posix":
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
