"""An order that came back filled is recorded the same with the short way for it as without, whatever is told of it later."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from otel_trading import recording
from otel_trading.decorators import order_execution, wrapping
from otel_trading.metrics import faults
from otel_trading.metrics.clock import Clock
from otel_trading.orders import seen
from otel_trading.recording.whole import WholeOrders
from tests.routes import ROUTES, attached
from tests.unit.recording.recorded import Recorded

PLAIN: dict[str, Any] = {
    # a ccxt order, after its manual's "Order structure"
    "id": "1",
    "clientOrderId": None,
    "status": "closed",
    "symbol": "BTC/USDT",
    "type": "limit",
    "side": "buy",
    "price": 100.0,
    "average": 100.5,
    "amount": 2.0,
    "filled": 2.0,
    "remaining": 0.0,
    "cost": 201.0,
    "trades": [],
    "fees": [{"cost": 0.2, "currency": "USDT"}],
    "fee": {"cost": 0.2, "currency": "USDT"},
    "info": {},
}
NO_FEES: dict[str, Any] = {**PLAIN, "fees": [], "fee": None}

FLOATS = st.sampled_from(
    [0.0, -0.0, -1.0, 5e-324, 0.1, 1.0, 2.0, 2.0 * (1 - 1e-10), 2.0 * (1 + 1e-10), 3.0, 1e308, float("inf"), float("nan")]
)
NUMBERS = st.one_of(
    FLOATS,
    st.floats(),
    st.integers(-1, 3),
    st.sampled_from([None, True, "2.0", "nan", "", Decimal(2), Decimal("NaN"), 10**400, []]),
)
CURRENCIES = st.sampled_from(["USDT", "BNB", "usdt", "", None, 1])
FEE = st.one_of(
    st.fixed_dictionaries({}, optional={"cost": NUMBERS, "currency": CURRENCIES, "rate": FLOATS, "amount": NUMBERS}),
    st.sampled_from([{"cost": 0.0, "currency": "USDT"}, {"cost": -0.1, "currency": "USDT"}, {"cost": 1.5, "currency": "BNB"}]),
    NUMBERS,
)
TRADE = st.fixed_dictionaries(
    {"amount": FLOATS, "price": FLOATS},
    optional={"id": st.sampled_from(["t1", "t2"]), "fee": FEE, "takerOrMaker": st.sampled_from(["maker", "taker", None])},
)
LISTED = st.one_of(st.none(), st.just(()), st.lists(TRADE, max_size=3), st.just({}))
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from(["2", "", None, 7, "x" * 200, "x" * 201]),
        "status": st.sampled_from(["open", "canceled", "filled", "FILLED", "Closed", "expired", "rejected", "", "?", None, 1]),
        "amount": NUMBERS,
        "filled": NUMBERS,
        "average": NUMBERS,
        "trades": LISTED,
        "fees": st.one_of(st.none(), st.lists(FEE, max_size=3), st.lists(FEE, max_size=1).map(tuple), st.just({})),
        "fee": FEE,
        "commission": FEE,
        "fills": LISTED,
        "cost": NUMBERS,
        "symbol": st.sampled_from(["ETH/USDT", "BTC/USD:BTC", None, 5]),
        "side": st.sampled_from(["sell", None, "?"]),
        "type": st.sampled_from(["market", None, 3]),
    },
)
MISSING = st.sets(st.sampled_from(sorted(PLAIN)), max_size=2)


def changed(plain: dict[str, Any], changes: dict[str, Any], missing: set[str]) -> dict[str, Any]:
    return {key: value for key, value in {**plain, **changes}.items() if key not in missing}


# Most answers are a small change away from one that takes the short way, and many are told more than once.
ANSWERS = st.builds(
    changed, st.sampled_from([PLAIN, NO_FEES]), st.one_of(st.just({}), CHANGES), st.one_of(st.just(set()), MISSING)
)
SYMBOLS = ("BTC/USDT", "ETH/USDT", "BTC/USD:BTC", "AAPL")
TOLD = st.tuples(
    st.sampled_from(["submit", "submit", "query", "edit", "cancel", "plain"]), st.sampled_from(SYMBOLS), st.integers(0, 4)
)
Told = tuple[str, str, int]
Ways = dict[str, Callable[[Any, str], object]]


@pytest.fixture(scope="module")
def ways() -> Iterator[Ways]:
    """How a bot tells of an order; no time passes meanwhile."""

    def decorated(operation: str) -> Callable[[Any, str], object]:
        @order_execution(venue="v", strategy="s", currency="USD", operation=operation)
        def send(symbol: str, side: str, order_type: str, order_id: str, answer: Any) -> Any:  # noqa: ARG001 - read by the decorator
            return answer

        return lambda answer, symbol: send(symbol, "buy", "limit", "1", answer)

    def plain(_: Any, symbol: str) -> None:
        recording.record_order(venue="v", strategy="s", side="buy", type="limit", symbol=symbol, status="filled", order_id="1")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(wrapping, "clock", lambda: 0.0)
        patched.setattr(seen["v", None], "clock", Clock(lambda: 0.0))
        yield {**{operation: decorated(operation) for operation in ("submit", "query", "edit", "cancel")}, "plain": plain}


def recorded_of(ways: Ways, route: Any, answers: list[Any], told: list[Told]) -> tuple[object, ...]:
    """All that is recorded of orders of which this is told, after one of each symbol that needs nothing but its totals."""
    seen.clear()
    faults.reset()
    with attached(route) as (reader,):
        for symbol in SYMBOLS:
            ways["submit"]({**PLAIN, "id": symbol}, symbol)
        for way, symbol, which in told:
            answer = answers[which % len(answers)]
            ways[way](answer, symbol)
        found = {name: sorted(points, key=repr) for name, points in Recorded(reader).all().items()}
    return found, dict(faults.errors), dict(faults.dropped)


def without(ways: Ways, route: Any, answers: list[Any], told: list[Told]) -> tuple[object, ...]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(WholeOrders, "record", lambda *_: False)
        return recorded_of(ways, route, answers, told)


@pytest.mark.parametrize("route", ROUTES)
@settings(max_examples=2 * settings().max_examples)
@example([PLAIN], [("submit", "BTC/USDT", 0)] * 2)
@example([PLAIN, {**PLAIN, "filled": 3.0, "amount": 3.0}], [("submit", "BTC/USDT", 0), ("query", "BTC/USDT", 1)])
@example(
    [PLAIN, {**PLAIN, "filled": 3.0, "fees": [{"cost": 0.5, "currency": "USDT"}]}], [("submit", "AAPL", 0), ("edit", "AAPL", 1)]
)
@example(
    [PLAIN, {**PLAIN, "trades": [{"id": "t", "amount": 2.0, "price": 100.5}]}], [("submit", "AAPL", 0), ("query", "AAPL", 1)]
)
@example([{**NO_FEES, "commission": 1.5}], [("submit", "BTC/USDT", 0)])
@example([{**PLAIN, "average": 1e308}], [("submit", "BTC/USDT", 0)])
@example([PLAIN], [("submit", "BTC/USDT", 0), ("plain", "BTC/USDT", 0)])
@example([PLAIN], [("plain", "BTC/USDT", 0), ("submit", "BTC/USDT", 0)])
@given(st.lists(ANSWERS, min_size=1, max_size=4), st.lists(TOLD, min_size=1, max_size=6))
def test_the_short_way_records_the_same(ways: Ways, route: Any, answers: list[Any], told: list[Told]) -> None:
    assert recorded_of(ways, route, answers, told) == without(ways, route, answers, told)


@pytest.mark.parametrize("answer", [PLAIN, NO_FEES], ids=["one fee", "no fee"])
def test_the_short_way_is_taken(ways: Ways, answer: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Else there would be nothing to compare."""
    taken: list[bool] = []
    record = WholeOrders.record

    def noted(self: WholeOrders, *args: Any) -> bool:
        taken.append(record(self, *args))
        return taken[-1]

    ways["submit"]({**PLAIN, "id": "first"}, "BTC/USDT")
    monkeypatch.setattr(WholeOrders, "record", noted)
    found, errors, _ = recorded_of(
        ways, "core", [answer, {**answer, "id": "2"}], [("submit", "BTC/USDT", n) for n in (0, 0, 1)]
    )
    assert taken[-3:] == [True, False, True]
    assert not errors
    assert isinstance(found, dict)
    assert [value for at, value in found["volume"] if at["instrument.symbol"] == "BTC/USDT"] == [3 * 201.0]


touched: list[str] = []


def _touch(name: str) -> Callable[..., Any]:
    def method(*_: Any) -> Any:
        touched.append(name)
        raise RuntimeError(name)

    return method


_METHODS = (
    *("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__bool__", "__len__", "__iter__", "__contains__"),
    *("__getitem__", "__getattr__", "__getattribute__", "__hash__", "__float__", "__int__", "__index__", "__str__", "__repr__"),
    *("__mul__", "__rmul__", "__add__", "__radd__", "__abs__", "get", "keys", "items"),
)


def hostile(base: type) -> Any:
    members: dict[str, Any] = {name: _touch(name) for name in _METHODS}
    return type(f"Hostile{base.__name__}", (base,), {**members, "__class__": property(_touch("__class__"))})


HOSTILE = [hostile(base) for base in (object, str, float, list, dict)]


@pytest.mark.parametrize("kind", HOSTILE, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize(
    "field", ["id", "status", "amount", "filled", "average", "trades", "fees", "fee", "commission", "0", "cost", "currency"]
)
def test_foreign_objects_are_not_touched(ways: Ways, kind: Any, field: str) -> None:
    """Wherever they stand in an answer that is else one for the short way; it is then recorded as without it."""
    value = kind()
    answer: dict[str, Any] = {**(NO_FEES if field in {"fee", "commission"} else PLAIN)}
    if field == "0":
        answer["fees"] = [value]
    elif field in {"cost", "currency"}:
        answer["fees"] = [{**PLAIN["fees"][0], field: value}]
    else:
        answer[field] = value
    touched.clear()
    found = recorded_of(ways, "core", [answer], [("submit", "BTC/USDT", 0)])
    # The long way says of text what it says, by str's own methods; a hash or a comparison of ours would be in here.
    assert touched == []
    assert found == without(ways, "core", [answer], [("submit", "BTC/USDT", 0)])
    assert not found[1]
