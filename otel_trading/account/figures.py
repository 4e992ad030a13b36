"""The figures of an account at one moment, as its metrics show them; None is what is not known."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from otel_trading.account.money import quotient
from otel_trading.account.state import State


@dataclass(frozen=True, slots=True)
class PositionFigures:
    """One open position; value and profit in the account's currency."""

    symbol: str
    size: Decimal
    value: Decimal | None
    unrealized_pnl: Decimal | None
    entry_price: Decimal | None
    quote: str
    """The currency of the entry price."""


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
    realized: Decimal | None
    unrealized: Decimal | None
    net: Decimal | None
    daily: Decimal | None
    daily_ratio: float | None
    drawdown: float | None
    max_drawdown: float | None
    positions: tuple[PositionFigures, ...]


def figures(state: State) -> Figures:
    """Return the present figures of `state`."""
    equity, realized, unrealized, fees = state.equity, state.realized, state.unrealized, state.fees
    gross, net = state.exposure or (None, None)
    performance = state.performance
    return Figures(
        equity=equity,
        cash=state.cash,
        peak_equity=state.peak_equity,
        buying_power=state.buying_power,
        margin_used=state.margin_used,
        margin_available=state.margin_available,
        exposure_gross=gross,
        exposure_net=net,
        exposure_ratio=_fraction(net, equity),
        leverage_ratio=_fraction(gross, equity),
        active=len(state.book.open) if state.positions_known else None,
        realized=realized,
        unrealized=unrealized,
        net=None if realized is None or unrealized is None or fees is None else realized + unrealized - fees,
        daily=performance.daily if state.worth is not None else None,
        daily_ratio=performance.daily_ratio if equity is not None else None,
        drawdown=state.drawdown,
        max_drawdown=state.max_drawdown,
        positions=tuple(_positions(state)),
    )


def _positions(state: State) -> list[PositionFigures]:
    convert = state.book.convert
    found: list[PositionFigures] = []
    for symbol, holding in state.book.open.items():
        terms, value, pnl = holding.instrument, holding.value, holding.pnl
        found.append(
            PositionFigures(
                symbol,
                holding.size,
                None if value is None else convert({terms.settle: value}),
                None if pnl is None else convert({terms.settle: pnl}),
                holding.entry_price,
                terms.quote,
            )
        )
    return found


def _fraction(part: Decimal | None, equity: Decimal | None) -> Decimal | None:
    return None if part is None or equity is None or equity <= 0 else quotient(part, equity)
