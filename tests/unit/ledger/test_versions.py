"""Files of other versions. What version 1 is stands here as it was released: it must be readable for ever."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from otel_trading import ConfigurationError
from otel_trading.account.ledger import Changes, schema
from otel_trading.account.ledger.copies import copy_of
from tests.unit.ledger.conftest import Source

VERSION_1 = """
PRAGMA application_id = 1869900900;
CREATE TABLE ledger (unclean_stops INTEGER NOT NULL);
INSERT INTO ledger VALUES (3);
CREATE TABLE runs (id INTEGER PRIMARY KEY AUTOINCREMENT, pid INTEGER NOT NULL, host TEXT NOT NULL, started REAL NOT NULL,
    written REAL NOT NULL, outcome TEXT CHECK (outcome IN ('clean', 'unclean')));
INSERT INTO runs (pid, host, started, written, outcome) VALUES (1, 'old', 1.5, 2.5, NULL);
CREATE TABLE documents (kind TEXT NOT NULL, name TEXT NOT NULL, written REAL NOT NULL, document TEXT NOT NULL,
    PRIMARY KEY (kind, name));
INSERT INTO documents VALUES ('account', 'main', 2.5, '{"peak": "101.5", "currency": "USD"}');
CREATE TABLE executions (id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, execution TEXT NOT NULL,
    UNIQUE (account, execution));
CREATE INDEX executions_by_age ON executions (account, id);
INSERT INTO executions (account, execution) VALUES ('main', 'x'),
    ('main', '|[["BTC/USD|c1"],"0.1","1.0","0.1",{"USD":"1.0"},{"USD":"1.0"}]'),
    ('main', '|[["ETH/USD|O2"],"5","50","0",{},{}]'),
    ('main', '|[["BTC/USD|c1","BTC/USD|O1"],"0.3","3.0","0.1",{"USD":"3.0"},{"USD":"1.0"}]'), ('main', 'y');
CREATE TABLE flows (id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, time REAL, amount TEXT, kind TEXT);
CREATE INDEX flows_by_age ON flows (account, id);
INSERT INTO flows (account, time, amount, kind) VALUES ('main', 1.5, '100', 'deposit'), ('main', 2.5, '-1', 'funding');
CREATE TABLE days (id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, session TEXT, equity TEXT, pnl TEXT, ratio REAL);
CREATE INDEX days_by_age ON days (account, id);
CREATE TABLE returns (id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, time REAL, value REAL);
CREATE INDEX returns_by_age ON returns (account, id);
CREATE TABLE trades (id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, closed REAL, symbol TEXT, pnl TEXT,
    outcome TEXT);
CREATE INDEX trades_by_age ON trades (account, id);
PRAGMA user_version = 1;
"""
STATE = {"peak": "101.5", "currency": "USD"}


@pytest.fixture
def version_1(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(VERSION_1)
    return path


def write_and_close(ledger):
    """Use every table of it."""
    rows = {"flows": [{"time": 3, "amount": "5", "kind": "withdrawal"}], "days": [{}], "returns": [{}], "trades": [{}]}
    ledger.keep("account", "main", Source(Changes({"peak": "102"}, ["z"], rows)))
    ledger.close()


def test_a_file_of_version_1_goes_on(version_1, open_ledger):
    ledger = open_ledger()
    assert ledger.document("account", "main") == STATE
    assert ledger.executions("main") == ["x", "y"]
    assert ledger.unclean_stops == 4, "three that it knew of, and the run that has not ended"
    write_and_close(ledger)
    again = open_ledger()
    assert again.document("account", "main") == {"peak": "102"}
    assert again.executions("main") == ["x", "y", "z"]
    with closing(sqlite3.connect(version_1)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS),)
        assert connection.execute("SELECT amount FROM flows ORDER BY id").fetchall() == [("100",), ("-1",), ("5",)]


@pytest.mark.usefixtures("version_1")
def test_records_of_orders_leave_the_executions_of_version_1_for_a_table_of_their_own(open_ledger):
    ledger = open_ledger()
    assert ledger.executions("main") == ["x", "y"]
    assert ledger.orders("main") == [
        {"names": ["ETH/USD|O2"], "filled": "5", "cost": "50", "fees": {}, "single": "0", "single_fees": {}},
        {"names": ["BTC/USD|c1", "BTC/USD|O1"], "filled": "0.3", "cost": "3.0", "fees": {"USD": "3.0"}, "single": "0.1"}
        | {"single_fees": {"USD": "1.0"}},
    ]


def test_flows_of_version_1_get_a_currency_where_it_is_known(version_1, open_ledger):
    """A deposit was kept as what it was worth to the account; of funding, which may be in any currency, it was not said."""
    open_ledger()
    with closing(sqlite3.connect(version_1)) as connection:
        assert connection.execute("SELECT kind, amount, currency, value FROM flows ORDER BY id").fetchall() == [
            ("deposit", "100", "USD", "100"),
            ("funding", "-1", None, None),
        ]


def test_what_a_new_file_has_is_what_a_migrated_one_has(version_1, open_ledger, tmp_path):
    open_ledger().close()
    open_ledger(tmp_path / "new.db").close()

    def columns(path):
        with closing(sqlite3.connect(path)) as connection:
            tables = sorted(name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'"))
            indexes = sorted(name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'"))
            return {table: connection.execute(f"PRAGMA table_info({table})").fetchall() for table in tables}, indexes

    assert columns(version_1) == columns(tmp_path / "new.db")


def next_version(connection):
    connection.execute("ALTER TABLE flows ADD COLUMN venue TEXT DEFAULT 'unknown'")


def broken_version(connection):
    connection.execute("DROP TABLE flows")
    connection.execute("CREATE TABLE documents (too late)")


def test_the_next_version_is_reached_from_the_first_with_all_that_it_has(version_1, open_ledger, monkeypatch):
    monkeypatch.setattr(schema, "MIGRATIONS", [*schema.MIGRATIONS, next_version])
    write_and_close(open_ledger())
    with closing(sqlite3.connect(version_1)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS),)
        assert connection.execute("SELECT amount, venue FROM flows ORDER BY id").fetchall() == [
            ("100", "unknown"),
            ("-1", "unknown"),
            ("5", "unknown"),
        ]


def test_a_migration_that_fails_changes_nothing(version_1, open_ledger, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(schema, "MIGRATIONS", [*schema.MIGRATIONS, next_version, broken_version])
        with pytest.raises(ConfigurationError, match="table documents already exists"):
            open_ledger()
    with closing(sqlite3.connect(version_1)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        assert connection.execute("SELECT amount FROM flows").fetchall() == [("100",), ("-1",)]
    assert open_ledger().document("account", "main") == STATE


def test_a_copy_of_an_older_version_is_brought_to_this_one(version_1, open_ledger, caplog):
    version_1.replace(copy_of(version_1))
    assert open_ledger().document("account", "main") == STATE
    assert "going on from its copy, which was written last at 1970-01-01T00:00:02Z" in caplog.text
