"""The currency in which an order's money is counted, and how much money a quantity is."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

UNKNOWN: Final = "XXX"
"""ISO 4217's code for "no currency": what an amount carries whose currency nobody has said."""

# A quote of one letter is a share class (BRK/B), not a currency.
_UNIFIED = re.compile(r"([A-Za-z0-9.]{1,20})/([A-Za-z0-9.]{2,20})(?::([A-Za-z0-9.]{2,20}))?(?:-[A-Za-z0-9.-]*)?")


class Money(NamedTuple):
    """How the money of a symbol is counted."""

    currency: str
    """The quote currency, or the one that a contract settles in."""
    inverse: bool = False
    """A contract that is quoted in one currency and settled in its base: its value is quantity over price."""

    def value(self, quantity: float, price: float, multiplier: float = 1) -> float:
        """Return the money value of `quantity` at `price`, not negative, where a contract is `multiplier` units."""
        size = abs(quantity) * multiplier
        return size / abs(price) if self.inverse and price else size * abs(price)


@lru_cache(maxsize=2048)
def of_symbol(symbol: str) -> Money:
    """Return how the money of `symbol` is counted: `BASE/QUOTE` or `BASE/QUOTE:SETTLE` in ccxt's notation, else unknown.

    `BTC/USDT` is counted in USDT; `BTC/USD:BTC`, an inverse contract, in BTC.
    """
    match = _UNIFIED.fullmatch(symbol)
    if match is None:
        return Money(UNKNOWN)
    base, quote, settle = (part and part.upper() for part in match.groups())
    return Money(settle or quote or UNKNOWN, inverse=settle is not None and settle == base and settle != quote)
