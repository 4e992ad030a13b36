"""Reads an order from what a venue's client returned: a ccxt order, an object such as alpaca's, a plain id, or nothing.

The names are those of ccxt, alpaca-py, ib_async, python-binance, the raw answers of larger exchanges, and what people call
these things in their own classes. Only stored data is read (see reading.py).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Final, NamedTuple, TypeAlias, cast
from uuid import UUID

from otel_trading.orders import vocabulary
from otel_trading.orders.reading import Amount, Lookup, Paths, amount, first, lookup, paths, text
from otel_trading.semconv.attributes import FillLiquidity, OrderRejectReason, OrderSide, OrderStatus, OrderType

_ID = paths("id", "order_id", "orderId", "ordId", "orderID", "order.orderId", "txid", "ref")
_CLIENT_ID = paths("clientOrderId", "client_order_id", "clOrdId", "newClientOrderId", "client_oid", "clientOid")
_STATUS = paths("status", "order_status", "orderStatus.status", "orderStatus", "ordStatus", "state")
_SYMBOL = paths("symbol", "pair", "product_id", "instId", "contract.localSymbol", "contract.symbol", "ticker", "instrument")
_SIDE = paths("side", "order_side", "action", "order.action")
_TYPE = paths("type", "order_type", "orderType", "ordType", "order.orderType")
_QUANTITY = paths(
    "amount", "qty", "quantity", "origQty", "order_qty", "orderQty", "order.totalQuantity", "size", "sz", "volume"
)
_FILLED = paths(
    *("filled", "filled_qty", "filled_quantity", "filledQuantity", "executedQty", "orderStatus.filled", "cumQty", "cumExecQty"),
    *("filled_size", "accFillSz", "executed_quantity", "vol_exec"),
)
_AVERAGE = paths(
    *("average", "filled_avg_price", "average_price", "avg_price", "avgPrice", "orderStatus.avgFillPrice", "avgPx"),
    *("average_fill_price", "avgFillPrice", "average_filled_price", "fill_price"),
)
_COST = paths("cost", "cummulativeQuoteQty", "filled_value", "cumExecValue")
_REASON = paths("reject_reason", "rejected_reason", "rejectReason", "failed_reason", "cancel_reason", "reason")
_TRADES = paths("trades", "fills", "executions")
_FEE = paths("fee", "commission")

_FILL_ID = paths("id", "execution_id", "tradeId", "trade_id", "execId", "execution.execId", "exec_id", "match_id")
_FILL_QUANTITY = paths("amount", "qty", "quantity", "size", "shares", "execution.shares", "filled_quantity", "sz")
_FILL_PRICE = paths("price", "execution.price", "px", "fill_price")
_FILL_FEE = paths("fee", "commission", "commissionReport.commission")
_FILL_FEE_CURRENCY = paths("fee_currency", "feeCurrency", "commissionAsset", "commissionReport.currency", "fee_asset")
_FILL_SIDE = paths("side", "execution.side")
_FILL_LIQUIDITY = paths(
    "takerOrMaker",
    "liquidity",
    "maker",
    "isMaker",
    "is_maker",
    "liquidity_indicator",
    "execution.lastLiquidity",
)

_COST_OF_FEE = paths("cost", "amount")
_CURRENCY_OF_FEE = paths("currency", "asset")

_MAX: Final = sys.float_info.max
_MOST_FILLS: Final = 1_000
"""Fills of one order that are read; an answer with more of them is not one of a venue."""

_UNFINISHED = (GeneratorType, CoroutineType, AsyncGeneratorType)

Fee: TypeAlias = "tuple[Amount, str | None]"
"""An amount paid (a rebate if it is negative) and its currency, if the answer says it."""


class Fill(NamedTuple):
    """One fill of an order."""

    quantity: Amount
    price: Amount
    execution_id: str | None = None
    liquidity: FillLiquidity = "unknown"
    fees: tuple[Fee, ...] = ()
    side: OrderSide | None = None
    symbol: str | None = None
    time: float | None = None
    """When it happened, in unix seconds, where somebody said it."""


def _nothing(_: str) -> None:
    return None


@dataclass(slots=True, eq=False)
class Report:
    """What an answer says of an order; what it does not say is None.

    What every order is recorded by was read already, the rest is read when it is asked for.
    """

    status: OrderStatus
    id: str | None = None
    quantity: Amount | None = None
    filled: Amount | None = None
    average: Amount | None = None
    fills: tuple[Fill, ...] = ()
    """The fills that the answer lists."""
    fees: tuple[Fee, ...] = ()
    """The fees of the whole order so far; the fills that are listed have their own."""
    stated: bool = False
    """Whether the answer states a status itself, rather than that the order was taken."""
    understood: bool = True
    """Whether the answer was recognized as anything about an order."""
    execution: Fill | None = None
    """The one fill that an event tells of."""
    source: Lookup = _nothing

    @property
    def symbol(self) -> str | None:
        """The instrument."""
        return text(first(self.source, _SYMBOL))

    @property
    def side(self) -> OrderSide | None:
        """Whether it bought or sold."""
        return vocabulary.side(first(self.source, _SIDE))

    @property
    def type(self) -> OrderType | None:
        """The type of the order."""
        said = first(self.source, _TYPE)
        return None if said is None else vocabulary.order_type(said)

    @property
    def client_id(self) -> str | None:
        """The bot's own id of the order."""
        return text(first(self.source, _CLIENT_ID))

    @property
    def reject_reason(self) -> OrderRejectReason | None:
        """Why the order was rejected, if it was."""
        return vocabulary.reject_reason(first(self.source, _REASON)) if self.status == "rejected" else None


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
        return Report("new", identity) if identity else _NOT_UNDERSTOOD
    if issubclass(kind, _UNFINISHED):
        return _NOT_UNDERSTOOD
    return read_order(lookup(result))


def read_order(source: Lookup) -> Report:
    """Return what is stored about an order."""
    identity = text(source("id")) or text(first(source, _ID))
    said = source("status")
    if type(said) is not str or not said:
        said = first(source, _STATUS)
    if identity is None and said is None:
        return _NOT_UNDERSTOOD
    fills = _read_fills(first(source, _TRADES))
    filled = _number(source, "filled", _FILLED)
    if filled is None and fills:
        filled = sum((float(fill.quantity) for fill in fills), 0.0)
    quantity = _number(source, "amount", _QUANTITY)
    return Report(
        _status(said, quantity, filled),
        identity,
        quantity,
        filled,
        _average(source, filled, fills) if filled or fills else None,
        fills,
        () if fills and any(fill.fees for fill in fills) else _read_fees(source),
        said is not None,
        source=source,
    )


def _number(source: Lookup, name: str, names: Paths) -> Amount | None:
    """The number under `name`, as ccxt calls it, else under the other names."""
    value = source(name)
    if type(value) is float and -_MAX <= value <= _MAX:
        return value
    return amount(first(source, names))


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
    average = _number(source, "average", _AVERAGE)
    if average:  # negative ones too (a spread, oil in April 2020); 0 is how venues write that there is none
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
    if (kind is not list and kind is not tuple) or not listed:
        return ()
    found = (read_fill(lookup(entry)) for entry in cast("Sequence[object]", listed)[:_MOST_FILLS])
    return tuple(fill for fill in found if fill is not None)


def read_fill(source: Lookup) -> Fill | None:
    """Return the fill that is stored, if it has a quantity and a price."""
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


def _read_fees(source: Lookup, names: Paths = _FEE, currency: str | None = None) -> tuple[Fee, ...]:
    """The fees that are listed, or the single one: a number, or a `cost` with its `currency` as ccxt has it."""
    listed = source("fees")
    if type(listed) is list:
        entries = cast("Sequence[object]", listed)[:_MOST_FILLS]
        found = [fee for one in entries if (fee := _read_fee(one, currency)) is not None]
        if found:
            return tuple(found)
    fee = _read_fee(first(source, names), currency)
    return () if fee is None else (fee,)


def _read_fee(value: object, currency: str | None) -> Fee | None:
    if value is None:
        return None
    number = None if issubclass(type(value), dict) else amount(value)
    if number is not None:
        return number, currency
    source = lookup(value)
    paid, named = source("cost"), source("currency")
    if type(paid) is float and type(named) is str and named and -_MAX <= paid <= _MAX:  # as ccxt has it
        return paid, named
    cost = amount(first(source, _COST_OF_FEE))
    return None if cost is None else (cost, text(first(source, _CURRENCY_OF_FEE)) or currency)
