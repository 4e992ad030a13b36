"""What marking an account to market costs."""

from __future__ import annotations

import tempfile
import time
from decimal import Decimal
from pathlib import Path

from benchmarks import results, timing
from benchmarks.libraries import library
from benchmarks.results import OURS, Outcome, Target
from benchmarks.rounds import Side, in_turn
from benchmarks.scale import Scale

SYMBOLS = 8
POSITIONS = 1_000
CASH = 100_000
DAYS = 260
LIMIT = 2_000.0
SHARE_LIMIT = 1.0

MARK = "account.mark()"
MARK_ALL = "account.mark(), everything on"
SHARE = f"{POSITIONS:,} positions marked once a second, everything on"


class Marked:
    """In a worker: an account with a position in each symbol; `everything` is every metric, a full window and a ledger."""

    def __init__(self, calls: int, symbols: int, *, everything: bool) -> None:
        import otel_trading as ot

        self._library = library("ours")
        self._directory = tempfile.TemporaryDirectory() if everything else None
        settings = (
            {
                "ledger": Path(self._directory.name) / "main.db",
                "window": 252,
                "risky": lambda position: position.value > CASH,
                "stale_after": 3600,
            }
            if self._directory
            else {}
        )
        self._account = ot.Account("main", currency="USD", cash=CASH, strategy="sma_cross", venue="kraken", **settings)
        names = [f"SYM{place}/USD" for place in range(symbols)]
        now = time.time()
        for name in names:
            self._account.fill(name, "buy", 2, 100, time=now - (DAYS + 1) * 86_400)
            self._account.protect(name)
        for day in range(DAYS if everything else 0):
            self._account.mark(names[0], 100.5 + day % 7, time=now - (DAYS - day) * 86_400)
        given = [(names[place % symbols], 100.25 + place % 64) for place in range(calls)]
        self._last = dict(given)
        self._calls = calls
        self._blocks = (
            timing.in_turn([(self._account.mark, pair) for pair in given]),
            timing.in_turn([(_nothing, pair) for pair in given]),
        )

    def round(self, blocks: int) -> float:
        """Return the nanoseconds that a mark takes beyond a call that does nothing."""
        return timing.difference(*self._blocks, blocks, self._calls)

    def share(self, blocks: int) -> float:
        """Return the percentage of a core that marking all positions once a second takes, with the ledger's writes."""
        before = time.process_time_ns()
        for _ in range(blocks):
            self._blocks[0]()
            if self._account.ledger is not None:
                self._account.ledger.flush()
        return (time.process_time_ns() - before) / blocks / 1e9 * 100

    def check(self) -> None:
        """Compare the equity with the last prices, and the window with what it must hold."""
        held = len(self._account.positions)
        equity = CASH + sum(2 * (Decimal(price) - 100) for price in self._last.values())
        results.expect("positions that were marked", len(self._last), held)
        if self._account.equity != equity:
            raise results.CountError(f"equity is {self._account.equity}, the last prices make it {equity}")
        if self._directory is not None:
            results.expect("returns in the window", len(self._account.returns), 252)
            self._account.ledger.close()


def _nothing(_symbol: str, _price: float) -> None:
    pass


def run(scale: Scale) -> Outcome:
    """Measure it on the account of a bot that is scraped."""
    outcome = Outcome(
        "account",
        "A mark to market",
        f"Nanoseconds of `account.mark(symbol, price)` with {SYMBOLS} positions; the price changes with each call. Everything "
        "on is a full window of 252 returns, a rule for risky positions, a limit of age, and a ledger that is written once a "
        "second. A share of a core is the CPU time of the whole process, the ledger's thread included.",
    )
    sides = {
        MARK: Side(OURS, Marked, {"calls": scale.calls, "symbols": SYMBOLS, "everything": False}),
        MARK_ALL: Side(OURS, Marked, {"calls": scale.calls, "symbols": SYMBOLS, "everything": True}),
    }
    for what, side in sides.items():
        found = in_turn(
            [side],
            lambda worker, _: worker.call("round", blocks=scale.blocks),
            rounds=scale.rounds,
            processes=scale.processes,
        )
        figure = outcome.add(what, OURS, found[side], "ns")
        outcome.targets.append(Target(what, figure.value, LIMIT, "ns"))
    many = Side(OURS, Marked, {"calls": POSITIONS, "symbols": POSITIONS, "everything": True})
    shares = in_turn([many], lambda worker, _: worker.call("share", blocks=scale.blocks), rounds=2, processes=scale.processes)
    outcome.add(SHARE, OURS, shares[many], "%")
    outcome.reach(SHARE, SHARE_LIMIT, "%")
    return outcome
