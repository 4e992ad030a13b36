"""The same execution, and the same end of an order, count once; the memory is bounded."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_trading.orders import Memory


def test_execution_is_new_once() -> None:
    seen = Memory()
    assert [seen.execution("1"), seen.execution("2"), seen.execution("1")] == [True, True, False]


def test_what_is_used_is_kept_and_what_is_not_is_forgotten() -> None:
    """Bounded: at most `size` are remembered, and what was used lately is among them."""
    seen = Memory(size=10)
    seen.execution("used")
    seen.execution("unused")
    for n in range(100):
        seen.execution(n)
        assert not seen.execution("used")
        assert len(seen._executions.younger) + len(seen._executions.older) <= 10
    assert seen.execution("unused")


def test_order_ends_once_and_an_unknown_one_once_more() -> None:
    seen = Memory()
    assert [seen.end("1", status) for status in ("unknown", "unknown", "filled", "canceled", "unknown")] == [
        *(True, False, True, False, False)
    ]


@given(st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 10**6)), max_size=20))
def test_increments_add_up_to_the_totals(fills) -> None:
    """However an order's totals grow, the increments' quantities, costs and fees are those of its fills."""
    seen = Memory()
    quantity = cost = fee = 0
    found = [0.0, 0.0, 0.0]
    for bought, price in fills:
        quantity, cost, fee = quantity + bought, cost + bought * price, fee + 1
        for _ in range(2):  # told twice
            if (new := seen.totals("1", quantity, cost / quantity, {"USD": fee})) is not None:
                found = [found[0] + new.quantity, found[1] + new.quantity * new.price, found[2] + new.fees["USD"]]
    assert found == [quantity, pytest.approx(cost, rel=1e-9), fee]


def test_rounding_of_floats_is_no_fill() -> None:
    seen = Memory()
    assert seen.totals("1", 0.1 + 0.2, 100.0, {}) is not None
    assert seen.totals("1", 0.3, 100.0, {}) is None
    assert seen.totals("1", 0.1 + 0.2 + 1e-16, 100.0, {}) is None


def test_many_threads_count_each_execution_once() -> None:
    seen = Memory(size=100_000)
    news: list[int] = []

    def tell() -> None:
        news.append(sum(seen.execution(n) for n in range(5_000)))

    threads = [threading.Thread(target=tell) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(news) == 5_000


def test_process_that_forks_starts_from_nothing() -> None:
    """Also where another thread of the parent was in the middle of it: the child does not wait for a thread it has not."""
    code = """
import os, sys, threading
from otel_trading.orders import seen
from otel_trading.recording.streams import stream_state
memory = seen["v", None]
assert memory.execution("1")
stream_state.changed("v", "s", "connected")
held, go = threading.Event(), threading.Event()
def hold():
    with memory._lock, stream_state._lock:
        held.set()
        go.wait()
threading.Thread(target=hold).start()
held.wait()
child = os.fork()
if not child:
    stream_state.changed("v", "s", "disconnected")
    os._exit(0 if memory.execution("1") and not stream_state._lost else 1)
_, status = os.waitpid(child, 0)
go.set()
sys.exit(os.waitstatus_to_exitcode(status) or int(memory.execution("1")))
"""
    # A thread that holds a lock across a fork is what Python 3.12 and later warn of.
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], timeout=60, check=False)
    assert done.returncode == 0
