"""What is in the file, and how a file of an earlier version becomes one of this."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

APPLICATION_ID: Final = int.from_bytes(b"otld", "big")
"""In the file's header, as SQLite's documentation recommends: a database of another program is never taken for a ledger."""

EXECUTIONS: Final = 50_000
"""Ids of executions that are kept of each account, the newest ones."""

ORDERS: Final = 10_000
"""Orders of each account of which is kept what was entered, those that changed last."""

ROWS: Final = 10_000
"""Rows that are kept of each account in each table of its history, the newest ones."""

RUNS: Final = 1_000
"""Runs that are kept; the number of unclean stops counts all that there ever were."""

HISTORY: Final[Mapping[str, tuple[str, ...]]] = {
    "flows": ("time", "amount", "currency", "value", "kind"),
    "days": ("session", "equity", "pnl", "ratio"),
    "returns": ("time", "value"),
    "trades": ("closed", "symbol", "pnl", "outcome"),
}
"""The tables of an account's history and their columns, beside `id` and `account`. Times are unix seconds, money is text."""

ORDER: Final = ("names", "filled", "cost", "fees", "single", "single_fees")
"""The columns of `orders`, beside `id`, `account` and `name`; those of `JSON` are text of it."""

JSON: Final[Mapping[str, tuple[str, ...]]] = {"documents": ("document",), "orders": ("names", "fees", "single_fees")}
"""Columns whose text is JSON, by their table."""

READABLE: Final = ("runs", "documents", "executions", "orders", *HISTORY)
"""The tables that make sense to somebody else."""

TABLES: Final = ("ledger", *READABLE)

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


_VERSION_2 = """
CREATE TABLE orders (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    names TEXT NOT NULL,
    filled TEXT NOT NULL,
    cost TEXT NOT NULL,
    fees TEXT NOT NULL,
    single TEXT NOT NULL,
    single_fees TEXT NOT NULL,
    UNIQUE (account, name)
);
CREATE INDEX orders_by_age ON orders (account, id);
ALTER TABLE flows ADD COLUMN currency TEXT;
ALTER TABLE flows ADD COLUMN value TEXT;
"""


def _version_2(connection: sqlite3.Connection) -> None:
    """Give orders a table of their own, in place of texts among the executions, and flows their currency and value."""
    for statement in _VERSION_2.split(";"):
        connection.execute(statement)
    of_orders = "FROM executions WHERE execution GLOB '|*'"
    for account, execution in connection.execute(f"SELECT account, execution {of_orders} ORDER BY id").fetchall():
        names, filled, cost, single, fees, single_fees = json.loads(execution[1:])
        record = {"names": names, "filled": filled, "cost": cost, "fees": fees, "single": single, "single_fees": single_fees}
        put_order(connection, account, record)
    connection.execute(f"DELETE {of_orders}")
    currencies = [
        (json.loads(document).get("currency"), account)
        for account, document in connection.execute("SELECT name, document FROM documents WHERE kind = 'account'")
    ]
    # What a deposit was worth in the account's currency was all that was kept of it; of funding its own currency was not.
    connection.executemany(
        "UPDATE flows SET currency = ?, value = amount WHERE account = ? AND kind IN ('deposit', 'withdrawal')", currencies
    )


def put_order(connection: sqlite3.Connection, account: str, record: Mapping[str, Any]) -> None:
    """Write what was entered of an order, in the place of what there is of it under any of its names."""
    connection.executemany("DELETE FROM orders WHERE account = ? AND name = ?", [(account, name) for name in record["names"]])
    texts = [json.dumps(record[column]) if column in JSON["orders"] else record[column] for column in ORDER]
    connection.execute(
        f"INSERT INTO orders (account, name, {', '.join(ORDER)}) VALUES (?, ?, {', '.join('?' * len(ORDER))})",  # noqa: S608 - fixed names
        (account, record["names"][0], *texts),
    )


MIGRATIONS: Final[list[Callable[[sqlite3.Connection], None]]] = [_version_1, _version_2]
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
