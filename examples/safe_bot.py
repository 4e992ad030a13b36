"""A bot that goes on where it was, stops when it loses too much, and is missed when it hangs. Prints what it knows.

Run it twice: the account has the same positions, and the fills that it is told again count once. Its equity is another
only because the first price of a run is another than the last one.
"""
# ruff: noqa: ANN001, ANN201, ARG001, INP001, T201 - an example is a script that prints; the decorator reads the arguments

import os
import time

import otel_trading as ot

telemetry = ot.configure(service_name="safe-bot", prometheus_port=int(os.environ.get("PORT", "9464")))
account = ot.Account("main", currency="USD", cash=100_000, strategy="sma_cross", venue="kraken", ledger="state/main.db")
breaker = ot.CircuitBreaker("daily-loss", account=account, max_daily_loss=0.03, max_drawdown=0.10, enforce=True)


@ot.order_execution(venue="kraken", strategy="sma_cross", account=account, breaker=breaker)
def place_order(symbol, side, quantity, mid):
    order = f"{symbol}-{time.time_ns()}"  # never again, also not in the next run: the account knows its orders by their ids
    return {"id": order, "status": "closed", "amount": quantity, "filled": quantity, "average": mid}


@ot.strategy_cycle("sma_cross", every=60)
def on_bar(symbol, close):
    account.mark(symbol, close)
    if breaker.check():
        place_order(symbol, "buy", 1.0, close)


account.sync_fills([{"id": "F-1", "symbol": "ETH/USD", "side": "buy", "amount": 400.0, "price": 50.0}])
try:
    for close in (51.0, 52.0, 10.0):
        on_bar("ETH/USD", close)
except ot.CircuitOpen as reason:
    print("no more orders:", reason)
print(
    "holds",
    account.positions["ETH/USD"].size,
    "equity",
    account.equity,
    "drawdown",
    f"{account.drawdown:.1%}",
    "breaker",
    breaker.state,
)
telemetry.shutdown()
