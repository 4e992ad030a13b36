"""One position: its size, what it cost, what it is worth."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from otel_trading.account.instrument import Instrument
from otel_trading.account.money import ONE, ZERO, quotient


@dataclass(frozen=True, slots=True)
class Position:
    """An open position as it is at one moment; None is what is not known."""

    symbol: str
    size: Decimal
    """In units of the instrument (contracts, shares, coins), negative when short."""
    entry_price: Decimal | None
    """Average price at which it was entered, as the instrument is quoted."""
    price: Decimal | None
    """The price that it is marked at, as the instrument is quoted."""
    value: Decimal | None
    """Size times price (over price for an inverse contract) times multiplier, in `currency`; negative when short."""
    unrealized_pnl: Decimal | None
    """Profit if it were closed at `price`, in `currency`, before fees."""
    currency: str
    """The currency that the instrument settles in."""


class Holding:
    """The books of one instrument at average cost; all money in the currency that it settles in.

    The value of an inverse contract falls when its price rises, and a long position in it gains by that.
    """

    __slots__ = ("cost", "counted", "instrument", "multiplier", "price", "size", "time", "told_pnl", "value")

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.multiplier = ONE
        self.size = ZERO
        self.cost: Decimal | None = ZERO
        """The value of the open size when it was entered, negative when short."""
        self.price: Decimal | None = None
        self.time = float("-inf")
        """When `price` was one, unix seconds."""
        self.value: Decimal | None = ZERO
        self.told_pnl: Decimal | None = None
        """Unrealised profit and loss as the bot was told it, until the next price or fill."""
        self.counted: Decimal | None = ZERO
        """What the account's total contains of this holding, None while it is unknown."""

    @property
    def pnl(self) -> Decimal | None:
        """Unrealised profit and loss."""
        if self.told_pnl is not None:
            return self.told_pnl
        return None if self.value is None or self.cost is None else self._gain(self.cost, self.value)

    @property
    def worth(self) -> Decimal | None:
        """What the holding adds to equity beside cash."""
        return self.pnl if self.instrument.margined else self.value

    @property
    def entry_price(self) -> Decimal | None:
        if self.cost is None or not self.size:
            return None
        if not self.instrument.inverse:
            return quotient(self.cost, self.size * self.multiplier)
        return quotient(self.size * self.multiplier, self.cost) if self.cost else None

    def value_at(self, size: Decimal, price: Decimal) -> Decimal:
        """Return the value of `size` units at `price`."""
        if self.instrument.inverse:
            return quotient(size * self.multiplier, price)
        value = size * price
        return value if self.multiplier is ONE else value * self.multiplier

    def revalue(self) -> None:
        """Value the holding at its price, if it has one."""
        self.told_pnl = None
        if not self.size:
            self.value = ZERO
        elif self.price is not None:
            self.value = self.value_at(self.size, self.price)

    def trade(self, quantity: Decimal, price: Decimal) -> tuple[Decimal, Decimal | None]:
        """Add the signed `quantity` at `price`; return what was paid for it and the profit that it realised.

        The profit of closing what has no known cost is None.
        """
        paid = self.value_at(quantity, price)
        before, cost = self.size, self.cost
        self.size = before + quantity
        if not before or (before > 0) == (quantity > 0):
            self.cost = None if cost is None else cost + paid
            return paid, ZERO
        if before.copy_abs() > quantity.copy_abs():
            if cost is None:
                return paid, None
            released = quotient(cost * quantity.copy_abs(), before.copy_abs())
            self.cost = cost - released
            return paid, self._gain(released, -paid)
        proceeds = self.value_at(before, price)
        # What goes through zero begins a new position at this price.
        self.cost = paid + proceeds if self.size else ZERO
        return paid, None if cost is None else self._gain(cost, proceeds)

    def _gain(self, cost: Decimal, value: Decimal) -> Decimal:
        return cost - value if self.instrument.inverse else value - cost

    def position(self) -> Position:
        """Return the present state."""
        return Position(
            self.instrument.symbol,
            self.size,
            self.entry_price,
            self.price,
            self.value,
            self.pnl,
            self.instrument.settle,
        )
