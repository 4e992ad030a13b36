"""The open ledger: what it reads and writes, in whole transactions. Used by one thread at a time."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from otel_trading.account.ledger import schema
from otel_trading.account.ledger.changes import Pending
from otel_trading.account.ledger.copies import copy_of, remove, replace
from otel_trading.account.ledger.opening import checkpoint, opened, surroundings
from otel_trading.account.ledger.schema import transaction
from otel_trading.metrics import faults

Key = tuple[str, str]
"""Kind and name of a document."""

_PRUNE_EVERY = 500
"""Rows that a table may have beyond its bound: pruning at each write would cost more than the writes."""


class Store:
    """The ledger at `path`, in a run of its own. Raises `ConfigurationError` when it cannot be opened and written."""

    def __init__(self, path: Path, now: float) -> None:
        self.path = path
        self._added: dict[tuple[str, str], int] = {}
        with surroundings(path):
            self.connection = opened(path)
            try:
                self.unclean_stops = self._begin(now)
                checkpoint(self.connection)  # that there was this run is known without the log, too
            except BaseException:
                self.connection.close()
                raise
            self._place = _place(path)

    def _begin(self, now: float) -> int:
        """Begin a run; one before it that has not ended cleanly is counted. Return how many those are in all."""
        with transaction(self.connection):
            unclean = self.connection.execute("UPDATE runs SET outcome = 'unclean' WHERE outcome IS NULL").rowcount
            self.connection.execute("UPDATE ledger SET unclean_stops = unclean_stops + ?", (unclean,))
            self._run = self.connection.execute(
                "INSERT INTO runs (pid, host, started, written) VALUES (?, ?, ?, ?)", (os.getpid(), platform.node(), now, now)
            ).lastrowid
            self.connection.execute("DELETE FROM runs WHERE id <= ?", ((self._run or 0) - schema.RUNS,))
            (count,) = self.connection.execute("SELECT unclean_stops FROM ledger").fetchone()
        return int(count)

    def document(self, key: Key) -> str | None:
        found = self.connection.execute("SELECT document FROM documents WHERE kind = ? AND name = ?", key).fetchone()
        return None if found is None else str(found[0])

    def executions(self, account: str) -> list[str]:
        """The newest ids that were seen, the oldest of them first."""
        found = self.connection.execute(
            "SELECT execution FROM executions WHERE account = ? ORDER BY id DESC LIMIT ?", (account, schema.EXECUTIONS)
        )
        return [execution for (execution,) in found][::-1]

    def orders(self, account: str) -> list[dict[str, Any]]:
        """What was entered of the orders that changed last, the last one at the end."""
        found = self.connection.execute(
            f"SELECT {', '.join(schema.ORDER)} FROM orders WHERE account = ? ORDER BY id DESC LIMIT ?",  # noqa: S608 - fixed names
            (account, schema.ORDERS),
        )
        return [
            {
                column: json.loads(text) if column in schema.JSON["orders"] else text
                for column, text in zip(schema.ORDER, row, strict=True)
            }
            for row in found
        ][::-1]

    def write(self, changed: Mapping[Key, Pending], now: float, *, clean: bool = False) -> None:
        """Write all of it, or nothing; the last time marked as a clean end of the run."""
        self._stay_in_place()
        added = self._added.copy()
        with transaction(self.connection):
            for (kind, name), pending in changed.items():
                self.connection.execute(
                    "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?)", (kind, name, now, pending.document)
                )
                self.connection.executemany(
                    "INSERT OR IGNORE INTO executions (account, execution) VALUES (?, ?)",
                    [(name, execution) for execution in pending.executions],
                )
                self._prune("executions", name, len(pending.executions), schema.EXECUTIONS, added)
                for order in pending.orders:
                    schema.put_order(self.connection, name, order)
                self._prune("orders", name, len(pending.orders), schema.ORDERS, added)
                for table, rows in pending.rows.items():
                    columns = ("account", *schema.HISTORY[table])
                    self.connection.executemany(
                        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",  # noqa: S608 - names of the schema
                        [(name, *row) for row in rows],
                    )
                    self._prune(table, name, len(rows), schema.ROWS, added)
            outcome = "clean" if clean else None
            self.connection.execute("UPDATE runs SET written = ?, outcome = ? WHERE id = ?", (now, outcome, self._run))
        self._added = added

    def _prune(self, table: str, account: str, count: int, bound: int, added: dict[tuple[str, str], int]) -> None:
        """Delete the oldest rows beyond the bound, now and then; the first time too, for those of the runs before."""
        if not count:
            return
        before = added.get((table, account))
        added[table, account] = 0 if before is None else before + count
        if before is None or before + count >= _PRUNE_EVERY:
            added[table, account] = 0
            self.connection.execute(
                f"DELETE FROM {table} WHERE account = :account AND id <= "  # noqa: S608 - names of the schema
                f"(SELECT id FROM {table} WHERE account = :account ORDER BY id DESC LIMIT 1 OFFSET :bound)",
                {"account": account, "bound": bound},
            )

    def _stay_in_place(self) -> None:
        """Make the file anew that somebody has deleted: what is open has no name any more, and would go with the process."""
        there = _place(self.path)
        if there == self._place:
            return
        if there is not None:
            raise OSError(f"ledger {self.path}: another file was put there while it is open; stop the bot before that")

        def make(new: sqlite3.Connection) -> None:
            self._back_up(new)
            self.connection.close()
            remove(self.path)  # what SQLite kept beside it would be taken for the new one's

        replace(self.path, make)
        self.connection, self._place = opened(self.path), _place(self.path)
        faults.log_once(
            ("ledger", "deleted", self.path),
            "otel_trading: ledger %s was deleted while it is open, and was written again; stop the bot before you remove it",
            self.path,
        )

    def copy(self) -> None:
        """Make the good copy anew; raises when what it was made of is damaged, and the copy before stays."""
        replace(copy_of(self.path), self._back_up)
        checkpoint(self.connection)  # a file that has lost its log is no older than this copy

    def _back_up(self, copy: sqlite3.Connection) -> None:
        self.connection.backup(copy)
        (finding,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
        if finding != "ok":
            raise sqlite3.DatabaseError(f"ledger {self.path} is damaged: {finding}")

    def close(self) -> None:
        """Close the file; what was written is then in it, and nothing is left beside it."""
        self.connection.close()


def _place(path: Path) -> tuple[int, int] | None:
    """Which file is there just now."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
