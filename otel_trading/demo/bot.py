"""A trading bot as one would write it, and what it takes to see what it does: the decorators and calls of `ot`.

It follows a moving-average cross, asks a model how eagerly to enter, protects each position with a stop, and takes what real
venues do to bots: partial fills, refusals, and time-outs after which only the venue knows what became of an order.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from statistics import fmean

import otel_trading as ot
from otel_trading.demo import errors
from otel_trading.demo.client import Json, VenueClient
from otel_trading.demo.model import Direction, features

VENUE, STRATEGY = "paper", "sma_cross"
FAST, SLOW = 10, 30  # days
BUDGET = Decimal(25_000)  # USD a position
STOP_LOSS, DISCOUNT = Decimal("0.92"), Decimal("0.995")
PATIENCE = 3 * 86_400  # seconds that an entry may rest
TRANSFERS = {100: Decimal(5_000), 200: Decimal(-12_000)}  # USD that the owner pays in and takes out, by trading day
log = logging.getLogger(__name__)
now = 0.0  # unix seconds: recorded prices bring their own time, and the account's days are theirs
account = ot.Account("main", currency="USD", cash=100_000, strategy=STRATEGY, venue=VENUE, clock=lambda: now)


class Bot:
    def __init__(self, client: VenueClient, model: Direction, history: Mapping[str, Sequence[float]]) -> None:
        self.client, self.model = client, model
        self.closes = {symbol: list(closes) for symbol, closes in history.items()}
        self.unanswered: set[str] = set()
        ot.observe("trading.venue.clock_offset", lambda: client.clock_offset, attributes={"trading.venue.name": VENUE})
        ot.observe("trading.venue.rate_limit_utilization_ratio", client.rate_limits, attributes={"trading.venue.name": VENUE})

    def run(self) -> None:
        on = {"bar": self.on_bar, "day": self.on_day, "fill": self.on_fill, "order": self.on_order, "stream": self.on_stream}
        for kind, data in self.client.events():
            on[kind](data)

    @ot.inference(model="direction", version="1")
    def predict(self, closes: Sequence[float]) -> str:
        return self.model.predict(features(closes))  # up or down

    @ot.order_execution(venue=VENUE, strategy=STRATEGY, account=account)  # slippage is measured from `mid`
    def place_order(self, symbol: str, side: str, qty: Decimal, mid: Decimal, kind: str = "market", **at: Decimal) -> Json:
        return self.client.create_order(symbol, kind, side, qty, **at)

    @ot.order_execution(venue=VENUE, strategy=STRATEGY, account=account, operation="cancel")
    def cancel_order(self, order_id: str) -> Json:
        return self.client.cancel_order(order_id)

    @ot.order_execution(venue=VENUE, strategy=STRATEGY, account=account, operation="query")
    def query_order(self, reference: str) -> Json:
        return self.client.fetch_order(reference)

    @ot.strategy_cycle(STRATEGY, every=60)
    def on_bar(self, bar: Json) -> None:
        global now
        now, symbol, close = bar["timestamp"] / 1000, bar["symbol"], bar["close"]
        account.mark(symbol, close)
        ot.record_market_data("bars", venue=VENUE, symbol=symbol)
        closes = self.closes.setdefault(symbol, [])
        closes.append(float(close))
        self.unanswered = {reference for reference in self.unanswered if not self.settled(reference)}
        if len(closes) >= SLOW and not self.unanswered:
            rising = fmean(closes[-FAST:]) > fmean(closes[-SLOW:])
            self.trade(symbol, close, rising, self.predict(closes))

    def trade(self, symbol: str, close: Decimal, rising: bool, outlook: str) -> None:
        held, (buys, stops) = self.client.position(symbol), self.client.open_orders(symbol)
        stale = [order for order in buys if now - order["timestamp"] / 1000 > PATIENCE]
        for order in stale if rising else buys + stops:
            self.attempt(self.cancel_order, order["id"])
        if held and not rising:
            ot.record_signal(STRATEGY, "flat", symbol=symbol)
            self.attempt(self.place_order, symbol, "sell", held, close)
        elif rising and not held and not buys:  # the model says whether to hurry or to wait for a better price
            ot.record_signal(STRATEGY, "long", symbol=symbol)
            terms = {} if outlook == "up" else {"kind": "limit", "price": round(close * DISCOUNT, 2)}
            self.attempt(self.place_order, symbol, "buy", BUDGET // close, close, **terms)
        elif held and not buys and not stops:
            stop = round(close * STOP_LOSS, 2)
            self.attempt(self.place_order, symbol, "sell", held, stop, "stop_market", triggerPrice=stop)

    def attempt(self, request: Callable[..., object], *arguments: object, **at: object) -> None:
        try:
            request(*arguments, **at)
        except errors.NoAnswer as silence:
            self.unanswered.add(silence.reference)  # executed or not: ask before doing anything else
        except errors.VenueError as refusal:
            log.info("%s%s refused: %s", request.__name__, arguments, refusal)

    def settled(self, reference: str) -> bool:
        try:
            return bool(self.query_order(reference))
        except errors.VenueError as refusal:
            return isinstance(refusal, errors.OrderNotFound)  # it never arrived

    def on_fill(self, fill: Json) -> None:  # the same one may have come with the order's answer: it counts once
        known = {key: fill[key] for key in ("symbol", "side", "price")}
        known |= {"quantity": fill["amount"], "liquidity": fill["takerOrMaker"], "execution_id": fill["id"]}
        ot.record_fill(venue=VENUE, strategy=STRATEGY, account=account, fee=fill["fee"]["cost"], currency="USD", **known)

    def on_order(self, order: Json) -> None:
        known = {key: order[key] for key in ("symbol", "side", "type", "status")}
        known |= {"order_id": order["id"], "reject_reason": order["rejectReason"]}
        ot.record_order(venue=VENUE, strategy=STRATEGY, account=account.name, operation="query", **known)

    def on_day(self, day: Json) -> None:
        if day["index"] in TRANSFERS:
            self.attempt(self.transfer, TRANSFERS[day["index"]])

    def transfer(self, amount: Decimal) -> None:
        self.client.transfer(amount)
        (account.deposit if amount > 0 else account.withdraw)(abs(amount))

    def on_stream(self, event: Json) -> None:
        ot.set_venue_connected(VENUE, event["state"] == "connected")
        ot.record_stream_event("events", event["state"], venue=VENUE)
