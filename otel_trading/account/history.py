"""What happened to an account and is worth keeping as rows: flows, days, returns, trades."""

from __future__ import annotations

from collections import deque
from typing import Any, Final, Literal

Table = Literal["flows", "days", "returns", "trades"]
Row = dict[str, Any]

_WAITING: Final = 10_000
"""Rows of each table that wait to be written; of more, while the disk is full say, the newest."""


class History:
    """Rows that wait until a ledger takes them; without one nothing is kept."""

    def __init__(self) -> None:
        self._tables: dict[Table, deque[Row]] | None = None

    def begin(self) -> None:
        """Keep what happens from now on."""
        self._tables = {table: deque(maxlen=_WAITING) for table in ("flows", "days", "returns", "trades")}

    def add(self, table: Table, **row: Any) -> None:
        """Note what happened."""
        if self._tables is not None:
            self._tables[table].append(row)

    def take(self) -> dict[str, list[Row]]:
        """Return what happened since the last call, tables without any left out."""
        tables = self._tables or {}
        found = {str(table): list(rows) for table, rows in tables.items() if rows}
        for rows in tables.values():
            rows.clear()
        return found
