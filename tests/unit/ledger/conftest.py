"""Ledgers that write when a test says so, and sources that say what a test tells them to."""

from __future__ import annotations

from pathlib import Path

import pytest

from otel_trading.account.ledger import Changes, Ledger

NEVER = 86400.0


class Source:
    """What keeps its state in a ledger: it says each of `told` once, the next one each time that it is asked."""

    def __init__(self, *told: Changes | None) -> None:
        self.told = list(told)
        self.asked = 0

    def tell(self, document, executions=(), rows=None, orders=()) -> None:
        self.told.append(Changes(document, executions, rows or {}, orders))

    def __call__(self) -> Changes | None:
        self.asked += 1
        return self.told.pop(0) if self.told else None


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "main.db"


@pytest.fixture
def open_ledger(path):
    """Open the test's ledger, which writes only when it is told to; whatever is open at the end is closed."""
    opened = []

    def open_it(where: Path = path, flush_every: float = NEVER) -> Ledger:
        opened.append(Ledger.open(where, flush_every=flush_every))
        return opened[-1]

    yield open_it
    for ledger in opened:
        ledger.close()
