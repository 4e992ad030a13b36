"""An open breaker over a restart: with the account's own ledger, after a clean stop and after none."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from otel_trading.account import Account
from otel_trading.account.ledger import Changes, Ledger
from otel_trading.risk import CircuitBreaker
from tests.harness import wait_until

PROGRAM = """
import os, signal, sys
import otel_trading as ot
now = float(sys.argv[2])
account = ot.Account("main", currency="USD", cash=1000, ledger=sys.argv[1], flush_every=0.05, clock=lambda: now)
breaker = ot.CircuitBreaker("b", account=account, max_drawdown=0.1, cool_down=3600, clock=lambda: now)
if sys.argv[3] == "trip":
    account.fill("A/USD", "buy", 10, 100)
    account.mark("A/USD", 80)
print(breaker.state, breaker.reason, flush=True)
if sys.argv[3] == "trip":
    account.mark("A/USD", 100)
    assert account.drawdown == 0
    account.ledger.flush()
    os.kill(os.getpid(), getattr(signal, sys.argv[4]))
"""


@pytest.mark.parametrize("ending", ["SIGKILL", "SIGINT"])
def test_restart_does_not_close_it_nor_begin_its_cool_down_anew(tmp_path, ending) -> None:
    def run(now: float, what: str) -> str:
        command = [sys.executable, "-W", "error", "-c", PROGRAM, str(tmp_path / "main.db"), str(now), what, ending]
        paths = os.pathsep.join(path for path in sys.path if path)
        env = {**os.environ, "PYTHONPATH": paths}
        return subprocess.run(command, timeout=60, check=False, capture_output=True, text=True, env=env, cwd=tmp_path).stdout

    begin = 1_700_000_000.0
    assert run(begin, "trip") == "open max_drawdown\n"
    assert run(begin + 3599, "look") == "open max_drawdown\n"
    assert run(begin + 3600, "look") == "half_open max_drawdown\n"


@pytest.mark.parametrize(("act", "expected"), [("trip", "open"), ("reset", "closed")])
def test_a_trip_and_a_reset_do_not_wait_for_the_writers_turn(tmp_path, breaker, act, expected) -> None:
    """A bot that is killed right after a trip, with an hour until the next write, is not allowed to trade when it is back."""
    with_book = Ledger.open(tmp_path / "risk.db", flush_every=3600)
    one = breaker(ledger=with_book)
    if act == "reset":
        one.trip()
    getattr(one, act)()

    def state() -> object:
        with closing(sqlite3.connect(tmp_path / "risk.db")) as file:
            found = file.execute("SELECT document FROM documents WHERE kind = 'breaker'").fetchone()
        return found and json.loads(found[0])["state"]

    wait_until(lambda: state() == expected, "the file has it")
    one.close()
    with_book.close()


def test_breakers_whose_names_have_a_slash_are_kept_apart(tmp_path, breaker) -> None:
    """Opened by one account, it does not stay open for another one of which name and strategy read the same."""
    path = tmp_path / "risk.db"
    one = Account("main", strategy="sma", currency="USD")
    other = Account("main/sma", currency="USD")
    breaker("b", account=one, ledger=path).trip("spread")
    breaker("b", account=one, ledger=path).close()
    assert breaker("b", account=other, ledger=path).state == "closed"
    assert breaker("b", account=one, ledger=path).state == "open"
    for account in (one, other):
        account.close()
    Ledger.open(path, flush_every=1.0).close()


def test_ledger_of_its_own(tmp_path, breaker) -> None:
    breaker("own", ledger=tmp_path / "risk.db").trip("spread")
    breaker("own").close()  # takes its place, and ends it
    again = breaker("own", ledger=str(tmp_path / "risk.db"))
    assert (again.state, again.reason) == ("open", "spread")
    Ledger.open(tmp_path / "risk.db", flush_every=1.0).close()


@pytest.mark.parametrize(
    "document", [{"state": "shut"}, {"state": "closed", "since": "now"}, {}], ids=["state", "time", "empty"]
)
def test_state_that_cannot_be_read_is_not_taken_for_closed(tmp_path, breaker, document) -> None:
    with_book = Ledger.open(tmp_path / "risk.db", flush_every=1.0)
    with_book.keep("breaker", "b/main", lambda: Changes(document))()
    one = breaker(ledger=with_book)
    assert (one.state, one.reason) == ("open", "unknown_figure")
    one.close()
    with_book.close()


def test_orders_before_a_restart_count_for_the_rate_after_it(tmp_path, clock) -> None:
    """A bot that crashes in a loop sends no more than one that runs."""
    with_book = Ledger.open(tmp_path / "risk.db", flush_every=1.0)
    for expected in ("closed", "closed", "open"):
        one = CircuitBreaker("loop", max_order_rate=2, ledger=with_book, clock=clock)
        one.allow()
        assert one.state == expected
        one.close()
    with_book.close()


def test_breaker_reads_the_figures_of_an_account(clock) -> None:
    account = Account("figures", currency="USD", cash=1000, clock=clock)
    loss = CircuitBreaker("loss", account=account, max_daily_loss=0.05, clock=clock)
    fall = CircuitBreaker("fall", account=account, max_drawdown=0.1, clock=clock)
    streak = CircuitBreaker("streak", account=account, max_consecutive_losses=2, clock=clock)
    account.fill("A/USD", "buy", 1, 100)
    account.fill("A/USD", "sell", 1, 70)
    assert [one.state for one in (loss, fall, streak)] == ["closed", "closed", "closed"]
    account.fill("A/USD", "buy", 1, 100)
    account.fill("A/USD", "sell", 1, 70)
    assert [one.state for one in (loss, fall, streak)] == ["open", "closed", "open"]
    account.deposit(9000)
    account.fill("A/USD", "buy", 10, 100)
    account.mark("A/USD", 40)
    assert fall.state == "open"
    for one in (loss, fall, streak, account):
        one.close()


def test_breakers_of_one_name_are_told_apart_by_strategy_and_venue(tmp_path, clock) -> None:
    """One account at a venue for each strategy, all of one name: an open breaker is never taken for another one's."""
    with_book = Ledger.open(tmp_path / "risk.db", flush_every=1.0)
    accounts = [
        Account("main", currency="USD", cash=1000, strategy=strategy, venue=venue, clock=clock)
        for strategy, venue in (("a", None), ("b", None), (None, "a"), ("a", "b"))
    ]
    made = [CircuitBreaker("b", account=account, max_drawdown=0.1, ledger=with_book, clock=clock) for account in accounts]
    made += [CircuitBreaker("b", max_order_rate=10, strategy=s, ledger=with_book, clock=clock) for s in ("x", "y")]
    for one in made[::2]:
        one.trip()
    expected = ["open", "closed"] * 3
    assert [one.state for one in made] == expected
    for one in made:
        one.close()
    made = [CircuitBreaker("b", account=account, max_drawdown=0.1, ledger=with_book, clock=clock) for account in accounts]
    made += [CircuitBreaker("b", max_order_rate=10, strategy=s, ledger=with_book, clock=clock) for s in ("x", "y")]
    assert [one.state for one in made] == expected
    for one in [*made, *accounts]:
        one.close()
    with_book.close()


@pytest.mark.parametrize("part", ["strategy", "venue"])
def test_metrics_of_a_breaker_carry_what_tells_its_account_from_others(recorded, clock, part) -> None:
    """Two accounts that differ by nothing else are two series of each of its metrics."""
    accounts = [Account("main", currency="USD", cash=1000, clock=clock, **{part: name}) for name in ("a", "b")]
    made = [CircuitBreaker("b", account=account, max_drawdown=0.1, clock=clock) for account in accounts]
    accounts[0].fill("A/USD", "buy", 10, 100)
    accounts[0].mark("A/USD", 80)
    first, second = ({"circuit_breaker.name": "b", "account.name": "main", f"{part}.name": name} for name in ("a", "b"))
    assert recorded.points("circuit_breaker.open") == [(first, 1.0), (second, 0.0)]
    assert recorded.points("circuit_breaker.trips") == [({**first, "circuit_breaker.reason": "max_drawdown"}, 1)]
    assert recorded.points("risk.limit_utilization_ratio") == [
        ({**first, "risk.limit.name": "max_drawdown"}, pytest.approx(2.0)),
        ({**second, "risk.limit.name": "max_drawdown"}, 0.0),
    ]
    for one in [*made, *accounts]:
        one.close()
