"""A real bot: it does what it is told on its standard input, line by line, through the public API only."""

from __future__ import annotations

import sys

import otel_trading as ot


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def main() -> None:
    """Be the bot."""
    telemetry = ot.configure(service_name="e2e-bot", trading_mode="paper")
    account = ot.Account("main", currency="USD", cash=100_000, strategy="sma_cross", venue="kraken")

    @ot.order_execution(venue="kraken", strategy="sma_cross")
    def place_order(symbol: str, side: str, quantity: float, price: float, order_type: str = "limit") -> dict[str, object]:
        return {
            "id": "1",
            "symbol": symbol,
            "side": side,
            "type": order_type,
            "status": "closed",
            "amount": quantity,
            "filled": quantity,
            "average": price,
            "fee": {"cost": 0.5, "currency": "USD"},
        }

    def trade(count: str) -> None:
        for _ in range(int(count)):
            place_order("BTC/USD", "buy", 2, 100)

    def buy(symbol: str, quantity: str, price: str) -> None:
        account.fill(symbol, "buy", quantity, price)

    def sell(symbol: str, quantity: str, price: str) -> None:
        account.fill(symbol, "sell", quantity, price)

    commands = {"trade": trade, "buy": buy, "sell": sell, "flush": telemetry.flush}
    say("ready")
    for line in sys.stdin:
        number, command, *arguments = line.split()
        commands[command](*arguments)
        say(f"done {number}")


if __name__ == "__main__":
    main()
