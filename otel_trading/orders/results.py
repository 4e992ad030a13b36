"""Reads an order from what a venue's client returned: a ccxt order, an object such as alpaca's, a plain id, or nothing.

The names are those of ccxt, alpaca-py, ib_async, python-binance, the raw answers of larger exchanges, and what people call
these things in their own classes. Only stored data is read (see reading.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Final, TypeAlias, cast
from uuid import UUID

from otel_trading.orders import vocabulary
from otel_trading.orders.reading import Amount, Lookup, amount, first, lookup, text
from otel_trading.semconv.attributes import FillLiquidity, OrderRejectReason, OrderSide, OrderStatus, OrderType

_ID = ("id", "order_id", "orderId", "ordId", "orderID", "order.orderId", "txid", "ref")
_CLIENT_ID = ("clientOrderId", "client_order_id", "clOrdId", "newClientOrderId", "client_oid", "clientOid")
_STATUS = ("status", "order_status", "orderStatus.status", "orderStatus", "ordStatus", "state")
_SYMBOL = ("symbol", "pair", "product_id", "instId", "contract.localSymbol", "contract.symbol", "ticker", "instrument")
_SIDE = ("side", "order_side", "action", "order.action")
_TYPE = ("type", "order_type", "orderType", "ordType", "order.orderType")
_QUANTITY = ("amount", "qty", "quantity", "origQty", "order_qty", "orderQty", "order.totalQuantity", "size", "sz", "volume")
_FILLED = (
    *("filled", "filled_qty", "filled_quantity", "filledQuantity", "executedQty", "orderStatus.filled", "cumQty", "cumExecQty"),
    *("filled_size", "accFillSz", "executed_quantity", "vol_exec"),
)
_AVERAGE = (
    *("average", "filled_avg_price", "average_price", "avg_price", "avgPrice", "orderStatus.avgFillPrice", "avgPx"),
    *("average_fill_price", "avgFillPrice", "average_filled_price", "fill_price"),
)
_COST = ("cost", "cummulativeQuoteQty", "filled_value", "cumExecValue")
_PRICE = ("price", "limit_price", "limitPrice", "order.lmtPrice", "px")
_REASON = ("reject_reason", "rejected_reason", "rejectReason", "failed_reason", "cancel_reason", "reason")
_TIME_IN_FORCE = ("timeInForce", "time_in_force", "order.tif", "tif")
_TRADES = ("trades", "fills", "executions")
_FEES = ("fees",)
_FEE = ("fee", "commission")

_FILL_ID = ("id", "execution_id", "tradeId", "trade_id", "execId", "execution.execId", "exec_id", "match_id")
_FILL_QUANTITY = ("amount", "qty", "quantity", "size", "shares", "execution.shares", "filled_quantity", "sz")
_FILL_PRICE = ("price", "execution.price", "px", "fill_price")
_FILL_FEE = ("fee", "commission", "commissionReport.commission")
_FILL_FEE_CURRENCY = ("fee_currency", "feeCurrency", "commissionAsset", "commissionReport.currency", "fee_asset")
_FILL_SIDE = ("side", "execution.side")
_FILL_LIQUIDITY = (
    "takerOrMaker",
    "liquidity",
    "maker",
    "isMaker",
    "is_maker",
    "liquidity_indicator",
    "execution.lastLiquidity",
)

_MOST_FILLS: Final = 1_000
"""Fills of one order that are read; an answer with more of them is not one of a venue."""

_UNFINISHED = (GeneratorType, CoroutineType, AsyncGeneratorType)

Fee: TypeAlias = "tuple[Amount, str | None]"
"""An amount paid (a rebate if it is negative) and its currency, if the answer says it."""


@dataclass(frozen=True, slots=True)
class Fill:
    """One fill of an order."""

    quantity: Amount
    price: Amount
    execution_id: str | None = None
    liquidity: FillLiquidity = "unknown"
    fees: tuple[Fee, ...] = ()
    side: OrderSide | None = None
    symbol: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What an answer says of an order; what it does not say is None."""

    status: OrderStatus
    id: str | None = None
    client_id: str | None = None
    symbol: str | None = None
    side: OrderSide | None = None
    type: OrderType | None = None
    quantity: Amount | None = None
    price: Amount | None = None
    filled: Amount | None = None
    average: Amount | None = None
    reject_reason: OrderRejectReason | None = None
    time_in_force: str | None = None
    fills: tuple[Fill, ...] = ()
    """The fills that the answer lists."""
    fees: tuple[Fee, ...] = field(default=())
    """The fees of the whole order so far; the fills that are listed have their own."""
    stated: bool = False
    """Whether the answer states a status itself, rather than that the order was taken."""
    understood: bool = True
    """Whether the answer was recognized as anything about an order."""


_SENT = Report("pending_new")
_ACKNOWLEDGED = Report("new")
_NOT_UNDERSTOOD = Report("unknown", understood=False)


def read(result: object) -> Report:
    """Return what `result` says of the order that was sent.

    - a `dict` or an object that stores an id or a status: an order, read by its names;
    - text, an integer or a UUID: the id of an order that the venue has acknowledged (status `new`);
    - True: acknowledged; None: sent, and nothing is known of it (`pending_new`);
    - anything else (False, a tuple, a list, a generator, an object that hides its data): not understood, `unknown`.
    """
    if result is None:
        return _SENT
    kind = type(result)
    if kind is bool:
        return _ACKNOWLEDGED if result else _NOT_UNDERSTOOD
    if kind is Report:
        return cast("Report", result)
    if kind is int or kind is UUID or issubclass(kind, str):
        identity = text(result)
        return Report("new", id=identity) if identity else _NOT_UNDERSTOOD
    if issubclass(kind, _UNFINISHED):
        return _NOT_UNDERSTOOD
    return _read_order(lookup(result))


def _read_order(source: Lookup) -> Report:
    identity = text(first(source, _ID))
    said = first(source, _STATUS)
    if identity is None and said is None:
        return _NOT_UNDERSTOOD
    fills = _read_fills(first(source, _TRADES))
    filled = amount(first(source, _FILLED))
    if filled is None and fills:
        filled = sum((float(fill.quantity) for fill in fills), 0.0)
    quantity = amount(first(source, _QUANTITY))
    status = _status(said, quantity, filled)
    said_type = first(source, _TYPE)
    return Report(
        status,
        id=identity,
        client_id=text(first(source, _CLIENT_ID)),
        symbol=text(first(source, _SYMBOL)),
        side=vocabulary.side(first(source, _SIDE)),
        type=None if said_type is None else vocabulary.order_type(said_type),
        quantity=quantity,
        price=amount(first(source, _PRICE)),
        filled=filled,
        average=_average(source, filled, fills),
        reject_reason=vocabulary.reject_reason(first(source, _REASON)) if status == "rejected" else None,
        time_in_force=vocabulary.time_in_force(first(source, _TIME_IN_FORCE)),
        fills=fills,
        fees=() if any(fill.fees for fill in fills) else _read_fees(source),
        stated=said is not None,
    )


def _status(said: object, quantity: Amount | None, filled: Amount | None) -> OrderStatus:
    """The status that the words mean together with what was filled."""
    some = filled is not None and filled > 0
    whole = some and quantity is not None and float(filled or 0) >= float(quantity) * (1 - 1e-9)
    if said is None:  # an id is an acknowledgement
        return "filled" if whole else "partially_filled" if some else "new"
    status = vocabulary.status(said)
    if status == "new" and some:
        return "filled" if whole else "partially_filled"
    if status == "filled" and filled is not None and quantity is not None and not whole:
        return "canceled"  # closed, and not because there was nothing left to fill
    return status


def _average(source: Lookup, filled: Amount | None, fills: Sequence[Fill]) -> Amount | None:
    average = amount(first(source, _AVERAGE))
    if average is not None and average > 0:
        return average
    bought = sum(float(fill.quantity) for fill in fills)
    if bought:
        return sum(float(fill.quantity) * float(fill.price) for fill in fills) / bought
    cost = amount(first(source, _COST))
    if cost is not None and cost > 0 and filled is not None and filled > 0:
        return float(cost) / float(filled)
    return None


def _read_fills(listed: object) -> tuple[Fill, ...]:
    kind = type(listed)
    if kind is not list and kind is not tuple:
        return ()
    found = (_read_fill(lookup(entry)) for entry in cast("Sequence[object]", listed)[:_MOST_FILLS])
    return tuple(fill for fill in found if fill is not None)


def _read_fill(source: Lookup) -> Fill | None:
    quantity, price = amount(first(source, _FILL_QUANTITY)), amount(first(source, _FILL_PRICE))
    if quantity is None or price is None or quantity == 0:
        return None
    return Fill(
        quantity,
        price,
        text(first(source, _FILL_ID)),
        vocabulary.liquidity(first(source, _FILL_LIQUIDITY)),
        _read_fees(source, _FILL_FEE, text(first(source, _FILL_FEE_CURRENCY))),
        vocabulary.side(first(source, _FILL_SIDE)),
        text(first(source, _SYMBOL)),
    )


def _read_fees(source: Lookup, names: Sequence[str] = _FEE, currency: str | None = None) -> tuple[Fee, ...]:
    """The fees that are listed, or the single one: a number, or a `cost` with its `currency` as ccxt has it."""
    listed = first(source, _FEES)
    several = cast("Sequence[object]", listed)[:_MOST_FILLS] if type(listed) is list else ()
    found = [fee for one in several if (fee := _read_fee(one, currency))]
    if not found and (fee := _read_fee(first(source, names), currency)):
        found.append(fee)
    return tuple(found)


def _read_fee(value: object, currency: str | None) -> Fee | None:
    paid = amount(value)
    if paid is None and value is not None:
        source = lookup(value)
        paid, currency = amount(first(source, ("cost", "amount"))), text(first(source, ("currency", "asset"))) or currency
    return (paid, currency) if paid is not None else None
