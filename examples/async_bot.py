"""An asyncio bot: coroutines are decorated as functions are, and a time-out leaves an order `unknown`, not `rejected`.

Run it, and look at http://127.0.0.1:9464/metrics; Ctrl-C ends it.
"""
# ruff: noqa: INP001, T201 - an example is a script, and a script prints

import asyncio
import itertools
import random

import otel_trading as ot

account = ot.Account("main", currency="USD", cash=100_000, strategy="mean_reversion", venue="kraken")
ids = itertools.count(1)
ENTRY = 0.001


@ot.order_execution(venue="kraken", strategy="mean_reversion", account=account)
async def place_order(symbol: str, side: str, quantity: float, mid: float) -> dict[str, object]:
    """Await your exchange's client here; slippage is measured from `mid`."""
    await asyncio.wait_for(asyncio.sleep(random.expovariate(20)), timeout=0.2)
    price = mid * (1.0002 if side == "buy" else 0.9998)
    fee = {"cost": price * quantity * 0.001, "currency": "USD"}
    return {"id": f"{symbol}-{next(ids)}", "status": "closed", "filled": quantity, "average": price, "fee": fee}


@ot.inference(model="reversion", version="1")
async def predict(prices: list[float]) -> float:
    """Return a score: how far the price is below its mean."""
    return sum(prices) / len(prices) / prices[-1] - 1


@ot.strategy_cycle("mean_reversion", every=1)
async def on_price(symbol: str, prices: list[float]) -> None:
    account.mark(symbol, prices[-1])
    score = await predict(prices[-20:])
    held = account.positions.get(symbol)
    try:
        if score > ENTRY and held is None:
            await place_order(symbol, "buy", 0.1, prices[-1])
        elif score < 0 and held is not None:
            await place_order(symbol, "sell", float(held.size), prices[-1])
    except asyncio.TimeoutError:
        print(f"{symbol}: no answer; a real bot would now ask the exchange what became of the order")


async def trade(symbol: str, price: float) -> None:
    prices = [price]
    while True:
        await on_price(symbol, prices)
        await asyncio.sleep(0.1)
        prices.append(prices[-1] * random.gauss(1, 0.002))


async def main() -> None:
    await asyncio.gather(trade("BTC/USD", 60_000.0), trade("ETH/USD", 3_000.0))


if __name__ == "__main__":
    with ot.configure(service_name="async-bot", trading_mode="paper") as telemetry:
        print(f"metrics: {telemetry.endpoint_url}", flush=True)
        try:
            asyncio.run(main())
        except KeyboardInterrupt:
            print(f"equity {account.equity:.2f} {account.currency}")
