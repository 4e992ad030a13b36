"""The figures of an account at one moment, as its metrics show them; None is what is not known, or is too old to be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

from otel_trading.account.money import quotient
from otel_trading.account.performance import Ratios
from otel_trading.account.position import Holding
from otel_trading.account.state import State
from otel_trading.analytics.trades import Outcome


class PositionFigures(NamedTuple):
    """One open position; value and profit in the account's currency."""

    symbol: str
    size: Decimal
    value: Decimal | None
    unrealized_pnl: Decimal | None
    entry_price: Decimal | None
    quote: str
    """The currency of the entry price."""
    liquidation_distance: Decimal | None


@dataclass(frozen=True, slots=True)
class Figures:
    """All that is exported; money in the account's currency."""

    equity: Decimal | None
    cash: Decimal | None
    peak_equity: Decimal | None
    buying_power: Decimal | None
    margin_used: Decimal | None
    margin_available: Decimal | None
    exposure_gross: Decimal | None
    exposure_net: Decimal | None
    exposure_ratio: Decimal | None
    leverage_ratio: Decimal | None
    active: int | None
    unprotected: int | None
    realized: Decimal | None
    unrealized: Decimal | None
    net: Decimal | None
    daily: Decimal | None
    daily_ratio: float | None
    turnover: float | None
    drawdown: float | None
    max_drawdown: float | None
    drawdown_duration: float | None
    calmar: float | None
    ratios: Ratios
    win_ratio: float | None
    profit_ratio: float | None
    expectancy: float | None
    average_win: float | None
    average_loss: float | None
    losing_streak: int | None
    positions: tuple[PositionFigures, ...]
    closed: Mapping[tuple[str, Outcome], int]
    """Closed trades by symbol and outcome."""
    funding: Mapping[str, Decimal]
    """Funding, interest and dividends by currency."""

    def later(self, state: State, present: float | None) -> Figures:
        """Return the same figures at a later moment, before which nothing happened: only time has passed."""
        drawdown = None if self.equity is None else state.performance.drawdown
        return replace(self, drawdown_duration=None if drawdown is None or present is None else drawdown.duration(present))


class _Freshness:
    """Which of the figures are still shown."""

    def __init__(self, state: State, present: float | None) -> None:
        self._state = state
        limit = state.settings.stale_after
        self._oldest = None if limit is None or present is None else present - limit
        self._told = state.told_at.get("positions")
        self.positions = self.told("positions")
        self.prices = all(self.price(holding) for holding in state.book.open.values())
        self.equity = self.told("equity") if state.equity_is_told else self.positions and self.prices and self.told("cash")

    def told(self, name: str) -> bool:
        """Whether what was told under this name is fresh, or was not told at all."""
        return self._oldest is None or self._state.told_at.get(name, self._oldest) >= self._oldest

    def price(self, holding: Holding) -> bool:
        """Whether the price of a holding is fresh: it was marked, or told with all positions."""
        if self._oldest is None or holding.time >= self._oldest:
            return True
        return self._told is not None and self._told >= self._oldest


def figures(state: State, present: float | None) -> Figures:
    """Return the figures of `state` at `present` (unix seconds; None before the first event)."""
    fresh = _Freshness(state, present)
    equity = state.equity if fresh.equity else None
    shown = fresh.positions and fresh.prices
    gross, net = (state.exposure if shown else None) or (None, None)
    performance, statistics = state.performance, state.trades.statistics
    drawdown = performance.drawdown if equity is not None else None
    known = state.positions_known and fresh.positions
    return Figures(
        equity=equity,
        cash=state.cash if fresh.told("cash") else None,
        peak_equity=None if drawdown is None else drawdown.peak,
        buying_power=state.buying_power if fresh.told("buying_power") else None,
        margin_used=_margin_used(state, fresh),
        margin_available=state.margin_available if fresh.told("margin_available") else None,
        exposure_gross=gross,
        exposure_net=net,
        exposure_ratio=_fraction(net, equity),
        leverage_ratio=_fraction(gross, equity),
        active=len(state.book.open) if known else None,
        unprotected=_unprotected(state) if known else None,
        realized=state.realized,
        unrealized=state.unrealized if shown else None,
        net=state.net if shown else None,
        daily=performance.daily if state.worth is not None and fresh.equity else None,
        daily_ratio=performance.daily_ratio if equity is not None else None,
        turnover=performance.turnover.ratio if equity is not None and state.trades_known else None,
        drawdown=None if drawdown is None else drawdown.current,
        max_drawdown=state.max_drawdown,
        drawdown_duration=None if drawdown is None or present is None else drawdown.duration(present),
        calmar=None if equity is None else performance.calmar,
        ratios=performance.ratios,
        win_ratio=statistics.win_ratio,
        profit_ratio=statistics.profit_ratio,
        expectancy=statistics.expectancy,
        average_win=statistics.average_win,
        average_loss=statistics.average_loss,
        losing_streak=statistics.losing_streak if statistics.count else None,
        positions=tuple(_positions(state, fresh)) if fresh.positions else (),
        closed=dict(state.trades.closed),
        funding=dict(state.book.funding),
    )


def _positions(state: State, fresh: _Freshness) -> list[PositionFigures]:
    book = state.book

    def converted(amount: Decimal | None, currency: str) -> Decimal | None:
        return amount if amount is None or currency == book.currency else book.convert({currency: amount})

    found: list[PositionFigures] = []
    for symbol, holding in book.open.items():
        priced = fresh.price(holding)
        terms, value, pnl = holding.instrument, holding.value, holding.pnl
        found.append(
            PositionFigures(
                symbol,
                holding.size,
                converted(value, terms.settle) if priced else None,
                converted(pnl, terms.settle) if priced else None,
                holding.entry_price,
                terms.quote,
                holding.liquidation_distance if priced else None,
            )
        )
    return found


def _margin_used(state: State, fresh: _Freshness) -> Decimal | None:
    """What was told of the account, else the sum of what was told of every open position."""
    if state.margin_used is not None:
        return state.margin_used if fresh.told("margin_used") else None
    totals: dict[str, Decimal] = {}
    for holding in state.book.open.values():
        if holding.margin is None:
            return None
        settle = holding.instrument.settle
        totals[settle] = holding.margin + totals.get(settle, 0)
    return state.book.convert(totals) if totals and fresh.positions else None


def _unprotected(state: State) -> int | None:
    """Open positions that no stop is known of; None for a bot that never says which have one."""
    return sum(not holding.protected for holding in state.book.open.values()) if state.protection_told else None


def _fraction(part: Decimal | None, equity: Decimal | None) -> Decimal | None:
    return None if part is None or equity is None or equity <= 0 else quotient(part, equity)
