"""Nothing that a bot hands over at run time raises into it; what the constructor is told wrongly is named."""

from __future__ import annotations

import logging
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_trading.account import Account
from otel_trading.errors import ConfigurationError
from otel_trading.metrics import faults


class Evil:
    """Raises whatever is asked of it."""

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)  # pytest looks for some of these
        raise RuntimeError(name)

    __str__ = __float__ = __iter__ = __len__ = __hash__ = lambda *_: 1 / 0


NO_NUMBERS = [None, "", "ten", b"10", [], {}, object(), complex(1, 1), Evil()]
NOT_FINITE = [
    float("nan"),
    float("inf"),
    -float("inf"),
    Decimal("NaN"),
    Decimal("sNaN"),
    Decimal("Infinity"),
    np.nan,
    np.inf,
    "nan",
    "-inf",
]
OUT_OF_RANGE = [1e300, 10**100, Decimal("1E-100"), Decimal(1) / Decimal(3) * Decimal("1E-60"), "1e999999999999"]
JUNK = NO_NUMBERS + NOT_FINITE + OUT_OF_RANGE


@pytest.fixture(autouse=True)
def _count_afresh() -> None:
    faults.reset()


def state(main):
    return main.equity, main.cash, {symbol: one.size for symbol, one in main.positions.items()}, main.fees


def counted() -> int:
    return sum(faults.dropped.values()) + sum(faults.errors.values())


@pytest.mark.parametrize("junk", JUNK, ids=lambda junk: type(junk).__name__)
@pytest.mark.parametrize("argument", ["quantity", "price", "multiplier"])
def test_fill_without_a_usable_number_is_dropped_and_counted(account, argument, junk) -> None:
    main = account()
    before = state(main)
    main.fill(**{"symbol": "AAPL", "side": "buy", "quantity": 1, "price": 100, argument: junk})
    assert state(main) == before
    assert counted() == 1


@pytest.mark.parametrize("junk", NOT_FINITE + OUT_OF_RANGE + ["ten"], ids=str)
def test_fee_that_is_no_number_is_left_out_and_the_fill_counts(account, junk) -> None:
    main = account()
    main.fill("AAPL", "buy", 1, 100, fee=junk)
    assert state(main) == (Decimal(10_000), Decimal(9900), {"AAPL": Decimal(1)}, Decimal(0))
    assert counted() == 1


def test_no_fee_is_no_fault(account) -> None:
    """In ccxt it is `{"cost": None, "currency": None}` where the venue does not say."""
    main = account()
    main.fill("AAPL", "buy", 1, 100, fee=None, fee_currency=None)
    assert counted() == 0


@pytest.mark.parametrize("side", [None, "", "hold", 1, Evil(), b"buy"])
@pytest.mark.parametrize("symbol", ["AAPL", None, "", 5, ["AAPL"]], ids=str)
def test_fill_without_a_side_or_symbol_is_dropped_and_counted(account, side, symbol) -> None:
    main = account()
    before = state(main)
    main.fill(symbol, side, 1, 100)
    assert state(main) == before
    assert counted() == 1


@pytest.mark.parametrize("quantity", [0, -1, "-0.5"])
def test_quantity_is_positive(account, quantity) -> None:
    """Its sign would contradict the side, or repeat it: nobody knows which."""
    main = account()
    main.fill("AAPL", "sell", quantity, 100)
    assert main.positions == {}
    assert faults.dropped["negative"] == 1


@pytest.mark.parametrize("junk", JUNK, ids=lambda junk: type(junk).__name__)
def test_mark_update_and_flows_drop_and_count_what_is_no_number(account, junk) -> None:
    main = account()
    main.fill("AAPL", "buy", 1, 100)
    before = state(main)
    main.mark("AAPL", junk)
    main.deposit(junk)
    main.withdraw(junk)
    assert counted() == 3
    if junk is not None:
        main.update(equity=junk)
        main.update(cash=junk)
        main.update(margin_used=junk)
        assert counted() == 6
    assert state(main) == before


@pytest.mark.parametrize("symbol", [None, "", 5, ["AAPL"], Evil()], ids=lambda symbol: type(symbol).__name__)
def test_mark_without_a_symbol_is_dropped_and_counted(account, symbol) -> None:
    account().mark(symbol, 100)
    assert counted() == 1


@pytest.mark.parametrize("value", [0, -5])
def test_flow_is_positive(account, value) -> None:
    main = account()
    main.deposit(value)
    main.withdraw(value)
    assert main.equity == Decimal(10_000)
    assert faults.dropped["negative"] == 2


def test_a_kind_of_fault_is_logged_once(account, caplog) -> None:
    main = account()
    with caplog.at_level(logging.WARNING, "otel_trading"):
        for _ in range(5):
            main.mark("AAPL", float("nan"))
            main.fill("AAPL", "buy", float("nan"), 1)
    assert len(caplog.records) == 2
    assert faults.dropped["non_finite"] == 10


@pytest.mark.parametrize(
    ("given_as", "is_"),
    [
        (0.1, "0.1"),
        (1e-8, "0.00000001"),
        (np.float64(0.1), "0.1"),
        (np.float32(0.1), "0.1"),
        (np.int64(7), "7"),
        (Decimal("0.10"), "0.1"),
        ("0.1", "0.1"),
        (" 0.1 ", "0.1"),
        ("1e3", "1000"),
        (10**30, "1e30"),
        (True, "1"),
        (Fraction(1, 4), "0.25"),
        (np.array(0.1), "0.1"),
    ],
    ids=lambda value: f"{type(value).__name__} {value}",
)
def test_numbers_are_what_they_are_written_as(account, given_as, is_) -> None:
    main = account(cash=0)
    main.deposit(given_as)
    assert main.cash == Decimal(is_)


junk = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.binary(max_size=3), st.decimals(),
    st.fractions(), st.lists(st.integers(), max_size=2), st.dictionaries(st.text(max_size=3), st.floats(), max_size=2),
    st.datetimes(), st.just(object()), st.builds(Evil),
)  # fmt: skip


@given(st.lists(st.tuples(junk, junk, junk, junk, junk, junk, junk, junk, junk), max_size=5))
def test_nothing_raises_whatever_it_is_given(calls) -> None:
    main = Account("junk", currency="USD", cash=1000)
    main.fill("AAPL", "buy", 1, 100)
    for a, b, c, d, e, f, g, h, i in calls:
        main.fill(a, b, c, d, fee=e, fee_currency=f, multiplier=g, execution_id=h, time=i)
        main.fill("AAPL", "buy", c, d, fee=e, fee_currency=f, execution_id=h, time=i)
        main.mark(a, b, time=c)
        main.mark("AAPL", b, time=c)
        main.update(equity=a, cash=b, positions=c, margin_used=d, time=e)
        main.update(positions=[a, b, {"symbol": "AAPL", "size": c, "entry_price": d, "value": e, "side": f}])
        main.update(positions={"AAPL": g, "MSFT": {"size": h, "multiplier": i}})
        main.deposit(a, time=b)
        main.withdraw(c, time=d)
        for figure in (main.equity, main.cash, main.realized_pnl, main.unrealized_pnl, main.fees):
            assert figure is None or figure.is_finite()
        assert main.drawdown is None or main.drawdown >= 0
    main.close()


@pytest.mark.parametrize("value", [None, "", "  ", 5])
@pytest.mark.parametrize("argument", ["name", "currency"])
def test_constructor_names_the_argument_that_has_to_be_a_text(argument, value) -> None:
    with pytest.raises(ConfigurationError, match=argument):
        Account(**{"name": "main", "currency": "USD", argument: value})


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("cash", "much"),
        ("cash", float("nan")),
        ("cash", None),
        ("strategy", ""),
        ("strategy", 5),
        ("venue", " "),
        ("clock", 5.0),
    ],
)
def test_constructor_names_the_argument_that_is_wrong(argument, value) -> None:
    with pytest.raises(ConfigurationError, match=argument):
        Account("main", currency="USD", **{argument: value})


def test_account_that_could_not_be_made_leaves_the_one_before(account, seen) -> None:
    account()
    with pytest.raises(ConfigurationError):
        Account("main", currency="USD", cash="much")
    assert seen.values()["portfolio.equity"] == 10_000.0


def test_prices_of_too_many_symbols_are_left_out_and_fills_are_not(account, monkeypatch) -> None:
    """A scanner that marks everything it sees must not fill the memory; what is traded is always kept."""
    monkeypatch.setattr("otel_trading.account.book.MAX_SYMBOLS", 3)
    main = account()
    for number in range(10):
        main.mark(f"S{number}", 1)
    assert faults.dropped["cardinality_limit"] == 7
    main.fill("S9", "buy", 1, 1)
    main.mark("S9", 2)
    assert main.unrealized_pnl == Decimal(1)


@pytest.mark.parametrize(
    "broken", [lambda: 1 / 0, lambda: None, lambda: "now", lambda: float("nan")], ids=["raises", "None", "text", "NaN"]
)
def test_clock_that_fails_leaves_out_what_happens_meanwhile_and_raises_nowhere(account, seen, broken) -> None:
    """What is known is still shown, and the account goes on when the clock does."""
    told = [lambda: 1_700_000_000]

    def clock() -> object:
        return told[0]()

    main = account(clock=clock)
    main.fill("AAPL", "buy", 1, 100, execution_id="1")
    told[0] = broken
    main.fill("AAPL", "buy", 1, 100, execution_id="2")
    main.mark("AAPL", 110)
    assert (main.equity, main.drawdown, main.drawdown_duration) == (10_000, 0, 0)
    assert seen.values()["portfolio.equity"] == 10_000
    assert {component for component, _ in faults.errors} == {"account", "clock"}
    told[0] = lambda: Decimal(1_700_000_001)
    main.mark("AAPL", 110)
    assert main.equity == 10_010
