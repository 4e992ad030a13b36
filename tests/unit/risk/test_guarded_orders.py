"""A breaker before the orders of a decorated function."""

from __future__ import annotations

import linecache
from dataclasses import dataclass

import pytest

from otel_trading.decorators import order_execution
from otel_trading.errors import CircuitOpen
from otel_trading.metrics import faults


def test_open_breaker_stops_orders_before_they_are_sent_and_rejects_open_it(recorded, breaker, clock) -> None:
    guard = breaker("guard", max_reject_ratio=1.0, min_orders=2, cool_down=60, enforce=True)
    answer = {"status": "rejected", "id": "1"}
    sent: list[str] = []

    @order_execution(venue="v", breaker=guard)
    def place(symbol, side, quantity, client_order_id):  # noqa: ARG001 - the decorator reads them
        sent.append(client_order_id)
        return {**answer, "clientOrderId": client_order_id, "id": client_order_id}

    place("A/USD", "buy", 1.0, "1")
    place("A/USD", "buy", 1.0, "2")
    with pytest.raises(CircuitOpen, match="circuit breaker 'guard' is open: max_reject_ratio"):
        place("A/USD", "buy", 1.0, "3")
    assert sent == ["1", "2"]
    clock.now += 60
    answer["status"] = "filled"
    place("A/USD", "buy", 1.0, "4")
    assert guard.state == "closed"
    assert sent == ["1", "2", "4"]
    assert sum(value for _, value in recorded.points("order.submissions")) == 3


@dataclass
class Order:
    """An order as some client's models have it."""

    symbol: str
    reduce_only: bool = False


def by_name(symbol, side, quantity, reduce_only=False): ...


def by_field(order): ...


def by_anything(*args, **kwargs): ...


def as_ccxt(symbol, type, side, amount, price=None, params=None): ...  # noqa: A002 - ccxt's names


def as_binance(symbol, side, reduceOnly=None, closePosition=None): ...  # noqa: N803 - the names of its API


def own_name(symbol, exit_only): ...


CLOSING = {
    "parameter": (by_name, {}, ("A/USD", "sell", 1), {"reduce_only": True}),
    "field of an object": (by_field, {}, (Order("A/USD", reduce_only=True),), {}),
    "field of a dict": (by_field, {}, ({"symbol": "A/USD", "close_position": True},), {}),
    "params of ccxt": (as_ccxt, {}, ("A/USD", "market", "sell", 1), {"params": {"reduceOnly": True}}),
    "text of binance": (as_binance, {}, ("A/USD", "SELL"), {"closePosition": "true"}),
    "beside another that is false": (as_binance, {}, ("A/USD", "SELL"), {"reduceOnly": False, "closePosition": True}),
    "any arguments": (by_anything, {}, (), {"symbol": "A/USD", "reduceOnly": True}),
    "named": (own_name, {"arguments": {"reduce_only": "exit_only"}}, ("A/USD", True), {}),
    "field that is named": (by_field, {"arguments": {"reduce_only": "order.reduce_only"}}, (Order("A", reduce_only=True),), {}),
    "told": (own_name, {"arguments": lambda exit_only, **_: {"reduce_only": exit_only}}, ("A/USD", True), {}),
}

OPENING = {
    "parameter": (by_name, {}, ("A/USD", "sell", 1), {"reduce_only": False}),
    "default": (by_name, {}, ("A/USD", "sell", 1), {}),
    "number": (by_name, {}, ("A/USD", "sell", 1), {"reduce_only": 1}),
    "text of binance": (as_binance, {}, ("A/USD", "SELL"), {"reduceOnly": "false"}),
    "params of ccxt": (as_ccxt, {}, ("A/USD", "market", "sell", 1), {"params": {"reduceOnly": None}}),
    "told": (own_name, {"arguments": lambda exit_only, **_: {"reduce_only": exit_only}}, ("A/USD", False), {}),
    "told wrongly": (own_name, {"arguments": lambda missing, **_: missing}, ("A/USD", True), {}),
    "name that is not told": (own_name, {}, ("A/USD", True), {}),
}


@pytest.mark.usefixtures("no_faults")
@pytest.mark.parametrize("case", CLOSING)
def test_order_that_only_reduces_passes_an_open_breaker(breaker, case) -> None:
    """A bot that has lost too much has to be able to get out."""
    function, told, args, kwargs = CLOSING[case]
    guard = breaker("guard", enforce=True)
    guard.trip()
    order_execution(function, venue="v", breaker=guard, **told)(*args, **kwargs)
    assert guard.state == "open"


@pytest.mark.parametrize("case", OPENING)
def test_order_that_does_not_say_so_beyond_doubt_is_refused(breaker, case) -> None:
    function, told, args, kwargs = OPENING[case]
    guard = breaker("guard", enforce=True)
    guard.trip()
    with pytest.raises(CircuitOpen):
        order_execution(function, venue="v", breaker=guard, **told)(*args, **kwargs)


@pytest.mark.usefixtures("no_faults")
def test_block_says_itself_that_it_only_reduces(breaker) -> None:
    guard = breaker("guard", enforce=True)
    guard.trip()
    with order_execution.track(venue="v", symbol="A/USD", side="sell", reduce_only=True, breaker=guard) as op:
        op.set_result({"status": "filled", "id": "1"})
    block = order_execution.track(venue="v", symbol="A/USD", side="sell", breaker=guard)
    with pytest.raises(CircuitOpen), block:
        pass


@pytest.mark.usefixtures("no_faults")
def test_order_that_only_reduces_counts_for_the_rate(breaker) -> None:
    """The one beyond the limit opens the breaker, and is sent all the same."""
    guard = breaker("guard", max_order_rate=2, enforce=True)
    place = order_execution(by_name, venue="v", breaker=guard)
    for _ in range(2):
        place("A/USD", "sell", 1, reduce_only=True)
    assert guard.state == "closed"
    place("A/USD", "sell", 1, reduce_only=True)
    assert (guard.state, guard.reason) == ("open", "max_order_rate")


@pytest.mark.usefixtures("no_faults")
def test_order_that_only_reduces_passes_while_a_trial_is_out(breaker, clock) -> None:
    guard = breaker("guard", max_reject_ratio=1.0, min_orders=1, cool_down=60, enforce=True)
    guard.allow()
    guard.ordered("rejected")
    clock.now += 60
    guard.allow()  # the trial
    with pytest.raises(CircuitOpen):
        guard.allow()
    guard.allow(reduce_only=True)
    guard.ordered("filled")
    assert guard.state == "closed"


@pytest.mark.usefixtures("no_faults")
def test_order_that_passes_where_others_are_refused_counts_for_the_rate_too(breaker, clock) -> None:
    guard = breaker("guard", max_reject_ratio=1.0, min_orders=1, max_order_rate=2, cool_down=60, enforce=True)
    guard.allow()
    guard.ordered("rejected")
    clock.now += 60
    guard.allow()  # the trial: the first order of the window that began anew
    guard.allow(reduce_only=True)
    assert guard.state == "half_open"
    guard.allow(reduce_only=True)
    assert (guard.state, guard.reason) == ("open", "max_order_rate")


def test_breaker_of_the_bots_own_that_knows_of_no_such_orders_does_not_refuse_them() -> None:
    """What it raises for the argument that it does not take is a fault, as any of its faults; other orders it is asked for."""

    class Own:
        def allow(self) -> None:
            raise CircuitOpen("own", "closed for today")

        def ordered(self, status: str) -> None: ...

    faults.reset()
    place = order_execution(by_name, venue="v", breaker=Own())
    place("A/USD", "sell", 1, reduce_only=True)
    assert faults.errors == {("breaker", "TypeError"): 1}
    with pytest.raises(CircuitOpen):
        place("A/USD", "sell", 1)


def test_without_a_breaker_reduce_only_is_not_looked_at() -> None:
    """What nobody asks for costs nothing: the wrapper hands it to the function and to nobody else."""

    def place(symbol, reduce_only): ...

    def plain(symbol, anything): ...

    def hook(function) -> list[str]:
        code = order_execution(function, venue="v").__code__
        return [line.strip() for line in linecache.getlines(code.co_filename) if "_ot_begin(" in line]

    assert hook(place) == hook(plain) != []
