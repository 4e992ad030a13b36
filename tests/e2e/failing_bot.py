"""A bot that works by itself, and fails in the ways that it is told to on its standard input, line by line."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable

import otel_trading as ot

ot.configure(trading_mode="paper")
account = ot.Account("main", currency="USD", cash=10_000, strategy="sma_cross", venue="kraken")
breaker = ot.CircuitBreaker("daily-loss", account=account, max_daily_loss=0.03)
failing: set[str] = set()


@ot.order_execution(venue="kraken", strategy="sma_cross")
def place_order(symbol: str, side: str, quantity: float, order_type: str, status: str) -> dict[str, object]:
    filled = quantity if status == "closed" else 0
    return {"symbol": symbol, "side": side, "type": order_type, "status": status, "amount": quantity, "filled": filled}


@ot.strategy_cycle("sma_cross", every=1)
def on_bar() -> None:
    pass


def work() -> None:
    while True:
        if "data" not in failing:
            ot.record_market_data("trades", venue="kraken", symbol="BTC/USD")
        if "strategy" not in failing:
            on_bar()
        time.sleep(0.1)


def order(status: str) -> Callable[[str], None]:
    def place(count: str) -> None:
        for _ in range(int(count)):
            place_order("BTC/USD", "buy", 1, "limit", status)

    return place


def price(mark: str) -> None:
    account.mark("BTC/USD", float(mark))
    breaker.check()


commands: dict[str, Callable[..., object]] = {
    "fail": lambda *what: failing.update(what),
    "mend": lambda *what: failing.difference_update(what),
    "fill": order("closed"),
    "reject": order("rejected"),
    "price": price,
    "reset": breaker.reset,
}
account.fill("BTC/USD", "buy", 20, 100)
threading.Thread(target=work, daemon=True).start()
print("ready", flush=True)  # noqa: T201 - the test waits for it
for line in sys.stdin:
    number, command, *arguments = line.split()
    commands[command](*arguments)
    print(f"done {number}", flush=True)  # noqa: T201
