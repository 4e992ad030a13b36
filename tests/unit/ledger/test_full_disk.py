"""While there is no room nothing is lost: it waits, bounded, and is written when there is room again."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from otel_trading.account.ledger import Changes
from otel_trading.metrics import faults
from tests.unit.ledger.conftest import Source

FILLER = "x" * 200_000


@pytest.fixture
def full(open_ledger):
    """A ledger that has no room for another page, and what gives it some."""
    ledger = open_ledger()
    source = Source(Changes({"n": 0}, ["0"]))
    ledger.keep("account", "main", source)
    assert ledger.flush()

    def pages(count):
        ledger._submit(lambda: ledger._store.connection.execute(f"PRAGMA max_page_count = {count}").fetchone()).result()

    pages(1)  # SQLite takes as many as there are
    return ledger, source, lambda: pages(1_000_000)


def test_it_is_counted_and_logged_once_and_written_when_there_is_room(full, caplog, path):
    ledger, source, make_room = full
    for number in range(1, 6):
        source.tell({"n": number, "filler": FILLER}, [str(number)], {"flows": [{"time": number, "amount": "1"}]})
        assert not ledger.flush()
    assert faults.errors["ledger", "OperationalError"] == 5
    (record,) = caplog.records
    assert "database or disk is full" in record.getMessage()
    make_room()
    assert ledger.flush()
    ledger.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT json_extract(document, '$.n') FROM documents").fetchall() == [(5,)]
        assert connection.execute("SELECT execution FROM executions ORDER BY id").fetchall() == [(str(n),) for n in range(6)]
        assert connection.execute("SELECT time FROM flows ORDER BY id").fetchall() == [(n,) for n in range(1, 6)]


def test_what_waits_is_what_an_account_that_is_made_again_goes_on_from(full):
    ledger, source, _ = full
    source.tell({"n": 1, "filler": FILLER}, ["1"])
    assert not ledger.flush()
    assert ledger.document("account", "main") == {"n": 1, "filler": FILLER}
    assert ledger.executions("main") == ["0", "1"]


def test_what_waits_is_bounded_as_the_file_is(full):
    ledger, source, _ = full
    for start in range(0, 120_000, 20_000):
        numbers = range(start, start + 20_000)
        source.tell({"filler": FILLER}, [str(n) for n in numbers], {"returns": [{"time": n, "value": 0} for n in numbers]})
        assert not ledger.flush()
    (pending,) = ledger._pending.values()
    assert len(pending.executions) == 50_000
    assert pending.executions[-1] == "119999"
    assert len(pending.rows["returns"]) == 10_000


def test_what_was_written_before_is_whole_when_it_never_got_room(full, open_ledger):
    ledger, source, _ = full
    source.tell({"n": 1, "filler": FILLER}, ["1"])
    assert not ledger.flush()
    ledger.close()
    again = open_ledger()
    assert again.document("account", "main") == {"n": 0}
    assert again.executions("main") == ["0"]
    assert again.unclean_stops == 1
