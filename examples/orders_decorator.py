"""Orders through a decorator: the one that rests is active until the query ends it. Prints the metrics when it is done."""
# ruff: noqa: ANN001, ANN201, ARG001, INP001 - an example is a script; the decorator reads the arguments

import otel_trading as ot


@ot.order_execution(venue="kraken", strategy="sma_cross")
def place_order(symbol, side, quantity, price=None):
    return {"id": "O-1", "status": "open", "amount": quantity, "filled": 0.0}


@ot.order_execution(venue="kraken", strategy="sma_cross", operation="query")
def fetch_order(order_id):
    return {"id": order_id, "status": "closed", "amount": 2.0, "filled": 2.0, "average": 99.5}


with ot.configure(service_name="orders", exporters="console", system_metrics=False):
    place_order("BTC/USDT", "buy", 2.0, price=100.0)
    fetch_order("O-1")
