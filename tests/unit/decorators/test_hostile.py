"""Arguments and results that do harm when they are touched: they are not touched, and the call is recorded all the same."""

from __future__ import annotations

import asyncio
import inspect
import logging
import sys
from collections import UserDict
from decimal import Decimal
from types import MappingProxyType, SimpleNamespace
from unittest.mock import AsyncMock, MagicMock, Mock

import numpy as np
import pytest

from otel_trading.decorators import inference, order_execution, strategy_cycle, timed
from otel_trading.metrics import faults

TOUCHED: list[str] = []


class Hostile:
    """Everything about an instance does harm, and says that it was done."""

    def _harm(self, what: str):
        TOUCHED.append(what)
        raise RuntimeError(what)

    def __getattribute__(self, name: str):
        return object.__getattribute__(self, "_harm")(name)

    def __getattr__(self, name: str):
        return object.__getattribute__(self, "_harm")(name)

    __str__ = __repr__ = __hash__ = __bool__ = __len__ = __iter__ = __float__ = __int__ = __index__ = lambda self: (
        object.__getattribute__(self, "_harm")("special")
    )
    __eq__ = __lt__ = __getitem__ = __contains__ = __format__ = lambda self, _: object.__getattribute__(self, "_harm")(
        "special"
    )
    __class__ = property(lambda self: object.__getattribute__(self, "_harm")("__class__"))
    __dict__ = property(lambda self: object.__getattribute__(self, "_harm")("__dict__"))


class HostileDict(dict):
    """A dict of which only what is stored may be read."""

    def __missing__(self, key: object):
        TOUCHED.append("missing")
        return HostileDict()

    def get(self, key: object, default: object = None):
        TOUCHED.append("get")
        raise RuntimeError("get")

    __getitem__ = __contains__ = get
    __iter__ = keys = values = items = lambda self: self.get(None)


class Lazy:
    """A proxy that loads when it is looked at, as an ORM's does."""

    @property
    def status(self) -> str:
        TOUCHED.append("status")
        return "filled"

    @property
    def __class__(self):
        TOUCHED.append("__class__")
        return dict


class Descriptor:
    """A column of an ORM."""

    def __get__(self, instance: object, owner: type):
        TOUCHED.append("column")
        return "filled"


class Row:
    id = Descriptor()
    status = Descriptor()


class Meta(type):
    """A class whose classes cannot be compared or hashed."""

    def __eq__(cls, other: object) -> bool:
        raise RuntimeError("meta")

    def __hash__(cls) -> int:
        raise RuntimeError("meta")

    def __instancecheck__(cls, instance: object) -> bool:
        raise RuntimeError("meta")


class OfMeta(metaclass=Meta):
    pass


def items():
    TOUCHED.append("started")
    yield {"id": "1", "status": "filled"}


async def later():
    return "filled"


HOSTILE = {
    "hostile": Hostile,
    "hostile dict": lambda: HostileDict({"id": "1", "status": "closed"}),
    "lazy": Lazy,
    "orm row": Row,
    "class of a hostile metaclass": lambda: OfMeta,
    "instance of it": OfMeta,
    "generator": items,
    "array": lambda: np.array([[1.0, 2.0]]),
    "empty array": lambda: np.array([]),
    "huge int": lambda: 10**5000,
    "huge text": lambda: "x" * 1_000_000,
    "lone surrogate": lambda: "\ud800",
    "nan": lambda: float("nan"),
    "decimal nan": lambda: Decimal("sNaN"),
    "mock": Mock,
    "magic mock": MagicMock,
    "deep": lambda: {"id": {"id": {"id": "1"}}, "status": {"status": 1}, "trades": {"a": 1}, "fee": {"cost": {"cost": 1}}},
    "wrong types": lambda: {
        "id": 1.5,
        "status": 3,
        "filled": "many",
        "average": [],
        "trades": [None, 3, {}],
        "fees": [None, {}],
    },
    "nonsense numbers": lambda: {"id": "1", "status": "closed", "filled": float("inf"), "average": -1, "fee": "1e999999"},
    "view": lambda: MappingProxyType({"id": "1", "status": "closed"}),
    "user dict": lambda: UserDict({"id": "1", "status": "closed"}),
    "namespace": lambda: SimpleNamespace(id="1", status=SimpleNamespace(value="filled")),
    "class": lambda: int,
    "module": lambda: logging,
    "exception": lambda: ValueError("returned"),
}
DECORATORS = {
    "order_execution": (order_execution(venue="kraken"), "order.duration"),
    "inference": (inference(model="m"), "inference.duration"),
    "strategy_cycle": (strategy_cycle("hostile"), "strategy.cycle.duration"),
    "timed": (timed("hostile.duration"), "hostile.duration"),
}
each_hostile = pytest.mark.parametrize("make", HOSTILE.values(), ids=list(HOSTILE))
each_decorator = pytest.mark.parametrize(("decorate", "metric"), DECORATORS.values(), ids=list(DECORATORS))


@pytest.fixture(autouse=True)
def untouched():
    TOUCHED.clear()
    yield
    assert TOUCHED == []


@each_hostile
@each_decorator
def test_result_comes_back_untouched_and_is_recorded(recorded, decorate, metric, make) -> None:
    result = make()
    found = decorate(lambda: result)()
    assert found is result
    assert sum(value[0] for _, value in recorded.points(metric)) == 1
    assert not faults.errors


@each_hostile
@each_decorator
def test_arguments_arrive_untouched_and_the_call_is_recorded(recorded, decorate, metric, make) -> None:
    """As each of the arguments that an order is read from, by position, by name, and in a function that takes anything."""
    given = make()
    got = []

    @decorate
    def exact(symbol, side, order_type, quantity, price, exchange, order, mid, order_id):
        got.append((symbol, side, order_type, quantity, price, exchange, order, mid, order_id))

    @decorate
    def open_ended(*args, **kwargs):
        got.append((*args, *kwargs.values()))

    exact(*[given] * 9)
    open_ended(given, symbol=given, side=given, type=given, order=given, price=given)
    assert all(each is given for call in got for each in call)
    assert sum(value[0] for _, value in recorded.points(metric)) == 2
    assert not faults.errors


@each_hostile
def test_hostile_exception_passes_through(recorded, make) -> None:
    """One that carries something hostile, and whose text cannot be had."""

    class HostileError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

        __repr__ = __str__

    error = HostileError(make())

    @order_execution(venue="kraken")
    def place_order() -> None:
        raise error

    with pytest.raises(HostileError) as caught:
        place_order()
    assert caught.value is error
    assert recorded.one("order.duration", type="HostileError")[0] == 1
    assert not faults.errors


def test_coroutine_that_is_returned_is_not_awaited(recorded) -> None:
    """A plain function that returns a coroutine hands it over as it is; what it costs to make is all that we can time."""
    made = order_execution(venue="kraken")(lambda: later())()  # noqa: PLW0108 - it is the call that matters
    assert asyncio.run(made) == "filled"
    assert recorded.one("order.duration")[0] == 1


def test_mocks_are_called_as_they_are(recorded) -> None:
    """A bot's own tests decorate mocks."""
    send = Mock(return_value="id")
    assert timed("mocked.duration")(send)(1, a=2) == "id"
    send.assert_called_once_with(1, a=2)
    awaited = AsyncMock(return_value="id")
    assert asyncio.run(timed("mocked.duration")(awaited)(1)) == "id"
    awaited.assert_awaited_once_with(1)
    assert recorded.one("mocked.duration")[0] == 2


def test_logging_that_raises_does_not_reach_the_bot(recorded) -> None:
    """Our own fault is logged through the application's handlers, which may be broken too."""

    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise RuntimeError("broken handler")

    handler = Broken()
    logging.getLogger("otel_trading").addHandler(handler)
    try:
        assert timed("logged.duration", attributes=lambda: 1 / 0)(lambda: "done")() == "done"
    finally:
        logging.getLogger("otel_trading").removeHandler(handler)
    assert faults.errors[("decorators", "ZeroDivisionError")] == 1
    assert recorded.one("logged.duration")[0] == 1


@pytest.mark.usefixtures("recorded")
def test_interrupt_of_our_own_work_is_not_swallowed() -> None:
    """Ctrl-C in the middle of recording is the user's: it passes."""

    def interrupted(**_: object):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        order_execution(venue="kraken", arguments=interrupted)(lambda: "id")()


ROOM = 60
"""Calls in calls."""


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize(
    "decorator",
    [timed("deep.work"), inference(model="m", version="1"), order_execution(venue="v", strategy="s")],
    ids=["timed", "inference", "order_execution"],
)
def test_a_call_as_deep_as_python_lets_it_be_returns_what_it_returns(decorator):
    """There is no room to record it, and none to say so."""

    def order(symbol, side, quantity):
        return f"{side} {quantity} {symbol}"

    def passed_through(symbol, side, quantity):
        return order(symbol, side, quantity)

    def returns(call, depth):
        try:
            return call("BTC", "buy", 1) if depth == 0 else returns(call, depth - 1)
        except RecursionError:
            return None

    def deepest(call):
        return max(depth for depth in range(ROOM) if returns(call, depth))

    decorated, before = decorator(order), sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + ROOM)
    try:
        assert deepest(decorated) == deepest(passed_through)
    finally:
        sys.setrecursionlimit(before)
