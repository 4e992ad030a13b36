"""An account is used from any thread, while it is collected."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest


@pytest.fixture(autouse=True)
def _switch_often() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def test_fills_and_marks_of_many_threads_all_count_while_collections_run(account, seen) -> None:
    """Eight threads buy 200 times 3 and sell 200 times 2 of one symbol: 1,600 are left, and not a cent is lost."""
    main = account()
    stop = threading.Event()

    def trade() -> None:
        for _ in range(200):
            main.fill("AAPL", "buy", 3, "1.01", fee="0.01")
            main.mark("AAPL", "1.02")
            main.fill("AAPL", "sell", 2, "1.01", fee="0.01")

    def collect() -> list[dict[str, float]]:
        collections = [seen.values()]
        while not stop.is_set():
            collections.append(seen.values())
        return collections

    with ThreadPoolExecutor(9) as pool:
        collecting = pool.submit(collect)
        for trading in [pool.submit(trade) for _ in range(8)]:
            trading.result()
        stop.set()
        assert all("portfolio.equity" in values for values in collecting.result())
    main.mark("AAPL", "1.01")
    assert main.positions["AAPL"].size == Decimal(1600)
    assert main.cash == Decimal(10_000) - 1600 * Decimal("1.01") - 3200 * Decimal("0.01")
    assert main.equity == Decimal(10_000 - 32)


def test_figures_of_one_collection_are_of_one_moment(account, seen) -> None:
    """Equity is cash plus the value of the positions in what a reader sees, whatever happens while it reads."""
    main = account()
    main.fill("MSFT", "buy", 1, 1)
    stop = threading.Event()

    def trade() -> None:
        while not stop.is_set():
            main.fill("AAPL", "buy", 8, 2)
            main.mark("AAPL", 4)
            main.fill("AAPL", "sell", 8, 4)

    with ThreadPoolExecutor(1) as pool:
        trading = pool.submit(trade)
        collections = [seen.values() for _ in range(100)]
        stop.set()
        trading.result()
    for values in collections:
        owned = sum(value for name, value in values.items() if name.startswith("position.value"))
        assert values["portfolio.cash"] + owned == values["portfolio.equity"]
        assert values["portfolio.exposure.gross"] == owned


def test_one_execution_that_two_threads_report_counts_once(account) -> None:
    """The answer to the order and the venue's stream tell the same fill at the same time."""
    main = account()
    barrier = threading.Barrier(2)

    def report() -> None:
        for number in range(300):
            barrier.wait()
            main.fill("AAPL", "buy", 1, 1, execution_id=number)

    with ThreadPoolExecutor(2) as pool:
        for reporting in [pool.submit(report), pool.submit(report)]:
            reporting.result()
    assert main.positions["AAPL"].size == Decimal(300)


def test_accounts_of_one_name_made_at_once_leave_one(account, seen) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda cash: account(cash=cash), range(1, 50)))
    assert len(seen.points()["portfolio.equity"]) == 1
    assert seen.values()["position.active"] == 0


def test_signal_handler_that_uses_the_account_does_not_hang(account) -> None:
    """It runs between any two instructions of the main thread, those inside the account too."""
    main = account()
    handled = 0

    def handle(*_: object) -> None:
        nonlocal handled
        handled += 1
        main.mark("AAPL", 100)

    before = signal.signal(signal.SIGVTALRM, handle)
    signal.setitimer(signal.ITIMER_VIRTUAL, 1e-4, 1e-4)
    try:
        while handled < 200:
            main.fill("AAPL", "buy", 1, 1)
            main.fill("AAPL", "sell", 1, 1)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    assert main.equity is not None
