"""One position: its size, what it cost, what it is worth."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from operator import attrgetter, is_
from typing import Any, TypeAlias

from otel_trading.account.instrument import Instrument
from otel_trading.account.lots import Lots
from otel_trading.account.money import ONE, ZERO, multiply, quotient, subtract

NEVER = float("-inf")

_MARKED = ("price", "value", "time")
SYMBOL = len(_MARKED)
"""Where the symbol is in what is written."""

_COMMON = ("size", "cost", "result", "protected")
_RARE = ("multiplier", "lots", "told_pnl", "liquidation_price", "margin")
"""What of a holding is kept over a restart: what every price changes, then its symbol and what few of them change."""

_ABSENT = (ONE, None, None, None, None)
"""The rare ones of a holding that has none of them."""

Captured: TypeAlias = "tuple[Any, ...]"
"""What was captured of one holding: what `_MARKED` names, its symbol, what `_COMMON` and `_RARE` name."""

Texts: TypeAlias = "dict[str, tuple[Captured, str]]"
"""By symbol what was captured from `SYMBOL` on, and its text."""

_captured: Callable[[Holding], Captured] = attrgetter(*_MARKED, "instrument.symbol", *_COMMON, *_RARE)


@dataclass(frozen=True, slots=True)
class Position:
    """An open position as it is at one moment; None is what is not known."""

    symbol: str
    size: Decimal
    """In units of the instrument (contracts, shares, coins), negative when short."""
    entry_price: Decimal | None
    """Average price at which what is open was entered, as the instrument is quoted."""
    price: Decimal | None
    """The price that it is marked at, as the instrument is quoted."""
    value: Decimal | None
    """Size times price (over price for an inverse contract) times multiplier, in `currency`; negative when short."""
    unrealized_pnl: Decimal | None
    """Profit if it were closed at `price`, in `currency`, before fees."""
    currency: str
    """The currency that the instrument settles in."""
    liquidation_price: Decimal | None = None
    """Where the venue would close it, as it said last."""
    margin: Decimal | None = None
    """What the venue holds as margin for it, in `currency`, as it said last."""
    protected: bool | None = None
    """Whether a stop order at the venue protects it."""


class Holding:
    """The books of one instrument; all money in the currency that it settles in.

    The value of an inverse contract falls when its price rises, and a long position in it gains by that.
    """

    __slots__ = (
        "cost",
        "counted",
        "instrument",
        "liquidation_price",
        "lots",
        "margin",
        "multiplier",
        "price",
        "protected",
        "result",
        "size",
        "time",
        "told_pnl",
        "value",
    )

    def __init__(self, instrument: Instrument, *, fifo: bool = False) -> None:
        self.instrument = instrument
        self.multiplier = ONE
        self.size = ZERO
        self.cost: Decimal | None = ZERO
        """The value of the open size when it was entered, negative when short."""
        self.lots = Lots() if fifo else None
        """What the cost consists of, where it is released first in, first out."""
        self.price: Decimal | None = None
        self.time = NEVER
        """When `price` was one, unix seconds."""
        self.value: Decimal | None = ZERO
        self.told_pnl: Decimal | None = None
        """Unrealised profit and loss as the bot was told it, until the next price or fill."""
        self.counted: Decimal | None = ZERO
        """What the account's total contains of this holding, None while it is unknown."""
        self.liquidation_price: Decimal | None = None
        self.margin: Decimal | None = None
        self.protected: bool | None = None
        self.result: dict[str, Decimal] | None = {}
        """Net profit of the open trade so far by currency, replaced when it changes; None where a part of it is not known."""

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
        """Average price of what is open."""
        if self.cost is None or not self.size:
            return None
        if not self.instrument.inverse:
            return quotient(self.cost, multiply(self.size, self.multiplier))
        return quotient(multiply(self.size, self.multiplier), self.cost) if self.cost else None

    @property
    def liquidation_distance(self) -> Decimal | None:
        """How far the price is from the liquidation price, as a fraction of the price; 0 at it and beyond."""
        price, limit = self.price, self.liquidation_price
        if price is None or limit is None or price <= 0:
            return None
        left = subtract(price, limit) if self.size > 0 else subtract(limit, price)
        return quotient(left, price) if left > 0 else ZERO

    def value_at(self, size: Decimal, price: Decimal) -> Decimal:
        """Return the value of `size` units at `price`."""
        if self.instrument.inverse:
            return quotient(multiply(size, self.multiplier), price)
        value = multiply(size, price)
        return value if self.multiplier is ONE else multiply(value, self.multiplier)

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
            if self.lots is not None and cost is not None:
                self.lots.open(quantity, paid)
            return paid, ZERO
        if before.copy_abs() > quantity.copy_abs():
            if cost is None:
                return paid, None
            released = self._release(cost, quantity.copy_abs())
            self.cost = cost - released
            return paid, self._gain(released, -paid)
        proceeds = self.value_at(before, price)
        # What goes through zero begins a new position at this price, which the venue has said nothing of yet.
        self.cost = paid + proceeds if self.size else ZERO
        self.forget()
        if self.lots is not None:
            self.lots.clear()
            if self.size:
                self.lots.open(self.size, self.cost)
        return paid, None if cost is None else self._gain(cost, proceeds)

    def set_cost(self, cost: Decimal | None) -> None:
        """Take what the present size cost as a whole, None if that is not known."""
        self.cost = cost
        if self.lots is not None:
            self.lots.clear()
            if cost is not None and self.size:
                self.lots.open(self.size, cost)

    def forget(self) -> None:
        """Forget what was told of a position that is no more."""
        self.liquidation_price = self.margin = self.protected = None

    def _release(self, cost: Decimal, size: Decimal) -> Decimal:
        if self.lots is not None:
            return self.lots.close(size)
        return quotient(cost * size, (self.size.copy_abs() + size))

    def _gain(self, cost: Decimal, value: Decimal) -> Decimal:
        return subtract(cost, value) if self.instrument.inverse else subtract(value, cost)

    def capture(self) -> Captured:
        """Return the state, for `written`: references to what is replaced when it changes."""
        captured = _captured(self)
        if self.lots is None:
            return captured
        return tuple(value.capture() if value is self.lots else value for value in captured)

    def restore(self, state: Sequence[Any]) -> None:
        """Go on from what was `written`; with lots only where both the state and this holding have them."""
        price, value, time, _, size, cost, result, protected, *rest = state
        multiplier, lots, told_pnl, liquidation_price, margin = rest or (None,) * len(_RARE)
        self.size = Decimal(size)
        self.cost, self.price, self.value, self.told_pnl, self.liquidation_price, self.margin = (
            None if amount is None else Decimal(amount) for amount in (cost, price, value, told_pnl, liquidation_price, margin)
        )
        self.multiplier = ONE if multiplier is None else Decimal(multiplier)
        self.time = NEVER if time is None else time
        self.protected = protected
        self.result = None if result is None else {currency: Decimal(amount) for currency, amount in result.items()}
        if self.lots is not None and lots is not None:
            self.lots = Lots((Decimal(size), Decimal(cost)) for size, cost in lots)
        else:
            self.set_cost(self.cost)

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
            self.liquidation_price,
            self.margin,
            self.protected,
        )


def written(captured: Captured) -> list[Any]:
    """Return it as JSON can hold it, for `Holding.restore`: money as text, without the rare values if there are none."""
    price, value, time = captured[:SYMBOL]
    marked = None if price is None else str(price), None if value is None else str(value), None if time == NEVER else time
    return [*marked, *_lasting(captured[SYMBOL:])]


def text(captured: Captured, texts: Texts) -> str:
    """Return the JSON of what is `written`; `texts` has what was the same the last time.

    A thousand positions are written every second, most of them because of their price alone.
    """
    price, value, time, symbol = captured[: SYMBOL + 1]
    lasting = captured[SYMBOL:]
    known, end = texts.get(symbol, ((), ""))
    if not (known and all(map(is_, known, lasting))):  # equal is not enough: 1.0 and 1.00 are written as they are
        end = json.dumps(_lasting(lasting))[1:]
        texts[symbol] = lasting, end
    if price is None or value is None or time == NEVER:
        return f"{json.dumps(written(captured)[:SYMBOL])[:-1]}, {end}"
    return f'["{price!s}", "{value!s}", {time!r}, {end}'


def _lasting(captured: Captured) -> list[Any]:
    symbol, size, cost, result, protected, *rare = captured
    row = [
        symbol,
        str(size),
        None if cost is None else str(cost),
        None if result is None else {currency: str(amount) for currency, amount in result.items()},
        protected,
    ]
    if (*rare,) != _ABSENT:
        multiplier, lots, *told = rare
        row += (
            None if multiplier == ONE else str(multiplier),
            None if lots is None else [[str(lot_size), str(lot_cost)] for lot_size, lot_cost in lots],
            *(None if amount is None else str(amount) for amount in told),
        )
    return row
