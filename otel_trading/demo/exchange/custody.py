"""What a customer owns at the venue: cash and shares, and the record of how they came about. Decimal throughout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from otel_trading.demo.exchange.orders import CURRENCY, ZERO, Fill, Json, number

_MAINTENANCE_MARGIN = Decimal("0.25")  # of the value of what is held, as FINRA rule 4210 has it for long stock


@dataclass(slots=True)
class Holding:
    """Shares of one symbol and what they cost altogether (average cost; fees are kept apart)."""

    amount: Decimal = ZERO
    cost: Decimal = ZERO


@dataclass(slots=True)
class Custody:
    """One cash account: shares are paid for when they are bought and cannot be sold short."""

    cash: Decimal
    holdings: dict[str, Holding] = field(default_factory=dict[str, Holding])
    realized: Decimal = ZERO
    """Profit of what was sold, before fees."""
    fees: Decimal = ZERO
    rebates: Decimal = ZERO

    def book(self, fill: Fill) -> None:
        notional = fill.amount * fill.price
        holding = self.holdings.setdefault(fill.symbol, Holding())
        if fill.side == "buy":
            self.cash -= notional
            holding.amount += fill.amount
            holding.cost += notional
        else:
            self.cash += notional
            cost = holding.cost * fill.amount / holding.amount
            self.realized += notional - cost
            holding.amount -= fill.amount
            holding.cost -= cost
            if not holding.amount:
                del self.holdings[fill.symbol]
        self.cash -= fill.fee
        if fill.fee < 0:
            self.rebates -= fill.fee
        else:
            self.fees += fill.fee

    def held(self, symbol: str) -> Decimal:
        holding = self.holdings.get(symbol)
        return holding.amount if holding else ZERO

    def equity(self, prices: Mapping[str, Decimal]) -> Decimal:
        return self.cash + self._value(prices)

    def to_wire(self, prices: Mapping[str, Decimal], *, buying_power: Decimal) -> Json:
        margin = self._value(prices) * _MAINTENANCE_MARGIN
        unrealized = self._value(prices) - sum((holding.cost for holding in self.holdings.values()), ZERO)
        return {
            "currency": CURRENCY,
            "cash": number(self.cash),
            "equity": number(self.equity(prices)),
            "buyingPower": number(buying_power),
            "marginUsed": number(margin),
            "marginAvailable": number(self.equity(prices) - margin),
            "realizedPnl": number(self.realized),
            "unrealizedPnl": number(unrealized),
            "fees": number(self.fees),
            "rebates": number(self.rebates),
            "positions": [
                {
                    "symbol": symbol,
                    "contracts": number(holding.amount),
                    "entryPrice": number(holding.cost / holding.amount),
                    "markPrice": number(prices[symbol]),
                }
                for symbol, holding in sorted(self.holdings.items())
            ],
        }

    def _value(self, prices: Mapping[str, Decimal]) -> Decimal:
        return sum((holding.amount * prices[symbol] for symbol, holding in self.holdings.items()), ZERO)
