"""What recording a filled order costs: eight records, with attributes from the arguments and the result."""

from __future__ import annotations

import itertools
from collections import deque
from typing import Any

from benchmarks import results, timing
from benchmarks.exposition import total
from benchmarks.libraries import library
from benchmarks.results import OURS, STOCK, Outcome
from benchmarks.rounds import Side, in_turn
from benchmarks.scale import Scale

SYMBOLS = ("BTC/USDT", "ETH/USDT", "SOL/USDC", "XRP/USD")
KINDS = tuple(itertools.product(SYMBOLS, ("market", "limit"), ("buy", "sell")))
"""Symbol, type and side of orders that are sent in turn."""

BEFORE = 300 * len(KINDS)
"""Orders before anything is measured: every count is beyond the small integers that Python keeps ready made."""

PREFIXES = {
    "trading_order_duration_seconds": "_count",
    "trading_order_submissions": "_total",
    "trading_orders": "_total",
    "trading_order_fill_ratio": "_count",
    "trading_fills": "_total",
    "trading_fill_notional": "_count",
}
"""The records whose sums are the number of orders."""


class Orders:
    """In a worker: a function that sends orders, and the exchange that fills each of them at once."""

    def __init__(self, name: str, calls: int) -> None:
        self._library = library(name)
        self._calls = calls
        self._ids = itertools.count(1)
        self._answers: deque[dict[str, Any]] = deque()
        self._made = 0
        self._value = self._fees = 0.0
        answer = self._answers.popleft

        def create_order(symbol, type, side, amount, price=None):  # noqa: A002, ARG001 - ccxt has it so
            return answer()

        async def create_order_async(symbol, type, side, amount, price=None):  # noqa: A002, ARG001 - ccxt has it so
            return answer()

        self._kinds = [KINDS[place % len(KINDS)] for place in range(calls)]
        decorate = self._library.order_execution()
        self._sent = self._block(timing.in_turn, decorate(create_order))
        self._plain = self._block(timing.in_turn, timing.passing_through(create_order), recorded=False)
        self._awaited = self._block(timing.awaited_in_turn, decorate(create_order_async))
        through = timing.passing_through_async(create_order_async)
        self._awaited_plain = self._block(timing.awaited_in_turn, through, recorded=False)
        while self._made < BEFORE:
            self._sent()

    def round(self, blocks: int) -> float:
        """Return the nanoseconds that the decorator adds to an order."""
        return timing.difference(self._sent, self._plain, blocks, self._calls)

    def awaited_round(self, blocks: int) -> float:
        """Return the nanoseconds that the decorator adds to an order that is awaited."""
        return timing.difference(self._awaited, self._awaited_plain, blocks, self._calls)

    def check(self) -> None:
        """Compare all eight records with the orders that were sent."""
        text = self._library.text()
        for prefix, ending in PREFIXES.items():
            results.expect(prefix, total(text, prefix, ending), self._made)
        # Every price and quantity is a whole number of quarters, so that sums of them are exact.
        results.expect("trading_volume", total(text, "trading_volume", "_total"), self._value)
        results.expect("trading_fees", total(text, "trading_fees", "_total"), self._fees)

    def _block(self, make: Any, function: Any, *, recorded: bool = True) -> timing.Block:
        block = make(
            [(function, (symbol, kind, side, 0.5, 27_000.0 if kind == "limit" else None)) for symbol, kind, side in self._kinds]
        )

        def answered() -> int:
            answers = [_answer(next(self._ids), *kind) for kind in self._kinds]
            self._answers.extend(answers)
            if recorded:
                self._made += len(answers)
                self._value += sum(order["cost"] for order in answers)
                self._fees += sum(order["fee"]["cost"] for order in answers)
            return block()

        return answered


def _answer(number: int, symbol: str, kind: str, side: str) -> dict[str, Any]:
    """Return what ccxt returns for an order that was filled at once."""
    price, amount = 26_000.25 + number % 997, 0.25 + 0.25 * (number % 5)
    fee = {"currency": symbol.partition("/")[2], "cost": 0.125 * (1 + number % 3)}
    return {
        "id": f"O{number:08}-KRKN",
        "clientOrderId": None,
        "timestamp": 1_767_225_600_000 + number,
        "datetime": "2026-01-01T00:00:00.000Z",
        "lastTradeTimestamp": None,
        "status": "closed",
        "symbol": symbol,
        "type": kind,
        "timeInForce": "GTC" if kind == "limit" else "IOC",
        "postOnly": None,
        "side": side,
        "price": price,
        "stopPrice": None,
        "amount": amount,
        "filled": amount,
        "remaining": 0.0,
        "cost": amount * price,
        "average": price,
        "fee": fee,
        "fees": [fee],
        "trades": [],
        "info": {},
    }


ORDER = "@order_execution"


def run(scale: Scale) -> Outcome:
    """Measure ours, and the same eight records by hand."""
    outcome = Outcome(
        "orders",
        "A filled order",
        f"Nanoseconds that `@order_execution` adds to an order that comes back filled as ccxt has it: {len(KINDS)} "
        "combinations of symbol, type and side in turn, an id, a price and a quantity of its own for each order. Eight "
        "records: duration, submissions, orders, fill ratio, fills, notional, volume and fee; stock OpenTelemetry makes the "
        "same by hand.",
        pictured=[ORDER],
    )
    sides = [
        Side(OURS, Orders, {"name": "ours", "calls": scale.calls}),
        Side(STOCK, Orders, {"name": "stock", "calls": scale.calls}),
    ]
    found = in_turn(
        sides,
        lambda worker, _: worker.call("round", blocks=scale.blocks),
        rounds=scale.rounds,
        processes=scale.processes,
    )
    for side, values in found.items():
        outcome.add(ORDER, side.library, values, "ns")
    outcome.reach(ORDER, 2000, "ns")
    outcome.reach_part(ORDER, STOCK, 1 / 20)
    return outcome
