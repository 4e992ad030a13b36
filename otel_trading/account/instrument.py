"""What a symbol says of the money that it moves.

Symbols in ccxt's unified notation name their currencies: `BTC/USDT` is paid in USDT, `BTC/USDT:USDT` is a contract on margin
that settles in USDT, `BTC/USD:BTC` one that settles in its own base ("inverse"), `BTC/USD:BTC-240628-60000-C` an option
whose premium is paid in BTC. Any other symbol (`AAPL`, `ESZ5`) is paid in the account's currency.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# A currency has at least two characters, so that a class of shares such as BRK/B is no pair.
_UNIFIED = re.compile(r"([^/:\s]+)/([^/:\s]{2,})")
_CONTRACT = re.compile(r"([^/:\s]+)/([^/:\s]{2,}):([^/:\s-]{2,})(?:-\w+(-[\w.]+-[CP])?)?")


@dataclass(frozen=True, slots=True)
class Instrument:
    """How one symbol is priced and settled; currencies in upper case."""

    symbol: str
    quote: str
    """The currency of its price."""
    settle: str
    """The currency of its money: cost, value, profit and loss, fees unless said otherwise."""
    base: str | None = None
    """What is bought with the quote currency, where it is a spot pair: its price is then a rate of exchange."""
    pair: tuple[str, str] | None = None
    """Base and quote currency of a spot pair."""
    margined: bool = False
    """Nothing is paid at entry: cash changes by realised profit and loss alone."""
    inverse: bool = False
    """Its money is in its base currency: a profit is quantity * (1/entry - 1/exit)."""


def instrument(symbol: str, currency: str) -> Instrument:
    """Return what `symbol` says, where `currency` is the one of the account."""
    if pair := _UNIFIED.fullmatch(symbol):
        base, quote = pair[1].upper(), pair[2].upper()
        return Instrument(symbol, quote, quote, base=base, pair=(base, quote))
    if contract := _CONTRACT.fullmatch(symbol):
        base, quote, settle = contract[1].upper(), contract[2].upper(), contract[3].upper()
        if contract[4]:
            return Instrument(symbol, settle, settle)
        return Instrument(symbol, quote, settle, margined=True, inverse=settle == base != quote)
    return Instrument(symbol, currency, currency)
