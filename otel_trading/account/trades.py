"""Trades that were closed: what they earned, and how many ended how."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from otel_trading.account.book import Closed
from otel_trading.analytics.trades import Outcome, TradeStatistics

Convert = Callable[[dict[str, Decimal]], "Decimal | None"]


class Trades:
    """A trade is a position from flat to flat, or to the fill that turned it around; net of its fees and its funding."""

    def __init__(self) -> None:
        self.statistics = TradeStatistics()
        self.closed: dict[tuple[str, Outcome], int] = {}
        """How many by symbol and outcome."""

    def take(self, trades: Iterable[Closed], convert: Convert) -> list[tuple[str, Decimal, Outcome]]:
        """Enter trades at the present rates of exchange; one whose result is not known counts nowhere. Return the others."""
        taken: list[tuple[str, Decimal, Outcome]] = []
        for trade in trades:
            earned = None if trade.result is None else convert(trade.result)
            if earned is not None:
                outcome = self.statistics.close(earned)
                key = trade.symbol, outcome
                self.closed[key] = self.closed.get(key, 0) + 1
                taken.append((trade.symbol, earned, outcome))
        return taken

    def capture(self) -> dict[str, Any]:
        """Return the state, for `restore`."""
        closed = [[symbol, outcome, number] for (symbol, outcome), number in self.closed.items()]
        return {"statistics": self.statistics.dump(), "closed": closed}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what was captured."""
        self.statistics = TradeStatistics.load(state["statistics"])
        self.closed = {(symbol, outcome): number for symbol, outcome, number in state["closed"]}
