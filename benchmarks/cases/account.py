"""What marking an account to market costs."""

from __future__ import annotations

from decimal import Decimal

from benchmarks import results, timing
from benchmarks.libraries import library
from benchmarks.results import OURS, Outcome
from benchmarks.rounds import Side, in_turn
from benchmarks.scale import Scale

SYMBOLS = 8
CASH = 100_000
MARK = "account.mark()"


class Marked:
    """In a worker: an account with a position in each symbol."""

    def __init__(self, calls: int) -> None:
        import otel_trading as ot

        self._library = library("ours")
        self._account = ot.Account("main", currency="USD", cash=CASH, strategy="sma_cross", venue="kraken")
        symbols = [f"SYM{place}/USD" for place in range(SYMBOLS)]
        for symbol in symbols:
            self._account.fill(symbol, "buy", 2, 100)
        given = [(symbols[place % SYMBOLS], 100.25 + place % 64) for place in range(calls)]
        self._last = dict(given)
        self._calls = calls
        self._blocks = (
            timing.in_turn([(self._account.mark, pair) for pair in given]),
            timing.in_turn([(_nothing, pair) for pair in given]),
        )

    def round(self, blocks: int) -> float:
        """Return the nanoseconds that a mark takes beyond a call that does nothing."""
        return timing.difference(*self._blocks, blocks, self._calls)

    def check(self) -> None:
        """Compare the equity with the last prices."""
        equity = CASH + sum(2 * (Decimal(price) - 100) for price in self._last.values())
        if self._account.equity != equity:
            raise results.CountError(f"equity is {self._account.equity}, the last prices make it {equity}")


def _nothing(_symbol: str, _price: float) -> None:
    pass


def run(scale: Scale) -> Outcome:
    """Measure it on the account of a bot that is scraped."""
    outcome = Outcome(
        "account",
        "A mark to market",
        f"Nanoseconds of `account.mark(symbol, price)` with {SYMBOLS} positions; the price changes with each call.",
    )
    side = Side(OURS, Marked, {"calls": scale.calls})
    found = in_turn(
        [side], lambda worker, _: worker.call("round", blocks=scale.blocks), rounds=scale.rounds, processes=scale.processes
    )
    outcome.add(MARK, OURS, found[side], "ns")
    return outcome
