"""A backtest of ten years with the metrics that the live bot has: the same code, but a clock that the bars set.

Prints what the account knows at the end; the metrics are in backtest.jsonl, the last line is the end of the run.
Needs otel-trading[otlp], whose packages write the file.
"""
# ruff: noqa: ANN001, ANN201, ANN204, INP001, T201 - an example is a script that prints

import math

import otel_trading as ot

DAY = 86_400


class Clock:
    """The time of the bar that is being played."""

    now = 1_262_304_000.0  # 2010-01-01, in unix seconds

    def __call__(self):
        return self.now


clock = Clock()
telemetry = ot.configure(
    service_name="sma-backtest",
    trading_mode="backtest",
    clock=clock,
    exporters="file",
    file_path="backtest.jsonl",
    export_interval=3600,
)
account = ot.Account("backtest", currency="USD", cash=100_000, strategy="sma_cross", venue="paper")
orders = ot.OrderTracker(venue="paper", strategy="sma_cross", account=account)
breaker = ot.CircuitBreaker("drawdown", account=account, max_drawdown=0.25)


def trade(key, side, price):
    orders.decided(key, symbol="AAPL", side=side, type="market", quantity=500, arrival_price=price)
    orders.submitted(key)
    clock.now += 0.25  # what a fill takes
    paid = round(price * (1.0005 if side == "buy" else 0.9995), 4)
    orders.filled(key, 500, paid, execution_id=key, fee=1, fee_currency="USD")


@ot.strategy_cycle("sma_cross")
def on_bar(number, closes):
    account.mark("AAPL", closes[-1])
    side = "buy" if sum(closes[-10:]) / 10 > sum(closes[-50:]) / 50 else "sell"
    if (side == "buy") != bool(account.positions) and breaker.check():
        trade(f"bar-{number}", side, closes[-1])


closes = [round(100 + day / 100 + 15 * math.sin(day / 40) + 3 * math.sin(day / 3), 2) for day in range(3653)]
start = clock.now
for number in range(50, len(closes)):
    clock.now = start + number * DAY
    on_bar(number, closes[: number + 1])
print(f"equity {account.equity:.2f} drawdown {account.max_drawdown:.1%} trades {account.trades.count} breaker {breaker.state}")
telemetry.shutdown()  # afterwards everything is on the wall clock again
