"""Orders told event by event, as a WebSocket does: late, twice, and the fill before the acknowledgement. Prints the metrics."""
# ruff: noqa: INP001 - an example is a script

import otel_trading as ot

FILL = {
    "order": "O-1",
    "id": "T-1",
    "symbol": "BTC/USDT",
    "side": "buy",
    "price": 100.2,
    "amount": 2.0,
    "takerOrMaker": "taker",
}
EVENTS = [FILL, {"id": "O-1", "clientOrderId": "c-1", "status": "open", "amount": 2.0, "filled": 0.0}, FILL]

with ot.configure(service_name="orders", exporters="console", system_metrics=False):
    account = ot.Account("main", currency="USDT", cash=1_000)
    tracker = ot.OrderTracker(venue="kraken", strategy="sma_cross", account=account)  # which gets each fill once
    tracker.decided("c-1", symbol="BTC/USDT", side="buy", type="limit", quantity=2.0, arrival_price=100.0)
    tracker.submitted("c-1")
    for event in EVENTS:
        tracker.update(event)
