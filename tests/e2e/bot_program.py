"""A real bot: it does what it is told on its standard input, line by line, through the public API only."""

from __future__ import annotations

import contextlib
import itertools
import sys

import otel_trading as ot

telemetry = ot.configure(service_name="e2e-bot", trading_mode="paper")
account = ot.Account("main", currency="USD", cash=100_000, strategy="sma_cross", venue="kraken")

ids = itertools.count(1)


@ot.order_execution(venue="kraken", strategy="sma_cross")
def place_order(
    symbol: str, side: str, quantity: float, price: float, order_type: str = "limit", mid: float = 100
) -> dict[str, object]:
    return {
        "id": str(next(ids)),
        "symbol": symbol,
        "side": side,
        "type": order_type,
        "status": "closed",
        "amount": quantity,
        "filled": quantity,
        "average": min(price, mid + 0.5),
        "fee": {"cost": 0.5, "currency": "USD"},
    }


@ot.order_execution(venue="kraken", strategy="sma_cross", side="sell", order_type="market")
def sell_at_market(symbol: str, quantity: float) -> None:
    raise TimeoutError(f"no answer about {quantity} {symbol}")


@ot.inference(model="direction", version="3")
def predict(features: list[float]) -> str:
    return "up" if sum(features) > 0 else "down"


@ot.strategy_cycle("sma_cross", every=60)
def on_bar() -> str:
    return predict([1.0, 2.0])


@ot.timed("my.rebalance", attributes={"book": "main"})
def rebalance() -> None:
    pass


def trade(count: str) -> None:
    for _ in range(int(count)):
        place_order("BTC/USD", "buy", 2, 101)


def buy(symbol: str, quantity: str, price: str) -> None:
    account.fill(symbol, "buy", quantity, price)


def sell(symbol: str, quantity: str, price: str) -> None:
    account.fill(symbol, "sell", quantity, price)


def everything() -> None:
    """Use each kind of figure that the SDK records at least once."""
    trade("3")
    with contextlib.suppress(TimeoutError):
        sell_at_market("BTC/USD", 1)
    on_bar()
    rebalance()
    ot.record_order(
        venue="kraken",
        side="sell",
        type="market",
        status="rejected",
        latency=0.25,
        strategy="sma_cross",
        reject_reason="insufficient_funds",
    )
    ot.record_fill(
        venue="kraken", symbol="ETH/USD", side="sell", quantity=2, price=50, fee=-0.1, currency="USD", liquidity="maker"
    )
    ot.record_inference(0.002, model="direction", version="3", label="up", strategy="sma_cross")
    ot.record_inference(0.004, model="size", version="1", score=-0.25)
    ot.record_inference(0.5, model="size", version="1", error="timeout")
    ot.record_signal("sma_cross", "long", symbol="BTC/USD")
    ot.record_market_data("trades", venue="kraken", symbol="BTC/USD", at=1_700_000_000)
    ot.record_stream_event("trades", "connected", venue="kraken")
    ot.record_stream_event("trades", "reconnected", venue="kraken")
    ot.set_venue_connected("kraken", True)
    ot.record_alert("warning", strategy="sma_cross")
    ot.record_error("feed", ValueError("odd"))
    ot.record_order(venue="kraken", side="sideways", type="limit", status="no such status")
    account.fill("BTC/USD", "buy", 2, 100, fee="0.5")
    account.fill("ETH/USD", "sell", 3, 50)
    account.fill("ETH/USD", "buy", 1, 40)
    account.mark("BTC/USD", 90)
    account.update(buying_power=50_000, margin_used=1_000, margin_available=9_000)
    account.mark("BTC/USD", "no number")
    ot.observe("trading.circuit_breaker.open", lambda: 0)
    ot.observe("trading.returns.sharpe_ratio", lambda: 1.25)
    ot.observe("my.own.temperature", lambda: 36.6, unit="Cel")
    telemetry.meter.create_counter("my.own.jobs", unit="{job}").add(4, {"kind": "cleaning"})


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


commands = {"everything": everything, "trade": trade, "buy": buy, "sell": sell, "flush": telemetry.flush}
say("ready")
for line in sys.stdin:
    number, command, *arguments = line.split()
    commands[command](*arguments)
    say(f"done {number}")
