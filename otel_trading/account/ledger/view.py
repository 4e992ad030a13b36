"""A look into a ledger that changes nothing in it, whether a bot has it open or not."""

from __future__ import annotations

import json
import platform
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import psutil

from otel_trading.account.ledger import schema
from otel_trading.account.ledger.copies import copy_of
from otel_trading.account.ledger.opening import BUSY, DamagedError, check_header
from otel_trading.errors import ConfigurationError

RunState: TypeAlias = Literal["running", "clean", "unclean"]


@dataclass(frozen=True)
class Run:
    """The newest process that had the ledger open; times are unix seconds."""

    pid: int
    host: str
    started: float
    written: float
    state: RunState
    """`unclean` also when it has ended without a word since, which is counted when the ledger is opened again."""


@dataclass(frozen=True)
class Document:
    """A state that is kept."""

    kind: str
    name: str
    written: float
    size: int


@dataclass(frozen=True)
class Summary:
    """What there is in a ledger."""

    version: int
    unclean_stops: int
    """Those that were counted, and the last run's if it was one and was not counted yet."""
    run: Run | None
    documents: tuple[Document, ...]
    rows: dict[str, int]
    """Numbers of rows by table."""


class View:
    """One moment of the ledger: everything that is read through it belongs together."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def summary(self) -> Summary:
        """Say what there is."""
        read = self._connection.execute
        (unclean,) = read("SELECT unclean_stops FROM ledger").fetchone()
        found = read("SELECT pid, host, started, written, outcome FROM runs ORDER BY id DESC LIMIT 1").fetchone()
        run = None if found is None else Run(*found[:4], state=found[4] or _state(*found[:3]))
        uncounted = found is not None and found[4] is None and run is not None and run.state == "unclean"
        documents = read("SELECT kind, name, written, length(CAST(document AS BLOB)) FROM documents ORDER BY kind, name")
        return Summary(
            version=schema.version(self._connection),
            unclean_stops=unclean + uncounted,
            run=run,
            documents=tuple(Document(*document) for document in documents),
            rows={table: read(f"SELECT count(*) FROM {table}").fetchone()[0] for table in schema.READABLE},  # noqa: S608 - fixed names
        )

    def columns(self, table: str) -> list[str]:
        """The names of what `rows` gives for each row of the table."""
        return [name for _, name, *_ in self._connection.execute(f"PRAGMA table_info({table})") if name != "id"]

    def rows(self, table: str) -> Iterator[dict[str, Any]]:
        """The rows of one of the tables of `schema.READABLE`, the oldest first."""
        columns = self.columns(table)
        for row in self._connection.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY rowid"):  # noqa: S608 - fixed names
            yield dict(zip(columns, row, strict=True))


def document(text: str) -> Any:
    """Return the state that was written as `text`; a number that JSON does not have (NaN) is None."""
    return json.loads(text, parse_constant=lambda _: None)


@contextmanager
def view(path: Path) -> Iterator[View]:
    """Look into the ledger at `path`.

    Raises `ConfigurationError` when there is none, when it is damaged, another program's, or of another version.
    """
    if not path.is_file():
        raise ConfigurationError(f"there is no ledger at {path}")
    try:
        check_header(path)
        # Without a write-ahead log nobody has it open: as an immutable file it is read from a read-only disk too, and nothing
        # is made beside it.
        aside = "ro" if path.with_name(f"{path.name}-wal").exists() else "ro&immutable=1"
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode={aside}", uri=True, isolation_level=None, timeout=BUSY)
        try:
            connection.execute("BEGIN")
            _check_version(connection, path)
            yield View(connection)
        finally:
            connection.close()
    except OSError as error:
        raise ConfigurationError(f"ledger {path} cannot be read: {error}") from error
    except (DamagedError, sqlite3.DatabaseError) as error:
        what = str(error) if isinstance(error, DamagedError) else f"cannot be read ({error})"
        copy = copy_of(path)
        hint = f"; its last good copy is {copy}, from which the bot goes on when it is started" if copy.exists() else ""
        raise ConfigurationError(f"ledger {path} {what}{hint}") from error


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    found, known = schema.version(connection), len(schema.MIGRATIONS)
    if found > known:
        raise ConfigurationError(f"ledger {path} is of version {found}, and this otel_trading knows up to {known}: upgrade it")
    if found < known:
        raise ConfigurationError(
            f"ledger {path} is of version {found}; it becomes one of version {known} when the bot opens it"
        )


def _state(pid: int, host: str, started: float) -> RunState:
    """Whether a run that has no end goes on: of one on another machine (or in another container) it can only be believed."""
    if host != platform.node():
        return "running"
    try:
        process = psutil.Process(pid)
        # Another process may have the number by now: one that began after the ledger was opened.
        return "running" if process.create_time() <= started + 1.0 else "unclean"
    except psutil.Error:
        return "unclean"
