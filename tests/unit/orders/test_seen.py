"""The same execution, and the same end of an order, count once; the memory is bounded."""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from otel_trading.orders import Seen


def test_execution_is_new_once() -> None:
    seen = Seen()
    assert [seen.execution("1"), seen.execution("2"), seen.execution("1")] == [True, True, False]


def test_least_recently_used_is_forgotten_first() -> None:
    seen = Seen(size=2)
    seen.execution("1")
    seen.execution("2")
    assert not seen.execution("1")  # used again, so that 2 is the one to go
    assert seen.execution("3")
    assert not seen.execution("1")
    assert seen.execution("2")


def test_order_ends_once_and_an_unknown_one_once_more() -> None:
    seen = Seen()
    assert [seen.end("1", status) for status in ("unknown", "unknown", "filled", "canceled", "unknown")] == [
        *(True, False, True, False, False)
    ]


@given(st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 10**6)), max_size=20))
def test_increments_add_up_to_the_totals(fills) -> None:
    """However an order's totals grow, the increments' quantities, costs and fees are those of its fills."""
    seen = Seen()
    quantity = cost = fee = 0
    found = [0.0, 0.0, 0.0]
    for bought, price in fills:
        quantity, cost, fee = quantity + bought, cost + bought * price, fee + 1
        for _ in range(2):  # told twice
            if (grown := seen.grown("1", quantity, cost, (fee,))) is not None:
                found = [found[0] + grown.quantity, found[1] + grown.cost, found[2] + grown.fees[0]]
    assert found == [quantity, cost, fee]


def test_rounding_of_floats_is_no_fill() -> None:
    seen = Seen()
    seen.grown("1", 0.1 + 0.2, 30.0, ())
    assert seen.grown("1", 0.3, 30.0, ()) is None
    assert seen.grown("1", 0.1 + 0.2 + 1e-16, 30.0, ()) is None


def test_many_threads_count_each_execution_once() -> None:
    seen = Seen(size=100_000)
    news: list[int] = []

    def tell() -> None:
        news.append(sum(seen.execution(n) for n in range(5_000)))

    threads = [threading.Thread(target=tell) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(news) == 5_000
