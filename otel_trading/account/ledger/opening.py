"""From a path to a ledger that is sound, of this version, and can be written; or to an error that says what to do."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from otel_trading.account.ledger import schema
from otel_trading.account.ledger.copies import copy_of, replace, restore
from otel_trading.errors import ConfigurationError

_logger = logging.getLogger("otel_trading")

_HEADER = b"SQLite format 3\x00"
_HEADER_SIZE = 100
_APPLICATION_ID = slice(68, 72)
"""As SQLite's file format has them (section 1.3)."""
_LOG_HEADER_SIZE = 32
"""Of a write-ahead log (section 4.1)."""

_UNWRITABLE = ("readonly", "read-only", "unable to open", "disk i/o error", "full", "locked")
"""Words of SQLite's messages about what surrounds the file; its other errors are about what is in it."""

BUSY = 2.0
"""Seconds to wait for a program that holds the file, such as somebody's `sqlite3`."""


class DamagedError(Exception):
    """The file is not what was written; the message goes on after its name."""


def opened(path: Path) -> sqlite3.Connection:
    """Open the ledger at `path` for writing: made if there is none, brought to this version, restored from its good copy.

    Raises `ConfigurationError` when it is another program's or a newer version's, and when it is damaged and has no good copy:
    nothing has been changed then. What the disk and other programs may do about it goes into `surroundings`.
    """
    if not path.exists():
        if copy_of(path).exists():
            _restore(path, "is missing")
        else:
            replace(path, schema.migrate)
    log = path.with_name(f"{path.name}-wal")
    logged = log.exists() and log.stat().st_size > _LOG_HEADER_SIZE
    try:
        connection = _sound(path)
    except DamagedError as damage:
        _restore(path, str(damage))
        connection, logged = _sound(path), False
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        # The operating system has what was written, also when the process is killed; only a power cut may take the newest
        # transactions, whole ones. FULL would wait for the disk at each of them.
        connection.execute("PRAGMA synchronous = NORMAL")
        schema.migrate(connection)
        if checkpoint(connection) == 0 and logged:
            _logger.error(
                "otel_trading: nothing in the write-ahead log of the ledger %s can be read; going on from the file without it. "
                "What was written last is missing: tell the account the fills of the last hours with sync_fills()",
                path,
            )
    except BaseException:
        connection.close()
        raise
    return connection


def checkpoint(connection: sqlite3.Connection) -> int:
    """Bring what is in the write-ahead log into the file as well, as far as no reader needs it as it was; return its pages.

    What is in the file is there still when the log is lost, or is left out of a backup: SQLite takes a log that it cannot read
    for none.
    """
    (_, pages, _) = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return int(pages)


def check_header(path: Path) -> None:
    """Raise `DamagedError` when the file at `path` is no SQLite database, `ConfigurationError` when it is somebody else's."""
    with path.open("rb") as file:
        header = file.read(_HEADER_SIZE)
    if not header:
        raise DamagedError("is empty")
    if len(header) < _HEADER_SIZE or not header.startswith(_HEADER):
        raise DamagedError("is no SQLite database")
    if header[_APPLICATION_ID] != schema.APPLICATION_ID.to_bytes(4, "big"):
        raise ConfigurationError(f"ledger {path} is a database of another program; nothing was changed, name another file")


def sound(path: Path) -> None:
    """Raise when the file at `path` is no ledger of ours that is whole."""
    _sound(path).close()


def _sound(path: Path) -> sqlite3.Connection:
    """Open it and look at every page of it."""
    check_header(path)
    # Used by the writer's thread after this one, never by two at once.
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode=rw", uri=True, isolation_level=None, check_same_thread=False, timeout=BUSY
    )
    try:
        _look(connection, path)
    except sqlite3.DatabaseError as error:
        connection.close()
        if _unwritable(error):
            raise
        raise DamagedError(f"is damaged ({error})") from error
    except BaseException:
        connection.close()
        raise
    return connection


def _look(connection: sqlite3.Connection, path: Path) -> None:
    (finding,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if finding != "ok":
        raise DamagedError(f"is damaged ({' '.join(str(finding).split())})")
    found = schema.version(connection)
    if found > len(schema.MIGRATIONS):
        raise ConfigurationError(
            f"ledger {path} is of version {found}, and this otel_trading knows up to {len(schema.MIGRATIONS)}: "
            "install the newer otel_trading again, or name another file"
        )
    if found < 1:
        raise DamagedError(f"is damaged (it has the version {found})")
    if found == len(schema.MIGRATIONS):
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if missing := [table for table in schema.TABLES if table not in tables]:
            raise DamagedError(f"is damaged (it has no table {', '.join(missing)})")
        for kind, name, document in connection.execute("SELECT kind, name, document FROM documents"):
            if not _is_json(document):
                raise DamagedError(f"is damaged (the {kind} {name!r} is not readable)")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _restore(path: Path, damage: str) -> None:
    copy = copy_of(path)
    if not copy.exists():
        raise ConfigurationError(
            f"ledger {path} {damage}, and there is no copy of it at {copy}: put a backup in its place, or move it away "
            "to begin anew, without the peak, the statistics and the executions that it has"
        )
    try:
        aside = restore(path, sound)
    except DamagedError as too:
        raise ConfigurationError(
            f"ledger {path} {damage}, and its copy {copy} {too}: put a backup in its place, or move both away to begin anew"
        ) from too
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        (written,) = connection.execute("SELECT strftime('%Y-%m-%dT%H:%M:%SZ', max(written), 'unixepoch') FROM runs").fetchone()
    _logger.error(
        "otel_trading: ledger %s %s; going on from its copy, which was written last at %s%s. What came later is missing: "
        "tell the account the fills since then with sync_fills()",
        path,
        damage,
        written,
        f" (what was there is now {aside})" if aside else "",
    )


@contextmanager
def surroundings(path: Path) -> Iterator[None]:
    """Make a `ConfigurationError` of what the permissions, the space or other programs do to the file."""
    try:
        yield
    except (OSError, sqlite3.OperationalError) as error:
        raise ConfigurationError(f"ledger {path} cannot be opened and written: {error}") from error


def _unwritable(error: sqlite3.DatabaseError) -> bool:
    return isinstance(error, sqlite3.OperationalError) and any(word in str(error).lower() for word in _UNWRITABLE)
