"""An order around which a block stands instead of a decorator. Prints the metrics when it is done."""
# ruff: noqa: ANN001, ANN201, INP001 - an example is a script

import otel_trading as ot


def create_order(symbol, side, amount):
    return {
        "id": "O-1",
        "symbol": symbol,
        "side": side,
        "status": "closed",
        "amount": amount,
        "filled": amount,
        "average": 100.2,
    }


with ot.configure(service_name="orders", exporters="console", system_metrics=False):
    order = {"symbol": "BTC/USDT", "side": "buy", "type": "market", "quantity": 2.0}
    with ot.order_execution.track(venue="kraken", strategy="sma_cross", reference_price=100.0, **order) as operation:
        operation.set_result(create_order("BTC/USDT", "buy", 2.0))
