"""What a source says is in the file, whole, and is there again when the file is opened again."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from decimal import Decimal

import pytest

from otel_trading import ConfigurationError
from otel_trading.account.ledger import Changes, Ledger
from otel_trading.metrics import faults
from tests.harness import wait_until
from tests.unit.ledger.conftest import Source


def rows(path, query):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def test_a_state_is_there_again_after_a_restart(open_ledger):
    state = {"cash": "100.10", "peak": 1.25, "positions": {"BTC/USD": ["1", None, True]}, "name": "Zürich ₿"}
    first = open_ledger()
    assert first.document("account", "main") is None
    first.keep("account", "main", Source(Changes(state)))
    first.close()
    assert open_ledger().document("account", "main") == state


def test_the_newest_state_replaces_the_ones_before(open_ledger):
    ledger = open_ledger()
    source = Source(Changes({"n": 1}), Changes({"n": 2}))
    ledger.keep("account", "main", source)
    assert ledger.flush()
    assert ledger.document("account", "main") == {"n": 2}, "of a source that is alive it is what it says now"
    assert ledger.flush()
    assert ledger.document("account", "main") == {"n": 2}


def test_what_has_not_changed_is_not_written(open_ledger, path):
    ledger = open_ledger()
    ledger.keep("account", "main", Source(Changes({"n": 1})))
    assert ledger.flush()
    before = rows(path, "PRAGMA data_version"), rows(path, "SELECT written FROM runs")
    assert ledger.flush()
    assert (rows(path, "PRAGMA data_version"), rows(path, "SELECT written FROM runs")) == before


def test_kinds_and_names_do_not_mix(open_ledger):
    ledger = open_ledger()
    ledger.keep("account", "a", Source(Changes({"is": "account a"}, ["1"])))
    ledger.keep("account", "b", Source(Changes({"is": "account b"}, ["1", "2"])))
    ledger.keep("breaker", "a", Source(Changes({"is": "breaker a"})))
    assert ledger.flush()
    found = {key: ledger.document(*key) for key in [("account", "a"), ("account", "b"), ("breaker", "a"), ("breaker", "b")]}
    assert found == {
        ("account", "a"): {"is": "account a"},
        ("account", "b"): {"is": "account b"},
        ("breaker", "a"): {"is": "breaker a"},
        ("breaker", "b"): None,
    }
    assert ledger.executions("a") == ["1"]
    assert ledger.executions("b") == ["1", "2"]


def test_an_execution_that_is_told_twice_is_kept_once(open_ledger, path):
    ledger = open_ledger()
    ledger.keep("account", "main", Source(Changes({}, ["x", "y", "x"]), Changes({}, ["y", "z"])))
    assert ledger.flush()
    assert ledger.flush()
    assert ledger.executions("main") == ["x", "y", "z"]
    ledger.close()
    assert rows(path, "SELECT count(*) FROM executions") == [(3,)]


def order(*names, filled="1"):
    return {"names": list(names), "filled": filled, "cost": "10", "fees": {"USD": "0.1"}, "single": "0", "single_fees": {}}


def test_what_was_entered_of_an_order_replaces_what_was_there_of_it_under_any_of_its_names(open_ledger, path):
    ledger = open_ledger()
    source = Source(Changes({}, orders=[order("c1"), order("O1"), order("O2"), order("O2", filled="2")]))
    ledger.keep("account", "main", source)
    ledger.keep("account", "other", Source(Changes({}, orders=[order("O1", filled="7")])))
    assert ledger.flush()
    source.tell({}, orders=[order("c1", "O1", filled="3")])
    assert ledger.flush()
    assert ledger.orders("main") == [order("O2", filled="2"), order("c1", "O1", filled="3")]
    assert ledger.orders("other") == [order("O1", filled="7")]
    ledger.close()
    assert rows(path, "SELECT count(*) FROM orders") == [(3,)]


def test_the_10000_orders_that_changed_last_are_kept_of_each_account(open_ledger, path):
    source = Source()
    for start in range(0, 12_000, 1_000):
        source.tell({}, orders=[order("first"), *(order(str(number)) for number in range(start, start + 1_000))])
    ledger = open_ledger()
    ledger.keep("account", "main", source)
    while source.told:
        assert ledger.flush()
    kept = [one["names"][0] for one in ledger.orders("main")]
    assert kept == [*map(str, range(2_001, 11_000)), "first", *map(str, range(11_000, 12_000))]
    ledger.close()
    assert rows(path, "SELECT count(*) FROM orders")[0][0] <= 10_500, "the file is bounded, too"


def test_the_newest_50000_executions_of_each_account_are_kept(open_ledger, path):
    ledger = open_ledger()
    source = Source()
    ledger.keep("account", "main", source)
    ledger.keep("account", "other", Source(Changes({}, ["0"])))
    for start in range(0, 60_000, 1_000):
        source.tell({}, [str(number) for number in range(start, start + 1_000)])
        assert ledger.flush()
    assert ledger.executions("main") == [str(number) for number in range(10_000, 60_000)]
    assert ledger.executions("other") == ["0"]
    ledger.close()
    assert rows(path, "SELECT count(*) FROM executions WHERE account = 'main'")[0][0] <= 51_000, "the file is bounded, too"


def test_the_newest_10000_rows_of_each_table_are_kept(open_ledger, path):
    source = Source()
    for start in range(0, 12_000, 400):
        source.tell({}, rows={"returns": [{"time": float(number), "value": 0.01} for number in range(start, start + 400)]})
    ledger = open_ledger()
    ledger.keep("account", "main", source)
    while source.told:
        assert ledger.flush()
    ledger.close()
    (count, oldest, newest) = rows(path, "SELECT count(*), min(time), max(time) FROM returns")[0]
    assert 10_000 <= count <= 10_500
    assert (oldest, newest) == (12_000 - count, 11_999)


def test_history_has_its_columns_and_money_is_exact(open_ledger, path):
    ledger = open_ledger()
    history = {
        "flows": [{"time": 1.5, "amount": Decimal("0.10000000000000000001"), "kind": "deposit"}],
        "days": [{"session": "2026-11-21", "equity": "1000.10", "pnl": Decimal("1E+2"), "ratio": 0.1}],
        "trades": [
            {"closed": 2, "symbol": "BTC/USD", "pnl": "-3", "outcome": "loss"},
            {"closed": 3, "symbol": "ETH/USD", "pnl": "4", "outcome": "win", "unheard of": 1},
        ],
    }
    ledger.keep("account", "main", Source(Changes({}, rows=history)))
    ledger.close()
    assert rows(path, "SELECT account, time, amount, kind FROM flows") == [("main", 1.5, "0.10000000000000000001", "deposit")]
    assert rows(path, "SELECT account, session, equity, pnl, ratio FROM days") == [
        ("main", "2026-11-21", "1000.10", "100", 0.1)
    ]
    assert rows(path, "SELECT account, closed, symbol, pnl, outcome FROM trades ORDER BY id") == [
        ("main", 2.0, "BTC/USD", "-3", "loss"),
        ("main", 3.0, "ETH/USD", "4", "win"),
    ]


def test_a_table_that_the_ledger_does_not_have_is_said_once_and_the_rest_is_kept(open_ledger, caplog):
    ledger = open_ledger()
    ledger.keep("account", "main", Source(*[Changes({"n": n}, rows={"weather": [{"sun": 1}]}) for n in range(2)]))
    assert ledger.flush()
    assert ledger.flush()
    assert ledger.document("account", "main") == {"n": 1}
    assert [record.getMessage() for record in caplog.records] == [
        "otel_trading: the ledger has no table 'weather'; its rows are left out"
    ]


def test_a_source_that_fails_keeps_none_of_the_others_from_the_file(open_ledger):
    def broken():
        raise RuntimeError("of a source")

    ledger = open_ledger()
    ledger.keep("account", "broken", broken)
    ledger.keep("account", "main", Source(Changes({"n": 1})))
    assert not ledger.flush()
    assert ledger.document("account", "main") == {"n": 1}
    assert faults.errors["ledger", "RuntimeError"] >= 1


def test_executions_wait_for_a_state_that_has_them(open_ledger):
    """Ids without the state that counts them would keep a replay from closing the hole."""
    source = Source(Changes({"n": object()}, ["lost"]))
    ledger = open_ledger()
    ledger.keep("account", "main", source)
    assert not ledger.flush()
    assert ledger._store.executions("main") == []
    assert faults.errors["ledger", "TypeError"] == 1
    source.tell({"n": 2}, ["kept"])
    assert ledger.flush()
    assert ledger._store.executions("main") == ["lost", "kept"]


def test_all_sources_are_in_one_transaction(open_ledger, path):
    """A reader never sees one of them newer than the other, however often it looks."""
    ledger = open_ledger(flush_every=0.001)
    number = [0]

    def changes():
        number[0] += 1
        return Changes({"n": number[0]}, [str(number[0])], {"returns": [{"time": number[0], "value": 0}]})

    ledger.keep("account", "main", changes)
    seen = set()
    with closing(sqlite3.connect(path)) as reader:
        while len(seen) < 20:
            document, executions, returns = reader.execute(
                "SELECT (SELECT json_extract(document, '$.n') FROM documents), "
                "(SELECT count(*) FROM executions), (SELECT max(time) FROM returns)"
            ).fetchone()
            if document is not None:
                assert document == executions == returns
                seen.add(document)


def test_it_is_written_every_flush_every_seconds_in_a_thread_of_its_own(open_ledger):
    threads = set()

    def changes():
        threads.add(threading.current_thread().name)
        return Changes({"n": len(threads)})

    ledger = open_ledger(flush_every=0.01)
    ledger.keep("account", "main", changes)
    wait_until(lambda: threads, "the writer has asked")
    assert threads == {"otel-trading-ledger"}


def test_the_most_demanding_of_those_who_open_a_file_decides_how_often_it_is_written(open_ledger):
    """The slow one was first: what the other one was promised to lose at most holds all the same, and is never undone."""
    ledger = open_ledger()
    ledger.keep("account", "slow", Source(Changes({"n": 1})))
    assert open_ledger(flush_every=0.01).flush_every == 0.01
    assert open_ledger().flush_every == 0.01
    source = Source(Changes({"n": 1}))
    ledger.keep("account", "fast", source)
    wait_until(lambda: source.asked > 2, "the writer asks by itself")
    assert ledger.flush()
    assert ledger.document("account", "slow") == {"n": 1}


def test_what_ends_is_written_once_more_and_not_asked_again(open_ledger):
    ledger = open_ledger()
    source = Source(Changes({"n": 1}))
    end = ledger.keep("account", "main", source)
    end()
    assert ledger.document("account", "main") == {"n": 1}
    asked = source.asked
    ledger.flush()
    end()
    assert source.asked == asked


def test_a_source_of_the_same_name_takes_over(open_ledger):
    ledger = open_ledger()
    first, second = Source(Changes({"is": "first"})), Source(Changes({"is": "second"}))
    end_first = ledger.keep("account", "main", first)
    ledger.keep("account", "main", second)
    ledger.flush()
    end_first()
    assert first.asked == 0
    assert ledger.document("account", "main") == {"is": "second"}


def test_the_same_file_is_the_same_ledger(open_ledger, path, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    ledger = open_ledger()
    assert open_ledger(str(path)) is ledger
    assert open_ledger(tmp_path / "link" / "main.db") is ledger
    ledger.close()
    again = open_ledger()
    assert again is not ledger
    assert again.flush()


def test_a_ledger_that_is_closed_says_so_and_never_answers_with_nothing(open_ledger, caplog):
    ledger = open_ledger()
    ledger.keep("account", "main", Source(Changes({"n": 1})))
    ledger.close()
    ledger.close()
    assert not ledger.flush()
    with pytest.raises(ConfigurationError, match="it is closed"):
        ledger.document("account", "main")
    with pytest.raises(ConfigurationError, match="it is closed"):
        ledger.executions("main")
    ledger.keep("account", "main", Source())()
    assert "is closed; nothing is kept" in caplog.text


def test_a_directory_that_is_missing_is_made(open_ledger, tmp_path):
    open_ledger(tmp_path / "a" / "b" / "main.db").close()
    assert (tmp_path / "a" / "b" / "main.db").exists()


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), "1", None, True], ids=repr)
def test_an_interval_that_is_none_is_refused(path, seconds):
    with pytest.raises(ConfigurationError, match="flush_every"):
        Ledger.open(path, flush_every=seconds)
    assert not path.exists()


@pytest.mark.parametrize("wrong", ["", "  ", ":memory:", None, 7], ids=repr)
def test_a_path_that_is_none_is_refused(wrong):
    with pytest.raises(ConfigurationError, match="is no path of a file"):
        Ledger.open(wrong)


def test_many_threads_may_flush_keep_and_end(open_ledger):
    ledger = open_ledger(flush_every=0.001)

    def use(number):
        for _ in range(20):
            end = ledger.keep("account", f"{number}", Source(Changes({"of": number})))
            ledger.flush()
            assert ledger.document("account", f"{number}") == {"of": number}
            end()

    threads = [threading.Thread(target=use, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults.errors
    assert all(ledger.document("account", f"{number}") == {"of": number} for number in range(4))
