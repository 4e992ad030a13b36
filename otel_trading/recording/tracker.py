"""`OrderTracker`: the lives of orders as the bot tells them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple, cast

from otel_trading.errors import ConfigurationError
from otel_trading.metrics import clock as clocks
from otel_trading.metrics import faults
from otel_trading.metrics.values import as_float
from otel_trading.orders import Fill, Known, Life, Report, read_event, vocabulary
from otel_trading.orders.reading import amount, text
from otel_trading.recording import tracker_gauges
from otel_trading.recording.calls import account_name
from otel_trading.recording.order_series import Context
from otel_trading.recording.orders import AccountLike, OrderRecorder, Terms, finite, recorders, waiting
from otel_trading.semconv.attributes import OrderRejectReason, OrderStatus

_WHOLE = 1 - 1e-9
"""The share of an order that is all of it, but for the rounding of floats."""


class _Held(NamedTuple):
    """A fill that waits for its order."""

    fill: Fill
    complete: bool | None
    at: float


class OrderTracker:
    """Follows orders from the decision to their end, told event by event: for bots that learn of them over a stream.

    ```python
    tracker = ot.OrderTracker(venue="kraken", strategy="sma_cross", account=account)
    tracker.decided("c-1", symbol="BTC/USDT", side="buy", type="limit", quantity=1, arrival_price=100.0)
    tracker.submitted("c-1")
    tracker.update(message)  # an order or an event of ccxt, alpaca-py, ib_async, nautilus_trader or backtrader
    tracker.filled("c-1", 0.5, 100.1, execution_id="t-1", fee=0.05, fee_currency="USDT")
    ```

    A `key` is any id of the order, the bot's own or the venue's; `order_id` and `client_id` name another one of the same order.
    Events may come from any thread, in any order, late and twice: an execution id, and each end of an order, count once, also
    where `order_execution`, `record_order` or `record_fill` told of the same order of this venue and account. What an order
    has become by a late message is not taken back.

    An order that waits for an answer longer than `timeout` is `unknown`, and is counted as `trading.order.unresolved` until
    something is told of it. `grace` seconds after its end an id may be used for another order.

    All methods take a `time`, in unix seconds or as an aware datetime: when it happened, now if not given. They never raise
    because of what they are given.

    :param venue: where the orders are; on every metric.
    :param strategy: the strategy that they are of, on every metric if given.
    :param account: the account that gets each fill, or the name of one that gets none.
    :param currency: that of prices where the symbol does not say it; by default the account's.
    :param multiplier: the units of the instrument in one contract.
    :param timeout: seconds, positive; by default what the order was sent with, else 30.
    :param grace: seconds, not negative; likewise, else 300.
    :param clock: returns unix seconds; it is that of all orders of the venue and account in this process from now on. By
        default they keep the one they have, which is that of the process unless another tracker was given one.
    :raises ConfigurationError: an argument is wrong.
    """

    def __init__(
        self,
        *,
        venue: str,
        strategy: str | None = None,
        account: AccountLike | str | None = None,
        currency: str | None = None,
        multiplier: Any = 1,
        timeout: float | None = None,
        grace: float | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        known = Known(
            timeout=None if timeout is None else waiting("OrderTracker: timeout", timeout, 1e-9),
            grace=None if grace is None else waiting("OrderTracker: grace", grace, 0.0),
        )
        units = as_float(multiplier)
        if units is None or not 0 < units < math.inf:
            raise ConfigurationError(f"OrderTracker: multiplier is {multiplier!r}, expected a positive number")
        own = clocks.chosen(clock, "OrderTracker")
        if not venue or type(venue) is not str:
            raise ConfigurationError(f"OrderTracker: venue is {venue!r}, expected a name")
        if not (account is None or isinstance(account, str) or callable(getattr(account, "fill", None))):
            raise ConfigurationError(f"OrderTracker: account is an Account, has its method fill, or is a name, not {account!r}")
        named = account if isinstance(account, str) else account_name(account)
        keeper = None if isinstance(account, str) else account
        self._recorder = recorders(Terms(currency, keeper, multiplier))[Context(venue, strategy, named)]
        self._memory = self._recorder.memory
        if clock is not None:  # else it stays the one that another tracker has set
            self._memory.clock = own
        self._known = known

    @property
    def active(self) -> int:
        """Orders that are working at the venue or on their way there."""
        return sum(life.active for life in self._memory.lives() if self._mine(life))

    @property
    def open_orders(self) -> list[tuple[str, ...]]:
        """The ids of each order that is working at the venue or on its way there, as `Account.reconcile` takes them."""
        return [tuple(life.keys) for life in self._memory.lives() if life.active and life.keys and self._mine(life)]

    @property
    def unresolved(self) -> int:
        """Orders that may or may not be working."""
        return sum(life.unresolved for life in self._memory.lives() if self._mine(life))

    def status(self, key: object) -> OrderStatus | None:
        """Return the status of an order that has not ended, None of any other."""
        named = text(key)
        self._memory.lives()
        life = None if named is None else self._memory.life(named)
        return None if life is None else life.status

    @faults.contained("order_tracker")
    def decided(
        self,
        key: object,
        *,
        symbol: str | None = None,
        side: object = None,
        type: object = None,  # noqa: A002 - the public name of an order's type
        quantity: object = None,
        price: object = None,
        arrival_price: object = None,
        time: Any = None,
    ) -> None:
        """Say that an order was decided; `arrival_price` is the mid price then, which slippage is measured from.

        `price` is the limit of a limit order; it is what tells one from a market order where no `type` is given.
        """
        self._told(key, None, symbol, side, type, quantity, price, arrival_price, decided=self._at(time))

    @faults.contained("order_tracker")
    def submitted(
        self,
        key: object,
        *,
        order_id: object = None,
        symbol: str | None = None,
        side: object = None,
        type: object = None,  # noqa: A002 - as above
        quantity: object = None,
        price: object = None,
        arrival_price: object = None,
        time: Any = None,
    ) -> None:
        """Say that an order was sent; it counts as one submission."""
        self._told(key, "pending_new", symbol, side, type, quantity, price, arrival_price, order_id, submitted=self._at(time))

    @faults.contained("order_tracker")
    def acknowledged(self, key: object, *, order_id: object = None, time: Any = None) -> None:
        """Say that the venue has the order; `order_id` is the id that it gave it."""
        self._changed("new", key, order_id, time)

    @faults.contained("order_tracker")
    def filled(
        self,
        key: object,
        quantity: object,
        price: object,
        *,
        execution_id: object = None,
        fee: object = 0,
        fee_currency: str | None = None,
        liquidity: object = None,
        complete: bool | None = None,
        symbol: str | None = None,
        side: object = None,
        time: Any = None,
    ) -> None:
        """Say that a part of the order was filled, or the rest of it.

        `fee` is negative if it was a rebate, and in the currency of prices if `fee_currency` says no other. The order is
        filled when the quantity that was ordered is, or where that is not known when `complete` says so.
        """
        bought, paid_for, paid, named = amount(quantity), amount(price), amount(fee), text(key)
        if not bought or paid_for is None or named is None:
            faults.drop(
                "not_a_number",
                "OrderTracker.filled: key, quantity or price cannot be used; the fill was dropped",
                about=self._recorder.context.venue,
            )
            return
        fees = ((paid, fee_currency),) if paid else ()
        found, at = self._of(named, text(symbol), vocabulary.side(side), None), self._at(time)
        when = None if time is None else at
        fill = Fill(bought, paid_for, text(execution_id), vocabulary.liquidity(liquidity), fees, time=when)
        if found.context.symbol is None and not found.memory.sent(named):
            # Not even the instrument is known: it waits until more is told of the order.
            self._memory.hold(named, _Held(fill, complete, at))
        else:
            self._executed(found, [named], fill, complete, at)

    @faults.contained("order_tracker")
    def canceling(self, key: object, *, time: Any = None) -> None:
        """Say that a cancel was sent; what it came to is to be told."""
        self._changed("pending_cancel", key, None, time)

    @faults.contained("order_tracker")
    def canceled(self, key: object, *, time: Any = None) -> None:
        """Say that the order was canceled; a part of it may have been filled before."""
        self._changed("canceled", key, None, time)

    @faults.contained("order_tracker")
    def rejected(self, key: object, reason: object = None, *, time: Any = None) -> None:
        """Say that the order was refused; `reason` is a word of the vocabulary, or the venue's sentence."""
        self._changed("rejected", key, None, time, vocabulary.reject_reason(reason))

    @faults.contained("order_tracker")
    def expired(self, key: object, *, time: Any = None) -> None:
        """Say that the order's time in force ended it."""
        self._changed("expired", key, None, time)

    @faults.contained("order_tracker")
    def lost(self, key: object, *, time: Any = None) -> None:
        """Say that nobody knows what became of the order: it may be working."""
        self._changed("unknown", key, None, time)

    @faults.contained("order_tracker")
    def update(self, answer: object, *, time: Any = None) -> None:
        """Take an order or an event as a library has it: of ccxt, alpaca-py, ib_async, nautilus_trader or backtrader.

        Anything else is read by the usual names (see `otel_trading.orders.results`). What names no order is dropped.
        """
        report = read_event(answer)
        identity = report.id or report.client_id
        if identity is None:
            faults.log_once(
                ("order event", type(answer).__name__),
                "otel_trading: an order event of type %s names no order; it was dropped",
                type(answer).__name__,
            )
            return
        at, keys = self._at(time), list(dict.fromkeys(key for key in (report.id, report.client_id) if key is not None))
        found = self._found(keys).completed(report)
        if report.id is None:
            report = replace(report, id=identity)
        found.memory.name(keys)
        self._release(found, keys, last=report.status in vocabulary.TERMINAL)
        found.count(report, found.terms.account_or(self._recorder.terms.account), None if time is None else at)
        status = report.status
        if report.execution is not None:
            self._complete(found, keys, None if status != "filled" else True, at, _quantity(report))
        elif status in vocabulary.TERMINAL or status == "unknown":
            found.ended(status, report.reject_reason, keys, self._with(quantity=_quantity(report), at=at))
        else:
            found.memory.tell(keys, found, status, self._with(quantity=_quantity(report), at=at))

    def _told(
        self,
        key: object,
        status: OrderStatus | None,
        symbol: str | None,
        side: object,
        kind: object,
        quantity: object,
        price: object,
        arrival_price: object,
        order_id: object = None,
        **moments: float,
    ) -> None:
        keys = _keys(key, order_id)
        if not keys:
            self._nameless()
            return
        said = vocabulary.order_type(kind) if kind is not None else "limit" if amount(price) is not None else None
        found = self._of(keys[0], text(symbol), vocabulary.side(side), said)
        known = self._with(reference=finite(amount(arrival_price)), quantity=_size(quantity), **moments)
        if status is not None and found.memory.sent_anew(keys, known):
            found.series.submissions.add()
        found.memory.tell(keys, found, status, known)
        self._release(found, keys)

    def _changed(
        self, status: OrderStatus, key: object, order_id: object, time: Any, reason: OrderRejectReason | None = None
    ) -> None:
        keys = _keys(key, order_id)
        if not keys:
            self._nameless()
            return
        found, known = self._found(keys), self._with(at=self._at(time))
        found.memory.name(keys)
        self._release(found, keys, last=status in vocabulary.TERMINAL)
        if status in vocabulary.TERMINAL or status == "unknown":
            found.ended(status, reason, keys, known)
        else:
            found.memory.tell(keys, found, status, known)

    def _release(self, found: OrderRecorder, keys: list[str], *, last: bool = False) -> None:
        """Take the fills of an order that were told before its instrument, if that is known now, or never will be."""
        if found.context.symbol is None and not last and not found.memory.sent(*keys):
            return
        for held in cast("list[_Held]", self._memory.release(keys)):
            self._executed(found, keys, held.fill, held.complete, held.at)

    def _executed(self, found: OrderRecorder, keys: list[str], fill: Fill, complete: bool | None, at: float) -> None:
        found.filled(fill, keys[0], self._recorder.terms.account)
        self._complete(found, keys, complete, at, None)

    def _complete(
        self, found: OrderRecorder, keys: list[str], complete: bool | None, at: float, quantity: float | None
    ) -> None:
        """Move an order on of which a part, or the rest, was filled."""
        life = found.memory.life(*keys)
        ordered = quantity if life is None or life.known.quantity is None else life.known.quantity
        if complete is None:
            complete = ordered is not None and found.memory.filled(keys[0]) >= ordered * _WHOLE
        known = self._with(quantity=quantity, at=at)
        if complete:
            found.ended("filled", None, keys, known)
        else:
            found.memory.tell(keys, found, "partially_filled", known)

    def _found(self, keys: list[str]) -> OrderRecorder:
        """The recorder that has the order, or ours."""
        return self._recorder.keeper(*keys)

    def _of(self, key: str, symbol: str | None, side: Any, kind: Any) -> OrderRecorder:
        """The recorder of what is known of the order."""
        found = self._found([key])
        known = found.context
        return found.of(symbol or known.symbol, side or known.side, kind or known.type)

    def _with(self, **more: Any) -> Known:
        return self._known._replace(**more)

    def _at(self, time: Any) -> float:
        if isinstance(time, datetime):
            return time.timestamp()
        said = None if time is None else as_float(time)
        return self._memory.clock.stamp() if said is None or not math.isfinite(said) else said

    def _mine(self, life: Life) -> bool:
        return cast("OrderRecorder", life.sink).context[:3] == self._recorder.context[:3]

    def _nameless(self) -> None:
        faults.log_once(
            ("order tracker", "key", self._recorder.context.venue),
            "otel_trading: OrderTracker was told of an order whose key is no text or number; it was dropped",
        )


def _keys(*keys: object) -> list[str]:
    return list(dict.fromkeys(named for key in keys if key is not None and (named := text(key)) is not None))


def _quantity(report: Report) -> float | None:
    return _size(report.quantity)


def _size(quantity: object) -> float | None:
    size = finite(amount(quantity))
    return None if size is None else abs(size)


tracker_gauges.observe()  # once in a process: orders that a decorator was told of have not ended either
