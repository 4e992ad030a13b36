"""What closed trades have earned: win ratio, profit factor, expectancy, streaks."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Context, Decimal
from typing import Any, Literal

Outcome = Literal["win", "loss", "even"]

_ZERO = Decimal(0)
# Not the context of the thread: the bot's own may round to a few digits, or trap. 60 digits are exact for any money.
_MONEY = Context(prec=60, traps=[])


class TradeStatistics:
    """Statistics of all trades that were closed so far, each given by its profit or loss net of fees and funding.

    A trade that ended even counts as a trade: it is in the denominator of the win ratio and of the expectancy, and it ends a
    losing streak.
    """

    __slots__ = ("_count", "_gross_loss", "_gross_profit", "_longest_losing_streak", "_losing_streak", "_losses", "_wins")

    def __init__(self) -> None:
        self._count = self._wins = self._losses = self._losing_streak = self._longest_losing_streak = 0
        self._gross_profit = self._gross_loss = _ZERO

    def close(self, pnl: Decimal | float) -> Outcome:
        """Take the profit (positive) or loss of a trade in money; return how it ended. ValueError if that is not finite."""
        amount = pnl if isinstance(pnl, Decimal) else Decimal(repr(float(pnl)))
        if not amount.is_finite():
            raise ValueError(f"the profit or loss of a trade must be finite, not {pnl!r}")
        self._count += 1
        if amount < _ZERO:
            self._losses += 1
            self._gross_loss = _MONEY.subtract(self._gross_loss, amount)
            self._losing_streak += 1
            self._longest_losing_streak = max(self._longest_losing_streak, self._losing_streak)
            return "loss"
        self._losing_streak = 0
        if amount == _ZERO:
            return "even"
        self._wins += 1
        self._gross_profit = _MONEY.add(self._gross_profit, amount)
        return "win"

    @property
    def count(self) -> int:
        """Trades that were closed."""
        return self._count

    @property
    def wins(self) -> int:
        """Trades that ended with a profit."""
        return self._wins

    @property
    def losses(self) -> int:
        """Trades that ended with a loss."""
        return self._losses

    @property
    def win_ratio(self) -> float | None:
        """Wins over all closed trades; None before the first."""
        return self._wins / self._count if self._count else None

    @property
    def profit_ratio(self) -> float | None:
        """Gross profit over gross loss, the profit factor; None without a loss."""
        return float(_MONEY.divide(self._gross_profit, self._gross_loss)) if self._losses else None

    @property
    def expectancy(self) -> float | None:
        """Average profit or loss of a closed trade, in money; None before the first."""
        return _average(_MONEY.subtract(self._gross_profit, self._gross_loss), self._count)

    @property
    def average_win(self) -> float | None:
        """Average profit of the wins, in money; None without one."""
        return _average(self._gross_profit, self._wins)

    @property
    def average_loss(self) -> float | None:
        """Average loss of the losses, in money, positive; None without one."""
        return _average(self._gross_loss, self._losses)

    @property
    def losing_streak(self) -> int:
        """Losses in a row up to the last closed trade."""
        return self._losing_streak

    @property
    def longest_losing_streak(self) -> int:
        """Most losses in a row so far."""
        return self._longest_losing_streak

    def dump(self) -> dict[str, Any]:
        """Return the state as JSON can hold it; money as text."""
        return {
            "count": self._count,
            "wins": self._wins,
            "losses": self._losses,
            "losing_streak": self._losing_streak,
            "longest_losing_streak": self._longest_losing_streak,
            "gross_profit": str(self._gross_profit),
            "gross_loss": str(self._gross_loss),
        }

    @classmethod
    def load(cls, state: Mapping[str, Any]) -> TradeStatistics:
        """Return statistics that go on as those that were dumped."""
        trades = cls()
        trades._count, trades._wins, trades._losses = state["count"], state["wins"], state["losses"]
        trades._losing_streak, trades._longest_losing_streak = state["losing_streak"], state["longest_losing_streak"]
        trades._gross_profit, trades._gross_loss = Decimal(state["gross_profit"]), Decimal(state["gross_loss"])
        return trades


def _average(amount: Decimal, number: int) -> float | None:
    return float(_MONEY.divide(amount, Decimal(number))) if number else None
