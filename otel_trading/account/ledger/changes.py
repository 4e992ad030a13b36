"""What is to be written: what a source says has changed, and what of it is not in the file yet."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from otel_trading.account.ledger.schema import EXECUTIONS, HISTORY, ORDERS, ROWS
from otel_trading.metrics import faults

Row: TypeAlias = Mapping[str, Any]
Stored: TypeAlias = "str | int | float | None"


class Changes(NamedTuple):
    """What a source has to say since it was last asked; all of it is of the same moment, and is written together."""

    document: dict[str, Any] | str
    """The whole state, JSON-able or JSON: it replaces the one before."""
    executions: Sequence[str] = ()
    """Ids of executions that the state has in it and that no earlier changes named."""
    rows: Mapping[str, Sequence[Row]] = MappingProxyType({})
    """New rows of the tables of `schema.HISTORY`, by the table's name."""
    orders: Sequence[Row] = ()
    """What was entered of the orders that changed, as `schema.ORDER` names it; it replaces what was before."""


@dataclass
class Pending:
    """What of one source is not in the file yet: also all that could not be written while the disk was full.

    It is bounded by what the file would keep of it.
    """

    document: str | None = None
    executions: deque[str] = field(default_factory=lambda: deque(maxlen=EXECUTIONS))
    orders: deque[Row] = field(default_factory=lambda: deque(maxlen=ORDERS))
    rows: dict[str, deque[tuple[Stored, ...]]] = field(default_factory=dict[str, "deque[tuple[Stored, ...]]"])

    def add(self, changes: Changes) -> None:
        """Take `changes`; raises what `json` raises when the document is none.

        Without a document nothing is written: ids of executions that the file has, but that its state knows nothing of, would
        keep a replay from closing the hole.
        """
        self.executions.extend(changes.executions)
        self.orders.extend(changes.orders)
        for table, rows in changes.rows.items():
            self._add_rows(table, rows)
        self.document = None
        self.document = changes.document if isinstance(changes.document, str) else json.dumps(changes.document)

    def _add_rows(self, table: str, rows: Iterable[Row]) -> None:
        columns = HISTORY.get(table)
        if columns is None:
            faults.log_once(("ledger", table), "otel_trading: the ledger has no table %r; its rows are left out", table)
            return
        kept = self.rows.setdefault(table, deque(maxlen=ROWS))
        kept.extend(tuple(_stored(row.get(column)) for column in columns) for row in rows)


def _stored(value: object) -> Stored:
    """What SQLite stores exactly: money as text, as it has no decimal numbers."""
    if isinstance(value, Enum):
        value = value.value
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
