"""Currencies of symbols, the worth of a quantity, and slippage, by worked examples."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_trading.orders import currency
from otel_trading.orders.slippage import measure


@pytest.mark.parametrize(
    ("symbol", "expected", "inverse"),
    [
        # ccxt's manual: BASE/QUOTE spot, BASE/QUOTE:SETTLE swap, with the date of a future and strike and kind of an option
        ("BTC/USDT", "USDT", False),
        ("eth/btc", "BTC", False),
        ("BTC/USDT:USDT", "USDT", False),
        ("BTC/USD:BTC", "BTC", True),
        ("BTC/USDT:USDT-211225", "USDT", False),
        ("ETH/USD:ETH-210625-40000-C", "ETH", True),
        ("EUR/USD", "USD", False),
        ("1000SHIB/USDT", "USDT", False),
        ("AAPL", "XXX", False),
        ("BRK/B", "XXX", False),
        ("BRK.B", "XXX", False),
        ("BTCUSDT", "XXX", False),
        ("a/b/c", "XXX", False),
        ("/", "XXX", False),
        ("", "XXX", False),
    ],
)
def test_currency_of_a_symbol(symbol, expected, inverse) -> None:
    assert currency.of_symbol(symbol) == (expected, inverse)


@pytest.mark.parametrize(
    ("symbol", "quantity", "price", "multiplier", "value"),
    [
        ("BTC/USDT", 0.5, 60_000, 1, 30_000),
        ("BTC/USDT", -0.5, 60_000, 1, 30_000),
        ("ES", 2, 4_000, 50, 400_000),
        ("BTC/USD:BTC", 300, 60_000, 100, 0.5),  # 300 contracts of 100 USD each
        ("CL", 1, -37.63, 1000, 37_630),  # the price of crude oil on 20 April 2020
        ("BTC/USD:BTC", 1, 0, 1, 0),
    ],
)
def test_worth_of_a_quantity(symbol, quantity, price, multiplier, value) -> None:
    assert currency.of_symbol(symbol).value(quantity, price, multiplier) == pytest.approx(value)


@pytest.mark.parametrize(
    ("side", "average", "basis_points", "cost", "direction"),
    [
        ("buy", 100.5, 50, 1.0, "adverse"),
        ("buy", 99.5, -50, -1.0, "favorable"),
        ("sell", 99.5, 50, 1.0, "adverse"),
        ("sell", 100.5, -50, -1.0, "favorable"),
        ("buy", 100.0, 0, 0.0, "favorable"),
    ],
)
def test_slippage_of_two_at_a_reference_of_a_hundred(side, average, basis_points, cost, direction) -> None:
    """Bps = side · (average fill - arrival mid) / arrival mid · 10,000; positive is a cost."""
    found = measure(side, average, 100.0, 2.0)
    assert found is not None
    assert (found.basis_points, found.cost, found.direction) == (pytest.approx(basis_points), pytest.approx(cost), direction)


@pytest.mark.parametrize(("average", "reference"), [(100, 0), (100, -1), (100, float("nan")), (0, 100), (-1, 100)])
def test_slippage_needs_positive_prices(average, reference) -> None:
    assert measure("buy", average, reference, 1.0) is None


@given(st.sampled_from(["buy", "sell"]), st.floats(0.01, 1e6), st.floats(0.01, 1e6), st.floats(0.01, 1e3))
def test_slippage_cost_of_an_inverse_contract_is_the_difference_of_its_worth(side, average, reference, quantity) -> None:
    money = currency.of_symbol("BTC/USD:BTC")
    found = measure(side, average, reference, quantity, 100, inverse=True)
    worth = money.value(quantity, reference, 100) - money.value(quantity, average, 100)
    assert found is not None
    resolution = 1e-12 * money.value(quantity, reference, 100)  # of a difference between two worths of that size
    assert found.cost == pytest.approx(worth if side == "buy" else -worth, rel=1e-9, abs=resolution)
