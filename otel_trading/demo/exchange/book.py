"""The venue's order book: prices around the last trade, and what an order takes out of it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from otel_trading.demo.exchange import rules
from otel_trading.demo.exchange.behaviour import Behaviour, Dice
from otel_trading.demo.exchange.orders import NewOrder
from otel_trading.demo.prices import TICK

DEEPEST: Final = 3
"""Ticks between the best price and the worst that an order gets."""
_HALF_SPREAD: Final = Decimal("0.0002")


@dataclass(frozen=True, slots=True)
class Execution:
    """A part of an order and the price that it got."""

    amount: Decimal
    price: Decimal


class Book:
    """The books of all symbols."""

    def __init__(self, behaviour: Behaviour, dice: Dice) -> None:
        self._behaviour = behaviour
        self._dice = dice
        self.last: dict[str, Decimal] = {}
        """The last price of each symbol that has traded."""

    def quote(self, request: NewOrder, level: int, price: Decimal | None = None) -> Decimal:
        """The price on the side that `request` takes from, `level` ticks deep; around `price`, if it is not the last one."""
        price = price or self.last[request.symbol]
        if request.side == "buy":
            return (price * (1 + _HALF_SPREAD)).quantize(TICK, ROUND_CEILING) + level * TICK
        return max((price * (1 - _HALF_SPREAD)).quantize(TICK, ROUND_FLOOR) - level * TICK, TICK)

    def sweep(self, key: str, request: NewOrder, amount: Decimal, price: Decimal | None = None) -> list[Execution]:
        """Take `amount` out of the book, in one execution or in several at worse and worse prices."""
        count = 1
        if self._dice.roll("split", key) < self._behaviour.split:
            count = 2 + int(self._dice.roll("executions", key) * DEEPEST)
        piece = (amount / count).quantize(rules.LOT, ROUND_FLOOR)
        pieces = [piece] * (count - 1) + [amount - piece * (count - 1)]
        return [Execution(p, self.quote(request, level, price)) for level, p in enumerate(pieces) if p]
