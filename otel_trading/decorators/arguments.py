"""Finds what an order is in the arguments of the function that sends it: by the names of parameters, or as it is told."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, TypeAlias, cast, get_args

from otel_trading.decorators.wrapping import Shape
from otel_trading.errors import ConfigurationError
from otel_trading.metrics import faults
from otel_trading.orders import vocabulary
from otel_trading.orders.reading import Amount, Lookup, Paths, amount, first, lookup, paths, text
from otel_trading.semconv.attributes import OrderSide, OrderType

Field: TypeAlias = Literal[
    "venue",
    "symbol",
    "side",
    "type",
    "quantity",
    "price",
    "reference_price",
    "order_id",
    "client_id",
    "time_in_force",
    "short_sale",
    "reduce_only",
]
"""What can be read of an order."""

FIELDS: Final[tuple[Field, ...]] = get_args(Field)

Arguments: TypeAlias = "Mapping[Field, str] | Callable[..., Mapping[Any, object]]"
"""Where the fields are: names of parameters (`order.px` is what the parameter `order` stores as `px`), or a function of the
call's arguments that returns the fields."""

ReferencePrice: TypeAlias = "str | Callable[..., object]"
"""Where the price that slippage is measured from is: the name of a parameter, or a function of the call's arguments."""

# What people call the parameters, and what a request object calls its fields; the first that is there and not None counts.
_NAMES: Final[Mapping[Field, tuple[str, ...]]] = {
    "venue": ("venue", "exchange", "broker"),
    "symbol": ("symbol", "pair", "ticker", "instrument", "market", "product_id", "instId", "instrument_id", "contract"),
    "side": ("side", "order_side", "orderSide", "action", "direction", "is_buy"),
    "type": ("order_type", "type", "type_", "orderType", "ordertype", "ordType", "kind"),
    "quantity": ("quantity", "qty", "amount", "size", "volume", "units", "shares", "sz", "totalQuantity"),
    "price": ("price", "limit_price", "limitPrice", "limit", "px", "lmtPrice"),
    "reference_price": ("reference_price", "arrival_price", "decision_price", "expected_price", "mid_price", "mid"),
    "order_id": ("order_id", "orderId", "id", "ordId"),
    "client_id": ("client_order_id", "clientOrderId", "client_id", "newClientOrderId", "clOrdId"),
    "time_in_force": ("time_in_force", "timeInForce", "tif"),
    "short_sale": ("short_sale",),
    "reduce_only": ("reduce_only", "reduceOnly", "close_position", "closePosition"),
}

_FIELDS: Final[Mapping[Field, Paths]] = {field: paths(*names) for field, names in _NAMES.items()}

_REQUESTS: Final = ("order", "request", "order_data", "order_request", "req", "params")
"""Parameters that are taken for an object or a dict which has the fields, where the function has no parameter for them."""

_HEADS: Final[tuple[Field, ...]] = ("venue", "symbol", "side", "type", "price")
"""What is handed over on its own, so that a call whose arguments are plain text is known by one look-up."""


class Request(NamedTuple):
    """What is known of an order when it is sent."""

    venue: str | None = None
    symbol: str | None = None
    side: OrderSide | None = None
    type: OrderType | None = None
    quantity: Amount | None = None
    price: Amount | None = None
    reference_price: Amount | None = None
    order_id: str | None = None
    client_id: str | None = None
    time_in_force: str | None = None
    short_sale: bool | None = None


def request_of(fields: Lookup) -> Request:
    """Return the request that raw values of the fields make; a type that is not said is `limit` if there is a price."""
    said, price, short = fields("type"), amount(fields("price")), fields("short_sale")
    kind = None if said is None else vocabulary.order_type(said)
    return Request(
        text(_plain(fields("venue"), ("id", "name"))),
        text(_plain(fields("symbol"), ("symbol", "localSymbol", "value"))),
        vocabulary.side(fields("side")),
        "limit" if kind is None and price is not None else kind,
        amount(fields("quantity")),
        price,
        amount(fields("reference_price")),
        text(fields("order_id")),
        text(fields("client_id")),
        vocabulary.time_in_force(fields("time_in_force")),
        short if type(short) is bool else None,
    )


def _plain(value: object, names: Sequence[str]) -> object:
    """A name: `value` itself if it is text, else what it stores under one of `names` (the id of a ccxt exchange, say)."""
    return value if value is None or text(value) is not None else first(lookup(value), paths(*names))


def true(value: object) -> bool:
    """Whether `value` is true beyond doubt: True, or the text of it that some venues want."""
    return value is True or (isinstance(value, str) and value.lower() == "true")


class Reader:
    """Reads requests from the calls of one function."""

    def __init__(
        self,
        shape: Shape,
        told: Arguments | None = None,
        reference: ReferencePrice | None = None,
        *,
        guarded: bool = False,
    ) -> None:
        mapping: dict[Field, str] = {} if told is None or callable(told) else dict(told)
        if isinstance(reference, str):
            mapping["reference_price"] = reference
        self._told = told if callable(told) else None
        self._reference = reference if callable(reference) else None
        self._names = _visible_parameters(shape)
        self._paths = _paths(mapping, self._names, open_ended=shape.variadic)
        self._requests = tuple(name for name in _REQUESTS if name in self._names)
        self._by_name = self._told is None and self._reference is None and not shape.variadic
        heads: list[str | None] = [None] * len(_HEADS)
        rest = shape.everything
        if self._by_name:
            heads = [self._head(field) for field in _HEADS]
            # Who asks no breaker has no use for `reduce_only`.
            read = [found for field, found in self._paths.items() if guarded or field != "reduce_only"]
            used = {path if isinstance(path, str) else path[0] for found in read for path in found}
            used.update(self._requests)
            self._names = tuple(name for name in self._names if name in used)
            rest = "".join(f"{name}, " for name in self._names)
        self.inputs = f"{', '.join(map(str, heads))}, ({rest})"
        """The expressions that the hook is given: the heads, and what `read` takes."""
        self.direct = self._by_name and not self._requests and all(map(self._decided, _HEADS, heads))
        """Whether the heads are all that there is to know of where, what and by whom."""
        self.refers = not self._by_name or bool(self._requests or self._paths["reference_price"])
        """Whether a call may say what price was meant."""
        self.exits = guarded and (not self._by_name or bool(self._requests or self._paths["reduce_only"]))
        """Whether a call may say that an order can only make a position smaller."""

    def _head(self, field: Field) -> str | None:
        found = self._paths[field]
        return found[0] if len(found) == 1 and isinstance(found[0], str) else None

    def _decided(self, field: Field, head: str | None) -> bool:
        return head is not None or not self._paths[field]

    def read(self, rest: tuple[object, ...]) -> Request:
        """Return the request of a call, from the last of the `inputs`."""
        if self._by_name:
            return request_of(self._fields(dict(zip(self._names, rest, strict=True))))
        args, kwargs = cast("tuple[tuple[object, ...], dict[str, object]]", rest)
        if self._told is not None:
            request = _told(self._told, args, kwargs) or Request()
        else:
            request = request_of(self._fields({**dict(zip(self._names, args, strict=False)), **kwargs}))
        if self._reference is not None:
            return request._replace(reference_price=amount(_asked(self._reference, args, kwargs)))
        return request

    def reduces(self, rest: tuple[object, ...]) -> bool:
        """Whether the order of a call can only make a position smaller, as any of its arguments says; of a guarded reader."""
        if self._by_name:
            given = dict(zip(self._names, rest, strict=True))
        else:
            args, kwargs = cast("tuple[tuple[object, ...], dict[str, object]]", rest)
            if self._told is not None:
                return true(lookup(self._told(*args, **kwargs))("reduce_only"))
            given = {**dict(zip(self._names, args, strict=False)), **kwargs}
        if any(true(first(given.get, (path,))) for path in self._paths["reduce_only"]):
            return True
        requests = [lookup(found) for name in self._requests if (found := given.get(name)) is not None]
        return any(true(first(request, (path,))) for request in requests for path in _FIELDS["reduce_only"])

    def _fields(self, given: Mapping[str, object]) -> Lookup:
        requests = [lookup(found) for name in self._requests if (found := given.get(name)) is not None]

        def field(name: str) -> object:
            value = first(given.get, self._paths[cast("Field", name)])
            for request in requests:
                if value is None:
                    value = first(request, _FIELDS[cast("Field", name)])
            return value

        return field


@faults.contained("order_execution.arguments")
def _told(function: Callable[..., Any], args: tuple[object, ...], kwargs: dict[str, object]) -> Request:
    return request_of(lookup(function(*args, **kwargs)))


@faults.contained("order_execution.reference_price")
def _asked(function: Callable[..., Any], args: tuple[object, ...], kwargs: dict[str, object]) -> object:
    return function(*args, **kwargs)


def _visible_parameters(shape: Shape) -> tuple[str, ...]:
    if not shape.variadic:
        return shape.names
    try:  # of the function that another decorator has wrapped, which is where positional arguments end up
        return tuple(inspect.signature(shape.function).parameters)
    except (TypeError, ValueError):
        return shape.names


def _paths(mapping: Mapping[Field, str], names: Sequence[str], *, open_ended: bool) -> dict[Field, Paths]:
    strange = sorted(set(mapping) - set(FIELDS))
    if strange:
        raise ConfigurationError(f"arguments: {', '.join(strange)} is no field of an order; the fields are {', '.join(FIELDS)}")
    found: dict[Field, Paths] = {}
    for field in FIELDS:
        path = mapping.get(field)
        if path is None:
            found[field] = paths(*(name for name in _NAMES[field] if open_ended or name in names))
        elif open_ended or path.partition(".")[0] in names:
            found[field] = paths(path)
        else:
            raise ConfigurationError(
                f"arguments: {field} is to be read from {path!r}, but the parameters are {', '.join(names) or 'none'}"
            )
    return found
