"""What a customer owns at the venue: cash and shares, and how much of that is margin. Decimal throughout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from otel_trading.demo.exchange.orders import CURRENCY, ZERO, Fill, Json, number
from otel_trading.demo.exchange.rules import INITIAL_MARGIN, MAINTENANCE_MARGIN


@dataclass(slots=True)
class Holding:
    """Shares of one symbol and what they cost altogether (average cost; fees are kept apart)."""

    amount: Decimal = ZERO
    cost: Decimal = ZERO


@dataclass(slots=True)
class Custody:
    """One margin account: half of what is bought may be borrowed, nothing can be sold short."""

    cash: Decimal
    holdings: dict[str, Holding] = field(default_factory=dict[str, Holding])
    realized: Decimal = ZERO
    """Profit of what was sold, before fees."""
    fees: Decimal = ZERO
    rebates: Decimal = ZERO
    funding: Decimal = ZERO
    """Received minus paid."""

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

    def fund(self, amount: Decimal) -> None:
        """Book a funding payment, negative when the customer pays."""
        self.cash += amount
        self.funding += amount

    def held(self, symbol: str) -> Decimal:
        holding = self.holdings.get(symbol)
        return holding.amount if holding else ZERO

    def value(self, prices: Mapping[str, Decimal]) -> Decimal:
        return sum((holding.amount * prices[symbol] for symbol, holding in self.holdings.items()), ZERO)

    def equity(self, prices: Mapping[str, Decimal]) -> Decimal:
        return self.cash + self.value(prices)

    def liquidation_price(self, symbol: str) -> Decimal:
        """The price at which what is left of the margin that a position was opened with is only the maintenance margin.

        Each position stands for itself ("isolated margin"), whatever else the customer owns.
        """
        holding = self.holdings[symbol]
        return holding.cost / holding.amount * (1 - INITIAL_MARGIN) / (1 - MAINTENANCE_MARGIN)

    def to_wire(self, prices: Mapping[str, Decimal], *, bound: Decimal) -> Json:
        """The account as the customer is shown it; `bound` is the equity that resting orders keep bound."""
        equity, value = self.equity(prices), self.value(prices)
        used = value * INITIAL_MARGIN + bound
        unrealized = value - sum((holding.cost for holding in self.holdings.values()), ZERO)
        return {
            "currency": CURRENCY,
            "cash": number(self.cash),
            "equity": number(equity),
            "buyingPower": number(max(equity - used, ZERO) / INITIAL_MARGIN),
            "marginUsed": number(used),
            "marginAvailable": number(equity - used),
            "realizedPnl": number(self.realized),
            "unrealizedPnl": number(unrealized),
            "fees": number(self.fees),
            "rebates": number(self.rebates),
            "funding": number(self.funding),
            "positions": [
                {
                    "symbol": symbol,
                    "contracts": number(holding.amount),
                    "entryPrice": number(holding.cost / holding.amount),
                    "markPrice": number(prices[symbol]),
                    "liquidationPrice": number(self.liquidation_price(symbol)),
                }
                for symbol, holding in sorted(self.holdings.items())
            ],
        }
