"""However an order is told, each unit and each fee of it counts once: what is added up is the order's own fills."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_trading.orders.entered import EXACT, Entered
from otel_trading.orders.tally import Part, Tally

FILLS = st.lists(st.tuples(st.integers(1, 50), st.integers(0, 9)), min_size=1, max_size=5)
"""Quantity and fee of each."""
PRICE = 10
"""Of all: which of the units that totals tell of a single fill is, nobody says."""


class Sums:
    """What was counted."""

    def __init__(self) -> None:
        self.quantity = self.cost = Decimal(0)
        self.fees: Counter[str] = Counter()

    def take(self, part: Part[Any] | None) -> None:
        if part is not None:
            assert part.quantity or part.fees, "else there is nothing new"
            self.quantity += Decimal(part.quantity)
            self.cost += Decimal(part.quantity) * Decimal(part.price)
            self.fees.update({of: Decimal(paid) for of, paid in part.fees.items()})


class InFloats:
    """What metrics are counted by."""

    def __init__(self) -> None:
        self.tally = Tally(0.0)

    def single(self, quantity: int, price: int, fee: int) -> Part[float] | None:
        return self.tally.execution(float(quantity), float(price), {"USD": float(fee)} if fee else {})

    def totals(self, filled: int, cost: int, fee: int) -> Part[float] | None:
        return self.tally.totals(float(filled), cost / filled, {"USD": float(fee)} if fee else {})


class InDecimals:
    """What an account's entries are counted by."""

    def __init__(self) -> None:
        self.entered = Entered()

    def single(self, quantity: int, price: int, fee: int) -> Part[Decimal] | None:
        paid = {"USD": Decimal(fee)} if fee else {}
        with localcontext(EXACT):
            return self.entered.single(["1"], Decimal(quantity), Decimal(price), paid)

    def totals(self, filled: int, cost: int, fee: int) -> Part[Decimal] | None:
        with localcontext(EXACT):
            average = Decimal(cost / filled)
            return self.entered.totals(["1"], Decimal(filled), average, {"USD": Decimal(fee)} if fee else {})


@pytest.mark.parametrize("counted", [InFloats, InDecimals])
@pytest.mark.parametrize("sign", [1, -1], ids=["fees", "rebates"])
@given(fills=FILLS, data=st.data())
def test_totals_and_single_fills_in_any_order_count_once(counted, sign, fills, data) -> None:
    """Each fill is told once with its fee, or without; totals any number of times, old ones too, and whole ones at last."""
    order, sums = counted(), Sums()
    fills = [(quantity, sign * fee) for quantity, fee in fills]
    filled, paid = sum(quantity for quantity, _ in fills), sum(fee for _, fee in fills)
    for event in data.draw(st.permutations([*range(len(fills)), *("totals",) * 3])):
        with_fee = data.draw(st.booleans())
        if event == "totals":
            known = fills[: data.draw(st.integers(1, len(fills)))]
            quantity = sum(quantity for quantity, _ in known)
            sums.take(order.totals(quantity, quantity * PRICE, with_fee * sum(fee for _, fee in known)))
        else:
            quantity, fee = fills[event]
            sums.take(order.single(quantity, PRICE, with_fee * fee))
        assert sums.quantity <= filled
        assert 0 <= sign * sums.fees["USD"] <= sign * paid
    for _ in range(2):
        sums.take(order.totals(filled, filled * PRICE, paid))
        assert (sums.quantity, sums.cost, sums.fees["USD"]) == (filled, filled * PRICE, paid)


@pytest.mark.parametrize("counted", [InFloats, InDecimals])
def test_single_fill_then_totals_then_the_rest_of_those(counted) -> None:
    """The worked example: 1 for a fee of 1; 3 in all for 3 in all; the 2 that were the rest, for 2."""
    order = counted()
    told = [order.single(1, 10, 1), order.totals(3, 30, 3), order.single(2, 10, 2), order.single(4, 10, 4)]
    assert [part and (part.quantity, part.fees) for part in told] == [
        *((1, {"USD": 1}), (2, {"USD": 2})),
        *(None, (4, {"USD": 4})),
    ]


def test_rebate_of_a_later_fill_makes_the_totals_smaller() -> None:
    """A taker's fee of 2, then a maker's rebate of 1: an answer from between is none but old."""
    order = InDecimals()
    told = [order.totals(1, 10, 2), order.totals(2, 20, 1), order.totals(1, 10, 2), order.totals(2, 20, 1)]
    assert [part and part.fees for part in told] == [{"USD": 2}, {"USD": -1}, None, None]


def test_fees_of_each_currency_are_counted_on_their_own() -> None:
    tally = Tally(0.0)
    tally.execution(1.0, 10.0, {"USD": 1.0})
    part = tally.totals(1.0, 10.0, {"USD": 1.0, "BNB": 0.5})
    assert part is not None
    assert (part.quantity, part.fees) == (0.0, {"BNB": 0.5})
