"""A bot whose code you cannot decorate.

It has context managers around its calls, plain calls for what it knows already, and metrics that are read from its objects.
Run it, and look at http://127.0.0.1:9464/metrics; Ctrl-C ends it.
"""
# ruff: noqa: INP001, T201 - an example is a script, and a script prints

import itertools
import random
import time

import otel_trading as ot


class SomebodysExchange:
    """A client that comes as it is."""

    def __init__(self) -> None:
        self.open_connections = 1
        self.orders = 0

    def create_order(self, symbol: str, side: str, amount: float) -> dict[str, object]:
        time.sleep(random.expovariate(50))
        self.orders += 1
        if self.orders % 10 == 0:
            raise ConnectionError("no answer")
        status = "rejected" if self.orders % 7 == 0 else "closed"
        filled = amount if status == "closed" else 0
        return {"id": str(self.orders), "status": status, "filled": filled, "average": 100.0, "symbol": symbol, "side": side}


def trade(exchange: SomebodysExchange, side: str) -> None:
    try:
        with ot.order_execution.track(venue="kraken", symbol="BTC/USD", side=side, type="market", quantity=1) as operation:
            operation.set_result(exchange.create_order("BTC/USD", side, 1))
    except ConnectionError as lost:  # goes through as it came: the order is counted as unknown
        ot.record_error("exchange", lost)
        ot.record_alert("warning")


def main() -> None:
    exchange = SomebodysExchange()
    with ot.configure(service_name="undecorated-bot", trading_mode="paper") as telemetry:
        print(f"metrics: {telemetry.endpoint_url}", flush=True)
        ot.observe("bot.connections", lambda: exchange.open_connections, description="Connections that the client holds.")
        account = ot.Account("main", currency="USD", venue="kraken")
        for side in itertools.cycle(["buy", "sell"]):
            with ot.strategy_cycle.track("alternating", every=1):
                trade(exchange, side)
                account.update(equity=random.gauss(100_000, 100), cash=50_000)  # what the venue says
            time.sleep(0.1)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("stopped")
