"""Rates of exchange between currencies, from the prices of pairs that were marked."""

from __future__ import annotations

from collections import deque
from decimal import Decimal

from otel_trading.account.money import ONE, quotient

_Step = tuple[tuple[str, str], bool]


class Rates:
    """What one unit of a currency is worth in the target currency, over as few pairs as possible."""

    def __init__(self, target: str) -> None:
        self.target = target
        self._prices: dict[tuple[str, str], Decimal] = {}
        self._neighbours: dict[str, dict[str, None]] = {}
        self._paths: dict[str, list[_Step] | None] = {}

    def mark(self, base: str, quote: str, price: Decimal) -> None:
        """Take the price of one `base` in `quote`; a price that is not positive is no rate and withdraws the last one."""
        pair = (base, quote)
        if price > 0:
            if pair not in self._prices:
                self._paths.clear()
                self._neighbours.setdefault(base, {})[quote] = None
                self._neighbours.setdefault(quote, {})[base] = None
            self._prices[pair] = price
        elif self._prices.pop(pair, None) is not None:
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
            price = self._prices[pair]
            rate = rate * price if forward else quotient(rate, price)
        return rate

    def _path(self, currency: str) -> list[_Step] | None:
        """Breadth first over the pairs, in the order in which they were first marked."""
        found: dict[str, list[_Step]] = {currency: []}
        waiting = deque(found)
        while waiting:
            here = waiting.popleft()
            if here == self.target:
                return found[here]
            for there in self._neighbours.get(here, ()):
                forward = (here, there) in self._prices
                if there not in found and (forward or (there, here) in self._prices):
                    found[there] = [*found[here], ((here, there) if forward else (there, here), forward)]
                    waiting.append(there)
        return None
