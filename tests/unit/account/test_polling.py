"""An account that is asked for at intervals: what arrives counts, what fails is counted, and nothing waits for it."""

from __future__ import annotations

import asyncio
import functools
import gc
import threading
import time
import weakref
from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace

import pytest

from otel_trading.errors import ConfigurationError
from otel_trading.metrics import faults
from otel_trading.recording import operations

DEADLINE = 20.0


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + DEADLINE
    while not true():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.005)


@pytest.fixture
def failures(monkeypatch) -> list[str]:
    """The kinds of errors that polls were counted under, in `trading.errors`."""
    found: list[str] = []
    monkeypatch.setattr(
        "otel_trading.account.entering.record_error",
        lambda component, error: found.append(f"{component} {type(error).__name__}"),
    )
    return found


def test_answers_of_a_function_are_taken_until_it_is_stopped(account) -> None:
    main = account(cash=0)
    answers = iter(range(1, 10**9))
    stop = main.poll(lambda: {"equity": next(answers)}, every=0.01)
    until(lambda: main.equity is not None and main.equity >= 3)
    assert stop.last_time is not None
    stop()
    time.sleep(0.1)
    last = main.equity
    time.sleep(0.1)
    assert main.equity == last


def test_coroutine_function_runs_on_the_loop_of_the_bot(account) -> None:
    main = account(cash=0)
    loops = set()

    async def fetch():
        loops.add(asyncio.get_running_loop())
        await asyncio.sleep(0)
        return {"equity": 100}

    async def bot():
        stop = main.poll(fetch, every=0.01)
        end = time.monotonic() + DEADLINE
        while main.equity != 100:
            assert time.monotonic() < end
            await asyncio.sleep(0.01)
        stop()
        assert loops == {asyncio.get_running_loop()}

    asyncio.run(bot())


@pytest.mark.parametrize("form", ["coroutine function", "partial", "lambda"])
def test_coroutine_outside_of_a_loop_has_one_of_its_own(account, form) -> None:
    main = account(cash=0)
    loops = set()

    async def fetch(value=100):
        loops.add(asyncio.get_running_loop())
        await asyncio.sleep(0)
        return {"equity": value}

    asked = {"coroutine function": fetch, "partial": functools.partial(fetch, 100), "lambda": lambda: fetch(100)}[form]
    stop = main.poll(asked, every=0.01)
    until(lambda: main.equity == 100)
    stop()
    assert len(loops) == 1


def test_what_a_function_returns_to_be_awaited_is_awaited_on_the_loop_of_the_bot(account) -> None:
    """`lambda: exchange.fetch_balance()`: the client belongs to the loop that it was made in."""
    main = account(cash=0)
    loops = set()

    async def fetch(value):
        loops.add(asyncio.get_running_loop())
        return {"equity": value}

    async def bot():
        stop = main.poll(lambda: fetch(100), every=0.01)
        end = time.monotonic() + DEADLINE
        while main.equity != 100:
            assert time.monotonic() < end
            await asyncio.sleep(0.01)
        stop()
        assert loops == {asyncio.get_running_loop()}

    asyncio.run(bot())


def test_fetch_that_raises_is_counted_and_the_last_answer_stands(account, failures) -> None:
    main = account(cash=0)
    answers = iter([{"equity": 100}])

    def fetch():
        try:
            return next(answers)
        except StopIteration:
            raise ConnectionError("down") from None

    stop = main.poll(fetch, every=0.01)
    until(lambda: len(failures) >= 3)
    stop()
    assert set(failures) == {"account.poll ConnectionError"}
    assert main.equity == 100


@pytest.mark.parametrize(
    "answer",
    [None, True, {}, object(), {"equity": "ten"}, {"equity": float("nan")}, b"", {"total": 3}],
    ids=["None", "True", "empty", "object", "text", "nan", "bytes", "total"],
)
def test_nonsense_is_counted_and_changes_nothing(account, failures, answer) -> None:
    faults.reset()
    main = account(cash=50)
    stop = main.poll(lambda: answer, every=0.01)
    until(lambda: failures)
    stop()
    assert set(failures) <= {"account.poll TypeError", "account.poll ValueError"}
    assert main.equity == 50
    assert not faults.errors


def test_fetch_that_hangs_is_counted_costs_one_thread_and_holds_up_nothing(account, failures) -> None:
    main = account(cash=50)
    release = threading.Event()
    calls = []

    def fetch():
        calls.append(1)
        release.wait(DEADLINE)
        return {"equity": 999}

    stop = main.poll(fetch, every=0.01, timeout=0.02)
    until(lambda: len(failures) >= 3)
    main.mark("AAPL", 100)
    assert len(calls) == 1
    assert set(failures) == {"account.poll TimeoutError"}
    stop()
    release.set()
    time.sleep(0.05)
    assert main.equity == 50
    assert len(calls) == 1


def test_coroutine_that_hangs_is_counted_and_the_next_is_asked_for(account, failures) -> None:
    main = account(cash=50)
    calls = []

    async def fetch():
        calls.append(1)
        if len(calls) < 3:
            await asyncio.sleep(DEADLINE)
        return {"equity": 100}

    async def bot():
        stop = main.poll(fetch, every=0.01, timeout=0.02)
        end = time.monotonic() + DEADLINE
        while main.equity != 100:
            assert time.monotonic() < end
            await asyncio.sleep(0.01)
        stop()

    asyncio.run(bot())
    assert failures[:2] == ["account.poll TimeoutError", "account.poll TimeoutError"]


def test_loop_that_ends_leaves_nothing_behind(account) -> None:
    """A bot that does not stop its polls ends as it would without: no task that was never awaited, no error."""
    main = account(cash=0)

    async def fetch():
        await asyncio.sleep(DEADLINE)

    async def bot():
        main.poll(fetch, every=0.01)
        await asyncio.sleep(0.02)

    asyncio.run(bot())
    main.close()


def test_poll_that_the_bot_has_ended_is_kept_no_longer_than_to_the_next(account) -> None:
    """A bot that polls anew after each reconnect does not gather the functions of all polls before."""
    main = account(cash=0)

    def begin() -> weakref.ref[object]:
        stop = main.poll(lambda: 100, every=0.01)
        stop()
        return weakref.ref(stop)

    ended = begin()
    last = main.poll(lambda: 100, every=DEADLINE)
    until(lambda: gc.collect() >= 0 and ended() is None)
    main.close()
    assert last.stopped


def test_errors_of_polls_are_in_the_metric(account) -> None:
    main = account()
    main._poll_failed(KeyError("x"))
    assert ("account.poll", "KeyError") in operations.error_series


def test_balance_as_ccxt_returns_it(account) -> None:
    """`fetch_balance`: cash in the account's currency, every other coin a position in its pair."""
    main = account(currency="USDT", cash=0)
    balance = {
        "info": {},
        "timestamp": None,
        "free": {"USDT": 900.5, "BTC": 0.5, "ETH": 0.0},
        "used": {"USDT": 100.0, "BTC": 0.0, "ETH": 0.0},
        "total": {"USDT": 1000.5, "BTC": 0.5, "ETH": 0.0, "XRP": None},
        "USDT": {"free": 900.5, "used": 100.0, "total": 1000.5},
    }
    main.mark("BTC/USDT", 20_000)
    main._take(balance)
    assert main.cash == Decimal("1000.5")
    assert {symbol: one.size for symbol, one in main.positions.items()} == {"BTC/USDT": Decimal("0.5")}
    assert main.equity == Decimal("11000.5")


def test_balance_says_nothing_of_contracts(account) -> None:
    main = account(currency="USDT", cash=1000)
    main.fill("ETH/USDT:USDT", "buy", 1, 100)
    main._take({"total": {"USDT": 1000}})
    assert main.positions["ETH/USDT:USDT"].size == 1


def test_account_as_alpaca_returns_it_and_a_plain_number(account) -> None:
    main = account(cash=0)
    main._take(SimpleNamespace(id="secret", equity="1000.5", cash="300", buying_power="600", initial_margin="0"))
    assert (main.equity, main.cash) == (Decimal("1000.5"), Decimal(300))
    main._take("1001")
    assert main.equity == Decimal(1001)
    main._take([{"symbol": "AAPL", "qty": 3}])
    assert main.positions["AAPL"].size == 3


def test_scrape_never_fetches(account, seen) -> None:
    main = account(cash=0)
    threads = set()

    def fetch():
        threads.add(threading.get_ident())
        return 100

    stop = main.poll(fetch, every=0.01)
    until(lambda: main.equity == 100)
    for _ in range(3):
        assert seen.values()["portfolio.equity"] == 100
    stop()
    assert threading.get_ident() not in threads


@pytest.mark.parametrize("arguments", [{"every": 0}, {"every": "x"}, {"timeout": -1}, {"timeout": float("nan")}], ids=str)
def test_wrong_settings_of_a_poll_are_named(account, arguments) -> None:
    (name,) = arguments
    with pytest.raises(ConfigurationError, match=rf"{name}="):
        account().poll(lambda: 1, **arguments)


def test_what_is_no_function_is_named(account) -> None:
    with pytest.raises(ConfigurationError, match="fetch"):
        account().poll(42)


def test_told_values_are_withdrawn_when_they_are_stale_and_come_back(account, seen, clock) -> None:
    main = account(cash=0, stale_after=60)
    main.update(equity=100, buying_power=50, positions=[{"symbol": "AAPL", "size": 1, "mark_price": 10}])
    clock.now += 60
    assert {"portfolio.equity", "portfolio.buying_power", "position.size AAPL"} <= seen.values().keys()
    clock.now += 1
    values = seen.values()
    gone = ("portfolio.equity", "portfolio.buying_power", "pnl.daily", "drawdown.current_ratio", "position.active")
    assert not set(gone) & values.keys()
    assert main.equity == 100
    main.update(equity=101)
    values = seen.values()
    assert values["portfolio.equity"] == 101
    assert "portfolio.buying_power" not in values


def test_price_that_nobody_marks_any_more_is_withdrawn_with_all_that_needs_it(account, seen, clock) -> None:
    main = account(stale_after=60)
    main.fill("AAPL", "buy", 1, 100)
    main.fill("MSFT", "buy", 1, 100)
    clock.now += 61
    main.mark("MSFT", 110)
    values = seen.values()
    assert (values["position.size AAPL"], values["position.value MSFT"], values["portfolio.cash"]) == (1.0, 110.0, 9_800.0)
    assert not {"portfolio.equity", "position.unrealized_pnl AAPL", "pnl.unrealized"} & values.keys()
    main.mark("AAPL", 90)
    assert seen.values()["portfolio.equity"] == 10_000.0


def test_cash_that_the_books_keep_is_never_stale(account, seen, clock) -> None:
    account(stale_after=60)
    clock.now += 86_400
    assert seen.values()["portfolio.equity"] == 10_000.0


def test_poll_ends_with_the_loop_of_the_bot_and_leaves_no_coroutine(account, failures, recwarn) -> None:
    main = account(cash=0)
    asked = []

    async def fetch():
        return {"equity": 100}

    def ask():
        asked.append(1)
        return fetch()

    async def bot():
        main.poll(ask, every=0.001, timeout=0.5)
        end = time.monotonic() + DEADLINE
        while main.equity != 100:
            assert time.monotonic() < end
            await asyncio.sleep(0.001)

    asyncio.run(bot())
    until(lambda: not [thread for thread in threading.enumerate() if thread.name == "otel-trading-poll-main"])
    gc.collect()
    assert [str(warning.message) for warning in recwarn if "never awaited" in str(warning.message)] == []
    assert set(failures) <= {"account.poll TimeoutError", "account.poll CancelledError"}
