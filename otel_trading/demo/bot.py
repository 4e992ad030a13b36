"""A trading bot as one would write it, and what it takes to see what it does: the decorators and calls of `ot`.

It follows a moving-average cross, asks a model how eagerly to enter, protects each position with a stop, and takes what real
venues do to bots: partial fills, refusals, time-outs after which only the venue knows what became of an order, fills that cross
a cancel, streams that break. With `BOT_STATE`, a directory, its account and its circuit breaker survive it.
"""

import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from statistics import fmean

import otel_trading as ot
from otel_trading.account import Position
from otel_trading.demo import errors
from otel_trading.demo.client import Event, Json, VenueClient
from otel_trading.demo.model import Direction, Outlook, features

VENUE, STRATEGY = "paper", "sma_cross"
FAST, SLOW = 10, 30  # days
BUDGET = Decimal(40_000)  # USD a position
STOP_LOSS, DISCOUNT, RISKY = Decimal("0.92"), Decimal("0.995"), Decimal("0.95")
DAY = 86_400  # seconds
PATIENCE = 3 * DAY  # that an entry may rest
TRANSFERS = {100: Decimal(5_000), 200: Decimal(-12_000)}  # USD that the owner pays in and takes out, by trading day
log = logging.getLogger(__name__)
state = os.environ.get("BOT_STATE")


class Replay:
    time = 0.0  # unix seconds: recorded prices bring their own time, and the account's days are theirs


def risky(position: Position) -> bool:
    return bool(position.price and position.entry_price and position.price < position.entry_price * RISKY)


account = ot.Account(
    "main", currency="USD", cash=100_000, strategy=STRATEGY, venue=VENUE, ledger=state and f"{state}/account.db",
    periods_per_year=252, risky=risky, clock=lambda: Replay.time,
)  # fmt: skip
Replay.time = account.last_event_time or 0.0  # where its ledger has it
breaker = ot.CircuitBreaker(
    "losses", account=account, strategy=STRATEGY, max_daily_loss=0.03, max_drawdown=0.5, max_consecutive_losses=10,
    cool_down=5 * DAY, on_trip=lambda reason: ot.alert("info", "no new positions", reason, strategy=STRATEGY),
    clock=lambda: Replay.time,
)  # fmt: skip
tracker = ot.OrderTracker(venue=VENUE, strategy=STRATEGY, account=account)
drift = ot.Drift(features=("momentum", "volatility"), window=250)


class Bot:
    def __init__(self, client: VenueClient, model: Direction, history: Mapping[str, Sequence[float]]) -> None:
        self.client, self.model = client, model
        self.closes = {symbol: list(closes) for symbol, closes in history.items()}
        self.prices: dict[str, Decimal] = {}  # of the day
        self.unanswered: set[str] = set()
        self.handled = 0.0  # the time of the last event that was
        self.ends: list[Callable[[], object]] = []

    def run(self) -> None:
        kept = account.last_event_time  # what the ledger has; None without one, or when it is new
        for event in self.client.events():
            Replay.time = max(Replay.time, event.time)
            if event.past:
                self.recall(event, kept)
            else:
                getattr(self, f"on_{event.kind}")(event.data)
            self.handled = event.time
            if event.kind == "day" and not self.ends:
                self.watch()

    def watch(self) -> None:
        """Ask the venue for the account's margin again and again, from a thread of its own: no scrape waits for a venue."""
        pulse = ot.heartbeat("margin", timeout=30)

        def margin() -> Mapping[str, object]:
            handled, held = self.handled, self.client.fetch_account()
            pulse.beat()
            names = {"margin_used": "marginUsed", "margin_available": "marginAvailable", "buying_power": "buyingPower"}
            return {"time": handled, **{name: held[theirs] for name, theirs in names.items()}}

        self.ends += [account.poll(margin, every=1.0, timeout=2.0), pulse.stop]

    def recall(self, event: Event, kept: float | None) -> None:
        """Take what happened before this start: the account gets what it does not have yet."""
        data, missed = event.data, kept is None or event.time > kept
        if event.kind == "bar":
            self.closes.setdefault(data["symbol"], []).append(float(data["close"]))
            if missed:
                account.mark(data["symbol"], data["close"], time=event.time)
        elif event.kind == "fill":  # known again by its execution id, and by its order's when more comes of that
            account.sync_fills([data])
        elif event.kind in {"funding", "transfer"} and missed:
            getattr(self, f"on_{event.kind}")(data)

    @ot.inference(model="direction", version="1", label=lambda said: said.label, score=lambda said: said.score, drift=drift)
    def predict(self, closes: Sequence[float]) -> Outlook:
        inputs = features(closes)
        seen = {"momentum": float(inputs.mean()), "volatility": float(inputs.std())}
        ot.record_features("direction", seen, time=time.time())
        return self.model.predict(inputs)

    @ot.order_execution(venue=VENUE, strategy=STRATEGY, account=account, breaker=breaker)  # slippage is measured from `mid`
    def place_order(
        self, symbol: str, side: str, qty: Decimal, mid: Decimal, client_order_id: str, kind: str = "market", **at: Decimal
    ) -> Json:
        return self.client.create_order(symbol, kind, side, qty, client_order_id, **at)

    @ot.order_execution(venue=VENUE, strategy=STRATEGY, account=account, operation="cancel")
    def cancel_order(self, order_id: str) -> Json:
        return self.client.cancel_order(order_id)

    @ot.order_execution(venue=VENUE, strategy=STRATEGY, account=account, operation="query")
    def query_order(self, client_order_id: str) -> Json:
        return self.client.fetch_order(client_order_id)

    def on_bar(self, bar: Json) -> None:
        symbol, close = bar["symbol"], bar["close"]
        account.mark(symbol, close)
        ot.record_market_data("market", venue=VENUE, symbol=symbol)
        self.closes.setdefault(symbol, []).append(float(close))
        self.prices[symbol] = close

    @ot.strategy_cycle(STRATEGY, every=60, stalled_after=None)  # each close is a cycle; when the prices end, so do they
    def on_day(self, day: Json) -> None:
        self.unanswered = {reference for reference in self.unanswered if not self.settled(reference)}
        self.reconcile()
        passes = breaker.check()
        for symbol, close in self.prices.items():
            closes = self.closes[symbol]
            if len(closes) >= SLOW and not self.unanswered:
                rising = fmean(closes[-FAST:]) > fmean(closes[-SLOW:])
                self.trade(symbol, close, rising, self.predict(closes), passes)
        self.prices.clear()
        if day["index"] in TRANSFERS:
            self.attempt(self.client.transfer, TRANSFERS[day["index"]])
        for name, (used, limit) in self.client.rate_limits.items():
            ot.set_rate_limit(VENUE, used, limit, name=name)
        ot.set_clock_offset(VENUE, self.client.measure_clock())

    def trade(self, symbol: str, close: Decimal, rising: bool, outlook: Outlook, passes: bool) -> None:
        held, (buys, stops) = self.client.position(symbol), self.client.open_orders(symbol)
        stale = [order for order in buys if Replay.time - order["timestamp"] / 1000 > PATIENCE]
        canceled = [self.attempt(self.cancel_order, order["id"]) for order in (stale if rising else buys + stops)]
        if not all(canceled):
            return  # it may have been filled: what is held is known when the stream has told that
        if held and not rising:
            ot.record_signal(STRATEGY, "flat", symbol=symbol)
            self.place(symbol, "sell", held, close)
        elif rising and not held and not buys and passes:  # the model says whether to hurry or to wait for a better price
            ot.record_signal(STRATEGY, "long", symbol=symbol)
            terms = {} if outlook.label == "up" else {"kind": "limit", "price": round(close * DISCOUNT, 2)}
            self.place(symbol, "buy", BUDGET // close, close, **terms)
        elif held and not buys and not stops:
            stop = round(close * STOP_LOSS, 2)
            self.place(symbol, "sell", held, stop, kind="stop_market", triggerPrice=stop)

    def place(self, symbol: str, side: str, qty: Decimal, mid: Decimal, **at: object) -> None:
        reference = self.client.next_order_id()
        tracker.decided(reference, symbol=symbol, side=side, quantity=qty, type=at.get("kind", "market"), arrival_price=mid)
        self.attempt(self.place_order, symbol, side, qty, mid, reference, **at)

    def attempt(self, request: Callable[..., object], *arguments: object, **at: object) -> bool:
        try:
            request(*arguments, **at)
        except errors.NoAnswer as silence:
            ot.record_venue_error(VENUE, silence)
            self.unanswered.add(silence.reference)  # executed or not: ask before doing anything else
        except errors.VenueError as refusal:
            ot.record_error("orders", refusal)
            log.info("%s%s refused: %s", request.__name__, arguments, refusal)
        else:
            return True
        return False

    def settled(self, reference: str) -> bool:
        try:
            self.query_order(reference)
        except errors.OrderNotFound:  # it never arrived
            tracker.rejected(reference, "other")
        except errors.VenueError:
            return False
        return True

    def reconcile(self) -> None:
        """Compare the books with the venue's, and take from it what only the venue knows."""
        try:
            positions, orders = self.client.fetch_account()["positions"], self.client.fetch_open_orders()
        except errors.VenueError as refusal:
            ot.record_error("reconciliation", refusal)
            return
        buys, stops = self.client.open_orders()
        differences = account.reconcile(positions=positions, orders=orders, open_orders=buys + stops)
        if positions and not differences.positions:
            account.update(
                positions=[{**position, "liquidationPrice": position["liquidationPrice"] or 0} for position in positions]
            )
        protected = {stop["symbol"] for stop in stops}
        for position in positions:
            account.protect(position["symbol"], position["symbol"] in protected)

    def on_fill(self, fill: Json) -> None:  # the same one may have come with the order's answer: it counts once
        ot.record_stream_event("user", "message", venue=VENUE)
        known = {key: fill[key] for key in ("symbol", "side")} | {"execution_id": fill["id"], "liquidity": fill["takerOrMaker"]}
        tracker.filled(fill["order"], fill["amount"], fill["price"], fee=fill["fee"]["cost"], fee_currency="USD", **known)

    def on_order(self, order: Json) -> None:
        ot.record_stream_event("user", "message", venue=VENUE)
        tracker.update(order)

    def on_funding(self, payment: Json) -> None:
        account.funding(payment["amount"], payment["symbol"])

    def on_transfer(self, transfer: Json) -> None:
        (account.deposit if transfer["amount"] > 0 else account.withdraw)(abs(transfer["amount"]))

    def on_stream(self, event: Json) -> None:
        ot.set_venue_connected(VENUE, event["state"] == "connected")
        ot.record_stream_event(event["stream"], event["state"], venue=VENUE)

    def close(self) -> None:
        while self.ends:
            self.ends.pop()()
