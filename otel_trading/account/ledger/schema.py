"""What is in the file, and how a file of an earlier version becomes one of this."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

APPLICATION_ID: Final = int.from_bytes(b"otld", "big")
"""In the file's header, as SQLite's documentation recommends: a database of another program is never taken for a ledger."""

EXECUTIONS: Final = 50_000
"""Ids of executions that are kept of each account, the newest ones."""

ROWS: Final = 10_000
"""Rows that are kept of each account in each table of its history, the newest ones."""

RUNS: Final = 1_000
"""Runs that are kept; the number of unclean stops counts all that there ever were."""

HISTORY: Final[Mapping[str, tuple[str, ...]]] = {
    "flows": ("time", "amount", "kind"),
    "days": ("session", "equity", "pnl", "ratio"),
    "returns": ("time", "value"),
    "trades": ("closed", "symbol", "pnl", "outcome"),
}
"""The tables of an account's history and their columns, beside `id` and `account`. Times are unix seconds, money is text."""

TABLES: Final = ("ledger", "runs", "documents", "executions", *HISTORY)

_VERSION_1 = """
CREATE TABLE ledger (unclean_stops INTEGER NOT NULL);
INSERT INTO ledger VALUES (0);
CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    pid INTEGER NOT NULL,
    host TEXT NOT NULL,
    started REAL NOT NULL,
    written REAL NOT NULL,
    outcome TEXT CHECK (outcome IN ('clean', 'unclean'))
);
CREATE TABLE documents (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    written REAL NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (kind, name)
);
CREATE TABLE executions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL,
    execution TEXT NOT NULL,
    UNIQUE (account, execution)
);
CREATE INDEX executions_by_age ON executions (account, id);
CREATE TABLE flows (id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, time REAL, amount TEXT, kind TEXT);
CREATE INDEX flows_by_age ON flows (account, id);
CREATE TABLE days (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, session TEXT, equity TEXT, pnl TEXT, ratio REAL
);
CREATE INDEX days_by_age ON days (account, id);
CREATE TABLE returns (id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, time REAL, value REAL);
CREATE INDEX returns_by_age ON returns (account, id);
CREATE TABLE trades (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, closed REAL, symbol TEXT, pnl TEXT, outcome TEXT
);
CREATE INDEX trades_by_age ON trades (account, id);
"""


def _version_1(connection: sqlite3.Connection) -> None:
    for statement in _VERSION_1.split(";"):
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


MIGRATIONS: Final[list[Callable[[sqlite3.Connection], None]]] = [_version_1]
"""The n-th makes version n of version n-1 (0: an empty file). One that has been released is never changed."""


def version(connection: sqlite3.Connection) -> int:
    """The version of the file."""
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    return int(found)


def migrate(connection: sqlite3.Connection) -> None:
    """Make the file one of the newest version: all of it or, when something raises, nothing."""
    before = version(connection)
    if before == len(MIGRATIONS):
        return
    with transaction(connection):
        for step in MIGRATIONS[before:]:
            step(connection)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Write all that is executed in the block, or nothing of it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite has rolled back by itself after some errors
            connection.execute("ROLLBACK")
        raise
