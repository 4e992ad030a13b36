"""What an account comes to of which only the document is there: for a look into a ledger, without the bot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from otel_trading.account import persistence
from otel_trading.account.history import History
from otel_trading.account.money import ZERO, Exact
from otel_trading.account.position import Position
from otel_trading.account.sessions import Timeline
from otel_trading.account.settings import checked
from otel_trading.account.state import State
from otel_trading.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Kept:
    """An account as it was when it was written last: money in `currency`, None for what is not known."""

    currency: str
    equity: Decimal | None
    cash: Decimal | None
    peak_equity: Decimal | None
    drawdown: float | None
    """Fall from the peak, as a fraction of it."""
    max_drawdown: float | None
    realized_pnl: Decimal | None
    unrealized_pnl: Decimal | None
    positions: tuple[Position, ...]
    """The open ones, by symbol."""
    trades: int
    """Closed ones: from flat to flat."""
    wins: int
    losses: int


def kept(document: Mapping[str, Any], name: str) -> Kept:
    """Return what an account would go on from that is given `document`.

    Raises `ConfigurationError` when it is no document of an account.
    """
    try:
        with Exact():
            return _read(_restored(document, name))
    except (AttributeError, LookupError, TypeError, ValueError, ArithmeticError) as error:
        raise ConfigurationError(
            f"Account {name!r}: this is no state of an account ({type(error).__name__}: {error})"
        ) from error


def _restored(document: Mapping[str, Any], name: str) -> State:
    settings = checked(
        cost=document["cost"], session=("00:00", "UTC"), returns_every=86_400, window=252, min_periods=30,
        periods_per_year=365, risk_free_rate=0, confidence=0.95, risky=None, stale_after=None,
    )  # fmt: skip
    state = State(str(document["currency"]), ZERO, settings, History())
    persistence.restore(document, state, Timeline(lambda: 0.0, settings.day, settings.returns_every), name)
    return state


def _read(state: State) -> Kept:
    positions = (holding.position() for _, holding in sorted(state.book.open.items()))
    return Kept(
        currency=state.book.currency,
        equity=state.equity,
        cash=state.cash,
        peak_equity=state.peak_equity,
        drawdown=state.drawdown,
        max_drawdown=state.max_drawdown,
        realized_pnl=state.realized,
        unrealized_pnl=state.unrealized,
        positions=tuple(positions),
        trades=state.trades.statistics.count,
        wins=state.trades.statistics.wins,
        losses=state.trades.statistics.losses,
    )
