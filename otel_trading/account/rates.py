"""Rates of exchange between currencies, from the prices of pairs that were marked."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from decimal import Decimal

from otel_trading.account.money import ONE, ZERO, multiply, quotient

Pair = tuple[str, str]
"""Base and quote."""

_Step = tuple[Pair, bool]


class Rates:
    """What one unit of a currency is worth in the target currency, over as few pairs as possible."""

    def __init__(self, target: str, prices: Iterable[tuple[Pair, Decimal | None]] = ()) -> None:
        self.target = target
        self.prices: dict[Pair, Decimal | None] = {}
        """By pair, in the order in which they were first marked; None where the price was withdrawn."""
        self._neighbours: dict[str, dict[str, None]] = {}
        self._paths: dict[str, list[_Step] | None] = {}
        for pair, price in prices:
            self._know(pair)
            self.prices[pair] = price

    def mark(self, pair: Pair, price: Decimal) -> None:
        """Take the price of one base in the quote; a price that is not positive is no rate and withdraws the last one."""
        if price > ZERO:
            if self.prices.get(pair) is None:
                self._know(pair)
            self.prices[pair] = price
        elif self.prices.get(pair) is not None:
            self.prices[pair] = None
            self._paths.clear()

    def rate(self, currency: str) -> Decimal | None:
        """Return the rate from `currency` into the target; None if the pairs that are known do not connect them."""
        if currency == self.target:
            return ONE
        if currency not in self._paths:
            self._paths[currency] = self._path(currency)
        path = self._paths[currency]
        if path is None:
            return None
        rate = ONE
        for pair, forward in path:
            price = self.prices[pair]
            if price is None:  # cannot be: a path consists of pairs that have a price
                return None
            rate = multiply(rate, price) if forward else quotient(rate, price)
        return rate

    def _know(self, pair: Pair) -> None:
        base, quote = pair
        self._paths.clear()
        self._neighbours.setdefault(base, {})[quote] = None
        self._neighbours.setdefault(quote, {})[base] = None

    def _path(self, currency: str) -> list[_Step] | None:
        """Breadth first over the pairs, in the order in which they were first marked."""
        found: dict[str, list[_Step]] = {currency: []}
        waiting = deque(found)
        while waiting:
            here = waiting.popleft()
            if here == self.target:
                return found[here]
            for there in self._neighbours.get(here, ()):
                forward = self.prices.get((here, there)) is not None
                if there not in found and (forward or self.prices.get((there, here)) is not None):
                    found[there] = [*found[here], ((here, there) if forward else (there, here), forward)]
                    waiting.append(there)
        return None
