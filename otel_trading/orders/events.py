"""Reads what trading libraries tell of an order, as an answer or over a stream, where it is not said in plain words.

Known by the names of their classes, so that no library needs to be imported or installed, and read as everything foreign is:
what is stored, nothing is called (see reading.py). Anything else is read as an order by its names (see results.py).

- ccxt: orders, and the trades of `watch_my_trades` and `fetch_my_trades`, which name their order;
- alpaca-py: orders and `TradeUpdate`;
- ib_async: `Trade` (it reports an order that was rejected as cancelled, with the error's code in its log) and `Fill`;
- nautilus_trader: order events, and what their `to_dict` makes of them;
- backtrader: orders, whose status is a number.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from enum import Enum
from typing import Final, TypeAlias, cast

from otel_trading.orders import vocabulary
from otel_trading.orders.reading import Amount, Lookup, amount, first, lookup, paths, text
from otel_trading.orders.results import Fill, Report, read, read_fill, read_order
from otel_trading.semconv.attributes import OrderStatus

_Adapter: TypeAlias = "Callable[[Lookup], Report | None]"


def read_event(told: object) -> Report:
    """Return what `told`, an answer or an event of one of these libraries, says of an order."""
    kind = type(told)
    if kind is Report:
        return cast("Report", told)
    if issubclass(kind, dict):
        source = lookup(told)
        named, order = source("type"), source("order")
        if type(named) is str and named in _NAUTILUS:
            return _nautilus(named, source)
        if order is not None and (trade := _ccxt_trade(order, source)) is not None:
            return trade
        return read(told)
    root = kind.__module__.partition(".")[0] if type(kind.__module__) is str else ""
    for base in kind.__mro__:
        adapter = _ADAPTERS.get((root, base.__name__))
        if adapter is not None:
            return adapter(lookup(told)) or read(told)
    if root == "nautilus_trader" and kind.__name__ in _NAUTILUS:
        return _nautilus(kind.__name__, lookup(told))
    return read(told)


def _ccxt_trade(order: object, source: Lookup) -> Report | None:
    """A trade of ccxt's: it has an order, and no status."""
    identity = text(order)
    fill = read_fill(source)
    if identity is None or fill is None or source("status") is not None:
        return None
    return Report("partially_filled", identity, execution=fill, source=_without(source, "type"))


def _alpaca_update(source: Lookup) -> Report | None:
    """The event of alpaca's stream: the order as it is now, and the execution, if it is one."""
    order = source("order")
    report = None if order is None else read(order)
    if report is None or not report.understood:
        return None
    said = vocabulary.status(source("event"))
    quantity, price = amount(source("qty")), amount(source("price"))
    fill = None
    if said in {"filled", "partially_filled"} and quantity and price:
        fill = Fill(quantity, price, text(source("execution_id")), side=report.side, symbol=report.symbol)
    return replace(report, status=report.status if said == "unknown" else said, execution=fill)


# Errors that Interactive Brokers tells beside an order that it did not refuse: that it was cancelled as was asked (202), that
# a cancel came too late (161, 10147, 10148), that a message is no error (399).
# https://interactivebrokers.github.io/tws-api/message_codes.html
_IB_NO_REFUSAL: Final = frozenset({0, 161, 202, 399, 10147, 10148})
_IB_REASONS: Final = {103: "duplicate", 110: "invalid_order", 200: "invalid_order", 203: "invalid_order", 321: "invalid_order"}


def _ib_trade(source: Lookup) -> Report | None:
    report = read_order(source)
    log = source("log")
    if report.status not in {"canceled", "rejected"} or type(log) is not list or not log:
        return report
    last = lookup(cast("Sequence[object]", log)[-1])
    code, message = last("errorCode"), last("message")
    if type(code) is not int or (report.status == "canceled" and code in _IB_NO_REFUSAL):
        return report
    return replace(report, status="rejected", source=_with(source, reject_reason=_IB_REASONS.get(code, message)))


def _ib_fill(source: Lookup) -> Report | None:
    """What `execDetailsEvent` hands over beside the trade."""
    fill = read_fill(source)
    order = text(first(source, paths("execution.orderId"))) if source("execution") is not None else None
    if fill is None or order is None:
        return None
    if not fill.fees or first(source, paths("commissionReport.execId")) is None:
        fill = fill._replace(fees=())  # it comes later, in an event of its own
    return Report("partially_filled", order, execution=fill, source=source)


_BACKTRADER_STATUSES: Final[tuple[OrderStatus, ...]] = (
    *("pending_new", "pending_new", "new", "partially_filled", "filled", "canceled", "expired", "rejected", "rejected"),
)
"""Created, Submitted, Accepted, Partial, Completed, Canceled, Expired, Margin, Rejected: `Order.Status` of backtrader 1.9."""
_BACKTRADER_TYPES: Final = ("market", "market", "limit", "stop", "stop_limit", "trailing_stop", "trailing_stop", "other")
"""Market, Close, Limit, Stop, StopLimit, StopTrail, StopTrailLimit, Historical: `Order.ExecTypes` of backtrader 1.9."""
_MARGIN: Final = 7


def _backtrader(source: Lookup) -> Report | None:
    state = source("status")
    known = type(state) is int and 0 <= state < len(_BACKTRADER_STATUSES)
    parts = {name: first(source, paths(path)) for name, path in _BACKTRADER_PATHS.items()}
    size, filled, paid = amount(parts["quantity"]), amount(parts["filled"]), amount(parts["fee"])
    own = source("exectype")  # of an order whose terms did not say it
    kind = parts["kind"] if own is None else own
    named: dict[str, object] = {
        "symbol": parts["symbol"],
        "side": {0: "buy", 1: "sell"}.get(cast("int", source("ordtype"))),
        "type": _BACKTRADER_TYPES[kind] if type(kind) is int and 0 <= kind < len(_BACKTRADER_TYPES) else None,
        "reason": "margin" if state == _MARGIN else None,
    }
    return Report(
        _BACKTRADER_STATUSES[cast("int", state)] if known else "unknown",
        text(source("ref")),
        None if size is None else abs(size),
        None if filled is None else abs(filled),
        amount(parts["average"]) if filled else None,
        fees=((paid, None),) if paid else (),
        stated=True,
        source=named.get,
    )


_BACKTRADER_PATHS: Final = {
    "quantity": "created.size",
    "filled": "executed.size",
    "average": "executed.price",
    "fee": "executed.comm",
    "kind": "params.exectype",
    "symbol": "params.data._name",
}

_NAUTILUS: Final[Mapping[str, OrderStatus | None]] = {
    "OrderInitialized": "pending_new",
    "OrderEmulated": "pending_new",
    "OrderReleased": "pending_new",
    "OrderSubmitted": "pending_new",
    "OrderAccepted": "new",
    "OrderTriggered": "new",
    "OrderDenied": "rejected",
    "OrderRejected": "rejected",
    "OrderCanceled": "canceled",
    "OrderExpired": "expired",
    "OrderPendingUpdate": "pending_replace",
    "OrderPendingCancel": "pending_cancel",
    # What is as it was before the request to change it.
    "OrderUpdated": "new",
    "OrderModifyRejected": "new",
    "OrderCancelRejected": "new",
    "OrderFilled": "partially_filled",  # or filled: the quantity that was ordered says which
}
"""The events of orders in nautilus_trader 1.221, `nautilus_trader.model.events.order`."""

_NAUTILUS_SIDES: Final = {1: "buy", 2: "sell"}
_NAUTILUS_LIQUIDITY: Final = {1: "maker", 2: "taker"}
_NAUTILUS_TYPES: Final = {
    1: "market",
    2: "limit",
    3: "stop_market",
    4: "stop_limit",
    5: "market_to_limit",
    6: "market_if_touched",
    7: "limit_if_touched",
    8: "trailing_stop",
    9: "trailing_stop",
}
"""`OrderSide`, `LiquiditySide` and `OrderType` of nautilus_trader 1.221, whose values are numbers."""
_NANO: Final = Decimal("1e-9")
_NAUTILUS_DIGITS: Final = 16
"""Decimal places of a raw value in a build with high precision, which is the usual one; a build says it itself."""


def _nautilus(event: str, source: Lookup) -> Report:
    identity, client = _value(source("venue_order_id")), _value(source("client_order_id"))
    side, symbol = _named(source, ("order_side", "side"), _NAUTILUS_SIDES), _value(source("instrument_id"))
    named: dict[str, object] = {
        "clientOrderId": client,
        "symbol": symbol,
        "side": side,
        "type": _named(source, ("order_type",), _NAUTILUS_TYPES),
        "reason": "risk_limit" if event == "OrderDenied" else source("reason"),
    }
    status: OrderStatus = _NAUTILUS[event] or "unknown"
    quantity = _number(source("quantity")) if event in {"OrderInitialized", "OrderUpdated"} else None
    fill = None
    if event == "OrderFilled":
        filled, price = _number(source("last_qty")), _number(source("last_px"))
        if filled and price is not None:
            liquidity = vocabulary.liquidity(_named(source, ("liquidity_side",), _NAUTILUS_LIQUIDITY))
            fees = _commission(source("commission"))
            fill = Fill(filled, price, _value(source("trade_id")), liquidity, fees, vocabulary.side(side), symbol)
    # An order has its venue's id only from the acknowledgement on; until then it is known by the bot's own.
    return Report(status, identity or client, quantity, execution=fill, stated=True, source=named.get)


def _named(source: Lookup, names: Sequence[str], numbers: Mapping[int, str]) -> object:
    value = first(source, paths(*names))
    if issubclass(type(value), Enum):
        value = cast("Enum", value).value if issubclass(type(cast("Enum", value).value), int) else value
    return numbers.get(int(cast("int", value))) if issubclass(type(value), int) else value


def _value(identifier: object) -> str | None:
    """An identifier of nautilus', which stores its text as `value`, or the text itself."""
    return text(identifier) or (None if identifier is None else text(lookup(identifier)("value")))


def _number(value: object) -> Amount | None:
    """A quantity or price of nautilus', which stores a whole number of the smallest unit it can tell, or the number itself."""
    plain = amount(value)
    if plain is not None or value is None:
        return plain
    raw = lookup(value)("raw")
    if type(raw) is not int:
        return None
    module = sys.modules.get(type(value).__module__)
    digits = getattr(module, "FIXED_PRECISION", _NAUTILUS_DIGITS)
    return Decimal(raw).scaleb(-(digits if type(digits) is int else _NAUTILUS_DIGITS)).normalize()


def _commission(value: object) -> tuple[tuple[Amount, str | None], ...]:
    if type(value) is str:  # `0.50 USD`
        number, _, currency = value.partition(" ")
        paid = amount(number)
        return () if paid is None else ((paid, currency or None),)
    paid = _number(value)
    if paid is None:
        return ()
    currency = None if amount(value) is not None else text(first(lookup(value), paths("currency.code")))
    return ((paid, currency),)


def _with(source: Lookup, **more: object) -> Lookup:
    return lambda name: more[name] if more.get(name) is not None else source(name)


def _without(source: Lookup, *names: str) -> Lookup:
    return lambda name: None if name in names else source(name)


_ADAPTERS: Final[Mapping[tuple[str, str], _Adapter]] = {
    ("alpaca", "TradeUpdate"): _alpaca_update,
    ("ib_async", "Trade"): _ib_trade,
    ("ib_async", "Fill"): _ib_fill,
    ("ib_insync", "Trade"): _ib_trade,
    ("ib_insync", "Fill"): _ib_fill,
    ("backtrader", "OrderBase"): _backtrader,
}
"""Readers by the package and the name of a class."""
