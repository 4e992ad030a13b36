"""The matching engine: orders against the prices of one trading day after another.

It is synchronous and has no clock of its own, so that the same orders always give the same record.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from decimal import ROUND_FLOOR, Decimal

from otel_trading.demo.exchange import rules
from otel_trading.demo.exchange.behaviour import Behaviour, Dice
from otel_trading.demo.exchange.book import DEEPEST, Book, Execution
from otel_trading.demo.exchange.custody import Custody
from otel_trading.demo.exchange.journal import Journal
from otel_trading.demo.exchange.orders import (
    CURRENCY,
    ZERO,
    Fill,
    Json,
    NewOrder,
    Order,
    RefusedError,
    Status,
    milliseconds,
    number,
)
from otel_trading.demo.prices import Bar, Day

_DAY = 86_400_000
_EVEN = 0.5


class Engine:
    """One account at one venue. What happens is appended to `events`, whose index is a message's sequence number.

    A `journal` is told everything that is asked for; what it knows already is done again at the beginning.
    """

    def __init__(
        self, days: Sequence[Day], *, cash: Decimal, behaviour: Behaviour, dice: Dice, journal: Journal | None = None
    ) -> None:
        self._days = days
        self._behaviour = behaviour
        self._dice = dice
        self._starting_cash = cash
        self._custody = Custody(cash)
        self._orders: dict[str, Order] = {}
        self._resting: dict[str, Order] = {}
        self._by_client_id: dict[str, Order] = {}
        self._refusals: list[Json] = []
        self._unanswered: list[Json] = []
        self._fills = self._payments = self._transfers = self._attempts = 0
        self._book = Book(behaviour, dice)
        self._halted: set[str] = set()
        self._closes: list[Decimal] = []
        self._time = milliseconds(days[0].time) - _DAY
        self._journal: Journal | None = None
        self.day = -1
        self.requests = 0
        """Orders that anybody tried to send."""
        self.events: list[Json] = []
        if journal is not None:
            self._replay(journal.commands)
            self._journal = journal

    def _replay(self, commands: Iterable[Json]) -> None:
        for command in commands:
            arguments: Json = dict(command["arguments"])
            if "request" in arguments:
                arguments["request"] = NewOrder.from_wire(arguments["request"])
            if "amount" in arguments:
                arguments["amount"] = Decimal(arguments["amount"])
            with suppress(RefusedError):
                getattr(self, command["command"])(**arguments)

    def _command(self, name: str, **arguments: object) -> AbstractContextManager[None]:
        return nullcontext() if self._journal is None else self._journal.command(name, arguments)

    # -- the market -------------------------------------------------------------------------------------------------

    @property
    def ended(self) -> bool:
        return bool(self.events) and self.events[-1]["type"] == "end"

    @property
    def days_left(self) -> int:
        return len(self._days) - 1 - self.day

    def advance(self) -> None:
        """Play one trading day: funding, resting orders at its prices, then its bars. After the last day: `end`."""
        with self._command("advance"):
            if self.day + 1 >= len(self._days):
                self._publish("end", {"days": len(self._days)})
                return
            self.day += 1
            today = self._days[self.day]
            bars = {bar.symbol: bar for bar in today.bars}
            self._halted = {s for s in bars if self._dice.roll("halt", f"{self.day}/{s}") < self._behaviour.halt}
            if self.day % rules.FUNDING_INTERVAL == 0:
                self._fund()
            for order in list(self._resting.values()):
                bar = bars.get(order.request.symbol)
                if bar is not None and bar.symbol not in self._halted:
                    self._match(order, bar)
                if order.status == "open" and order.request.time_in_force == "day":
                    self._move(order, "expired")
            for bar in today.bars:
                self._book.last[bar.symbol] = bar.close
                self._publish("bar", _bar_to_wire(bar))
            self._publish("day", {"index": self.day, "timestamp": milliseconds(today.time)})
            self._closes.append(self._custody.equity(self._book.last))
            self._liquidate()

    def _fund(self) -> None:
        """Let who is long pay for what is held, or be paid now and then."""
        if not self._behaviour.funding:
            return
        for symbol, holding in sorted(self._custody.holdings.items()):
            share = self._dice.roll("funding", f"{self.day}/{symbol}") * 1.25 - 0.25  # one in five is received
            rate = Decimal(str(round(share * self._behaviour.funding, 6)))
            amount = rules.funding(holding.amount * self._book.last[symbol], rate)
            self._payments += 1
            self._custody.fund(amount)
            payment = {"id": f"P{self._payments:06d}", "symbol": symbol, "rate": number(rate)}
            self._publish("funding", {**payment, "amount": number(amount), "currency": CURRENCY})

    def _liquidate(self) -> None:
        """Sell what has fallen to its liquidation price."""
        custody = self._custody
        for symbol in [s for s in custody.holdings if self._book.last[s] <= custody.liquidation_price(s)]:
            for order in [o for o in self._resting.values() if o.request.symbol == symbol]:
                self._move(order, "canceled")
            forced = self._accept(NewOrder(symbol, "sell", "market", custody.held(symbol)))
            self._execute(forced, self._book.sweep(forced.id, forced.request, forced.remaining), maker=False)

    def _match(self, order: Order, bar: Bar) -> None:
        """Let the day's price range reach a resting order."""
        request = order.request
        if request.type == "limit" and request.price is not None:
            buying = request.side == "buy"
            if (bar.low <= request.price) if buying else (bar.high >= request.price):
                amount = order.remaining
                if self._dice.roll("partial", f"{order.id}/{self.day}") < self._behaviour.partial:
                    share = Decimal(str(round(0.2 + 0.6 * self._dice.roll("share", f"{order.id}/{self.day}"), 2)))
                    amount = max((amount * share).quantize(rules.LOT, ROUND_FLOOR), rules.LOT)
                self._execute(order, [Execution(amount, request.price)], maker=True)
        elif request.trigger_price is not None and bar.low <= request.trigger_price:
            gap = min(bar.open, request.trigger_price)
            self._execute(order, self._book.sweep(order.id, request, order.remaining, gap), maker=False)

    # -- the customer -----------------------------------------------------------------------------------------------

    def place(self, request: NewOrder, *, answered: bool = True) -> Order:
        """Take an order; raises `RefusedError` when there is none (the refusal is recorded)."""
        with self._command("place", request=request.to_wire(), answered=answered):
            self.requests += 1
            self._attempts += 1
            executed = False
            try:
                self._admit(request)
                order = self._accept(request)
                self._begin(order)
                executed = order.status != "rejected"
            except RefusedError as refused:
                self._refuse(request, refused)
                raise
            finally:
                if not answered:
                    self._unanswered.append({**request.to_wire(), "executed": executed})
            return order

    def lose(self, request: NewOrder) -> None:
        """Put on record that `request` was sent and never arrived."""
        with self._command("lose", request=request.to_wire()):
            self.requests += 1
            self._unanswered.append({**request.to_wire(), "executed": False})

    def refuse(self, request: NewOrder, code: str, reason: str) -> None:
        """Put on record that `request` never became an order."""
        with self._command("refuse", request=request.to_wire(), code=code, reason=reason):
            self._refuse(request, RefusedError(code, reason))

    def cancel(self, order_id: str) -> Order:
        """Take an order back; raises `RefusedError` when it has ended, perhaps just now."""
        with self._command("cancel", order_id=order_id):
            order = self.find(order_id)
            if order.status == "open" and self._dice.roll("crossed", order.id) < self._behaviour.crossed:
                self._cross(order)
            if order.status != "open":
                raise RefusedError("UNKNOWN_ORDER", f"order is {order.status}", 404)
            self._move(order, "canceled")
            return order

    def find(self, order_id: str | None = None, *, client_order_id: str | None = None) -> Order:
        order = self._orders.get(order_id or "") or self._by_client_id.get(client_order_id or "")
        if order is None:
            raise RefusedError("UNKNOWN_ORDER", "no such order", 404)
        return order

    def open_orders(self) -> list[Json]:
        return [order.to_wire() for order in self._resting.values()]

    def transfer(self, amount: Decimal) -> None:
        """Pay in, or out when `amount` is negative."""
        with self._command("transfer", amount=number(amount)):
            if amount < -self._free():
                raise RefusedError("INSUFFICIENT_FUNDS", "not enough free cash")
            self._transfers += 1
            self._custody.cash += amount
            self._publish(
                "transfer",
                {"id": f"T{self._transfers:06d}", "day": self.day, "amount": number(amount), "currency": CURRENCY},
            )

    def account(self) -> Json:
        return self._custody.to_wire(self._book.last, bound=self._bound())

    def record(self) -> Json:
        """Everything that happened here: the outside truth about a bot that traded here.

        `events` are all messages in their order, market data included. `equity` is what the account was worth at the close of
        each day, before what was traded and paid in or out after it.
        """
        return {
            "days": self.day + 1,
            "startingCash": number(self._starting_cash),
            "equity": [number(equity) for equity in self._closes],
            "orders": [order.to_wire() for order in self._orders.values()],
            "refusals": self._refusals,
            "unanswered": self._unanswered,
            "events": self.events,
            "account": self.account(),
        }

    # -- inside -----------------------------------------------------------------------------------------------------

    def _accept(self, request: NewOrder) -> Order:
        order = Order(f"O{len(self._orders) + 1:06d}", request, self._days[self.day].time)
        self._orders[order.id] = order
        if request.client_order_id:
            self._by_client_id[request.client_order_id] = order
        return order

    def _begin(self, order: Order) -> None:
        """Let an order meet the risk engine and the book."""
        request = order.request
        over_limit = request.amount * self._book.last[request.symbol] > rules.MAXIMUM_NOTIONAL
        if over_limit or self._dice.roll("risk", self._attempts) < self._behaviour.risk_reject:
            order.reject_reason = "risk_limit"
            self._move(order, "rejected")
        elif request.type == "market":
            self._take(order)
        elif request.type == "limit":
            self._take_what_the_limit_allows(order)
        else:
            self._move(order, "open")

    def _refuse(self, request: NewOrder, refused: RefusedError) -> None:
        self._refusals.append({"code": refused.code, "reason": refused.reason, **request.to_wire()})
        if self._journal is not None:
            self._journal.fact("refusal", self._refusals[-1])

    def _cross(self, order: Order) -> None:
        """Fill a limit order, wholly or in part, while the request to cancel it is on its way."""
        request = order.request
        if request.type == "limit" and request.price is not None:
            whole = self._dice.roll("crossed wholly", order.id) < _EVEN
            part = max((order.remaining / 2).quantize(rules.LOT, ROUND_FLOOR), rules.LOT)
            self._execute(order, [Execution(order.remaining if whole else part, request.price)], maker=True)

    def _admit(self, request: NewOrder) -> None:
        if request.client_order_id in self._by_client_id:
            raise RefusedError("DUPLICATE_ORDER", "client order id is taken")
        last = self._book.last.get(request.symbol)
        if last is None:
            raise RefusedError("INVALID_ORDER", "no such symbol, or it has not traded yet")
        rules.check(request, last)
        if request.symbol in self._halted:
            raise RefusedError("MARKET_CLOSED", "trading is halted")
        if request.side == "sell":
            resting = (o for o in self._resting.values() if o.request.symbol == request.symbol)
            promised = sum((o.remaining for o in resting if o.request.side == "sell"), ZERO)
            if request.amount > self._custody.held(request.symbol) - promised:
                raise RefusedError("INSUFFICIENT_FUNDS", "not enough shares")
        elif request.type == "stop_market":
            raise RefusedError("INVALID_ORDER", "stops only sell here")
        elif self._bound_by(request) > self._free():
            raise RefusedError("INSUFFICIENT_FUNDS", "not enough free cash")

    def _bound_by(self, request: NewOrder) -> Decimal:
        """The equity that a buy binds if it is filled at the worst price: margin and fee."""
        worst = request.price if request.price is not None else self._book.quote(request, DEEPEST)
        notional = request.amount * worst
        return notional * rules.INITIAL_MARGIN + rules.fee(notional, maker=False)

    def _bound(self) -> Decimal:
        """The equity that resting orders keep bound."""
        buys = (order for order in self._resting.values() if order.request.side == "buy")
        reserved = sum((order.remaining * (order.request.price or ZERO) for order in buys), ZERO)
        return reserved * (rules.INITIAL_MARGIN + rules.TAKER_FEE)

    def _free(self) -> Decimal:
        """The equity that neither holdings nor resting orders keep bound: what may be taken out."""
        bound = self._custody.value(self._book.last) * rules.INITIAL_MARGIN + self._bound()
        return self._custody.equity(self._book.last) - bound

    def _take(self, order: Order) -> None:
        amount = order.request.amount
        if self._dice.roll("shortfall", order.id) < self._behaviour.shortfall:
            amount = (amount / 2).quantize(rules.LOT, ROUND_FLOOR)
        self._execute(order, self._book.sweep(order.id, order.request, amount), maker=False)
        if order.status == "open":
            self._move(order, "expired")

    def _take_what_the_limit_allows(self, order: Order) -> None:
        request, limit = order.request, order.request.price or ZERO
        offered = self._book.sweep(order.id, request, request.amount)
        within = [e for e in offered if (e.price <= limit if request.side == "buy" else e.price >= limit)]
        self._execute(order, within, maker=False)
        if order.status == "open":
            if request.time_in_force == "ioc":
                self._move(order, "expired")
            elif not within:
                self._move(order, "open")

    def _execute(self, order: Order, executions: Iterable[Execution], *, maker: bool) -> None:
        for execution in executions:
            self._fills += 1
            timestamp = self._tick()
            fill = Fill(
                id=f"E{self._fills:06d}",
                order_id=order.id,
                symbol=order.request.symbol,
                side=order.request.side,
                amount=execution.amount,
                price=execution.price,
                fee=rules.fee(execution.amount * execution.price, maker=maker),
                liquidity="maker" if maker else "taker",
                timestamp=timestamp,
            )
            order.fills.append(fill)
            self._custody.book(fill)
            self._publish("fill", fill.to_wire(), timestamp)
            self._move(order, "open" if order.remaining else "closed")

    def _move(self, order: Order, status: Status) -> None:
        order.status = status
        if status == "open":
            self._resting[order.id] = order
        else:
            self._resting.pop(order.id, None)
        self._publish("order", order.to_wire())

    def _publish(self, kind: str, data: Json, time: int | None = None) -> None:
        time = self._tick() if time is None else time
        self.events.append({"seq": len(self.events), "type": kind, "time": time, "data": data})
        if self._journal is not None and kind not in {"bar", "end"}:
            self._journal.fact(kind, data, time)

    def _tick(self) -> int:
        """The time of an event, unix milliseconds: that of its day's close, each one later than the one before."""
        self._time = max(self._time + 1, 0 if self.day < 0 else milliseconds(self._days[self.day].time))
        return self._time


def _bar_to_wire(bar: Bar) -> Json:
    return {
        "symbol": bar.symbol,
        "timestamp": milliseconds(bar.time),
        "open": number(bar.open),
        "high": number(bar.high),
        "low": number(bar.low),
        "close": number(bar.close),
        "volume": bar.volume,
    }
