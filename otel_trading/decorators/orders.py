"""`order_execution`: orders as they are sent, and what came of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, overload

from otel_trading.decorators.arguments import Arguments, Reader, ReferencePrice, request_of, true
from otel_trading.decorators.blocks import Block
from otel_trading.decorators.kinds import CallableObject, Decorator, FunctionT, P, R_co
from otel_trading.decorators.order_operation import BreakerLike, Errors, OrderOperation, Settings, settings
from otel_trading.decorators.wrapping import Hooks, Shape, wrap
from otel_trading.recording.orders import AccountLike
from otel_trading.semconv.attributes import OrderOperation as Operation


class _OrderExecution:
    """Record orders: how long each took, how it ended, its fills, fees and slippage.

    ```python
    @ot.order_execution(venue="kraken", strategy="sma_cross")
    async def place_order(symbol, side, quantity, price=None, order_type="market"): ...

    @ot.order_execution(venue="alpaca", strategy="sma_cross", currency="USD", side="buy", account=account)
    def buy(order_data): ...

    @ot.order_execution(venue="kraken", operation="cancel")
    def cancel(order_id): ...

    with ot.order_execution.track(venue="kraken", symbol="BTC/USDT", side="buy", type="market", quantity=0.1) as op:
        op.set_result(exchange.create_order("BTC/USDT", "market", "buy", 0.1))
    ```

    - `venue` and `strategy` are names. Where `venue` is not given it is the argument `venue` or `exchange` (or its `id`).
    - `arguments` says where symbol, side, type, quantity, price and the rest of an order are found in the call: a mapping of
      the field to the name of a parameter (`"order.px"` is what the parameter `order` stores as `px`), or a function that
      gets the call's arguments by name (`lambda ticker, **_: {"symbol": ticker}`). By default they are found by the usual
      names, in an `order` or `request` object too. `side`, `order_type` and `symbol` are for functions without such arguments.
    - `result` is a function of what was returned that gives a `dict` of an order, for results which cannot be read as they
      are (see `otel_trading.orders.results`): what hides its data behind properties is not touched.
    - `errors` names exception classes of your client that mean a rejection, with the reason; the usual ones are known.
    - `currency` is that of prices where the symbol does not say it (`BTC/USDT` does); by default the account's. Money whose
      currency nobody says is recorded as `XXX`.
    - `reference_price` is what slippage is measured from, the mid price when the order was decided: the name of a parameter,
      or a function of the call's arguments (by name) that is asked before the call. By default a parameter `reference_price`,
      `arrival_price`, `decision_price`, `expected_price`, `mid_price` or `mid`, if there is one; never the limit price, to
      which every fill compares favorably.
    - `account` gets each fill (`account.fill(...)`); `multiplier` is the units of the instrument in one contract.
    - `breaker`, a `CircuitBreaker`, is asked before an order is sent, and told what became of it. Where it enforces and is
      open, `CircuitOpen` is raised instead of the call: the order counts as rejected (`risk_limit`), and as no submission.
      Never for an order whose arguments say that it can only make a position smaller: `reduce_only`, `reduceOnly`,
      `close_position` or `closePosition` is True (or the text), as a parameter or in an `order` or `params`.
    - `timeout` is how many seconds an order waits for an answer until it is `unknown`, and `grace` after how many seconds from
      its end its id may be used for another order. By default they are what was said of the order before, else 30 and 300.
    - `operation` is `submit`, `edit`, `cancel`, `cancel_all` or `query`. Only `submit` counts an order as sent; the others
      count its end and its fills as far as they were not counted before, by the order's id.

    An order whose answer was lost (a time-out, a cancellation, an exception that we do not know) is `unknown`, never
    `rejected`. A plain id as result means that the venue has acknowledged the order, None that nothing is known but that it
    was sent. An order that comes back `new` or partially filled is counted as active until something ends it: a query, a
    cancel or an edit through a decorated function, `record_order`, or an `OrderTracker`. The items of a generator are not
    looked at, what it returns is.

    Raises `ConfigurationError` for a side, an operation, a field or a parameter that does not exist, a `timeout` that is not
    positive and a `grace` that is negative.
    """

    @overload
    def __call__(self, function: FunctionT, /) -> FunctionT: ...
    @overload
    def __call__(
        self,
        function: None = None,
        /,
        *,
        venue: str | None = None,
        strategy: str | None = None,
        currency: str | None = None,
        account: AccountLike | None = None,
        breaker: BreakerLike | None = None,
        operation: Operation = "submit",
        arguments: Arguments | None = None,
        symbol: str | None = None,
        side: str | None = None,
        order_type: str | None = None,
        result: Callable[[Any], object] | None = None,
        errors: Errors | None = None,
        reference_price: ReferencePrice | None = None,
        multiplier: float = 1,
        timeout: float | None = None,
        grace: float | None = None,
    ) -> Decorator: ...
    @overload
    def __call__(self, function: CallableObject[P, R_co], /) -> Callable[P, R_co]: ...
    def __call__(
        self,
        function: Any = None,
        /,
        *,
        venue: str | None = None,
        strategy: str | None = None,
        currency: str | None = None,
        account: AccountLike | None = None,
        breaker: BreakerLike | None = None,
        operation: Operation = "submit",
        arguments: Arguments | None = None,
        symbol: str | None = None,
        side: str | None = None,
        order_type: str | None = None,
        result: Callable[[Any], object] | None = None,
        errors: Errors | None = None,
        reference_price: ReferencePrice | None = None,
        multiplier: float = 1,
        timeout: float | None = None,
        grace: float | None = None,
    ) -> Any:
        chosen = settings(
            venue=venue,
            strategy=strategy,
            currency=currency,
            account=account,
            operation=operation,
            symbol=symbol,
            side=side,
            order_type=order_type,
            result=result,
            errors=errors,
            multiplier=multiplier,
            breaker=breaker,
            timeout=timeout,
            grace=grace,
        )
        describe = partial(_described, chosen, arguments, reference_price)
        return partial(wrap, describe=describe) if function is None else wrap(function, describe)

    def track(
        self,
        *,
        venue: str,
        strategy: str | None = None,
        symbol: str | None = None,
        side: object = None,
        type: object = None,  # noqa: A002 - the public name of an order's type
        quantity: object = None,
        price: object = None,
        reference_price: object = None,
        order_id: str | None = None,
        client_id: str | None = None,
        time_in_force: object = None,
        short_sale: bool | None = None,
        reduce_only: bool | None = None,
        currency: str | None = None,
        account: AccountLike | None = None,
        breaker: BreakerLike | None = None,
        operation: Operation = "submit",
        result: Callable[[Any], object] | None = None,
        errors: Errors | None = None,
        multiplier: float = 1,
        timeout: float | None = None,
        grace: float | None = None,
    ) -> Block:
        """Return the context manager that does the same for a block of code; what the arguments would say is said here."""
        fields = {
            "venue": venue,
            "symbol": symbol,
            "side": side,
            "type": type,
            "quantity": quantity,
            "price": price,
            "reference_price": reference_price,
            "order_id": order_id,
            "client_id": client_id,
            "time_in_force": time_in_force,
            "short_sale": short_sale,
        }

        def hooks() -> Hooks:
            chosen = settings(
                venue=venue,
                strategy=strategy,
                currency=currency,
                account=account,
                operation=operation,
                symbol=None,
                side=None,
                order_type=None,
                result=result,
                errors=errors,
                multiplier=multiplier,
                breaker=breaker,
                timeout=timeout,
                grace=grace,
            )
            order = OrderOperation(chosen, None, current=True)
            request = request_of(fields.get)
            guard, begin = partial(order.guard_with, request, reduces=true(reduce_only)), partial(order.begin_with, request)
            return _hooks(order, guard, begin, "", always=account is not None)

        return Block(hooks)


def _described(chosen: Settings, arguments: Arguments | None, reference: ReferencePrice | None, shape: Shape) -> Hooks:
    reader = Reader(shape, arguments, reference, guarded=chosen.breaker is not None and chosen.operation == "submit")
    order = OrderOperation(chosen, reader, current=shape.runs_at_once)
    # An account and a breaker keep what the bot decides by: they are told whether anybody looks at metrics or not.
    return _hooks(order, order.guard, order.begin, reader.inputs, always=chosen.terms.account is not None)


def _hooks(
    order: OrderOperation, guard: Callable[..., None], begin: Callable[..., object], inputs: str, *, always: bool
) -> Hooks:
    if not order.guarded:
        return Hooks(order.failed, order.ended, begin=begin, begins="always", inputs=inputs, always=always)
    return Hooks(
        order.failed_guarded, order.ended_guarded, guard=guard, begin=begin, begins="always", inputs=inputs, always=True
    )


order_execution = _OrderExecution()
