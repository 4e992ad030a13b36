"""What is dumped and restored goes on as if nothing had happened."""

from __future__ import annotations

import json
import sqlite3
from decimal import Decimal, InvalidOperation
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from otel_trading.account import Account, persistence
from otel_trading.account.ledger import Ledger
from otel_trading.errors import ConfigurationError

symbols = st.sampled_from(["AAPL", "BTC/USD", "BTC/USD:USD", "BTC/USD:BTC", "EUR/USD"])
amounts = st.one_of(st.decimals("0.001", 10**5, places=6), st.floats(1e-3, 1e5))
events = st.one_of(
    st.tuples(st.just("fill"), symbols, st.sampled_from(["buy", "sell"]), amounts, amounts, st.integers(0, 30)),
    st.tuples(st.just("mark"), symbols, amounts),
    st.tuples(st.just("mark"), symbols, amounts),
    st.tuples(st.sampled_from(["deposit", "withdraw"]), amounts),
    st.tuples(st.just("funding"), amounts, symbols),
    st.tuples(st.just("told"), st.dictionaries(symbols, st.integers(-3, 3), max_size=3), st.booleans()),
    st.tuples(st.just("protect"), symbols),
)
histories = st.lists(st.tuples(events, st.floats(0, 90_000)), max_size=30)


class Clock:
    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def play(main: Account, clock: Clock, history: list[tuple]) -> None:
    for event, seconds in history:
        clock.now += seconds
        if event[0] == "fill":
            _, symbol, side, quantity, price, number = event
            main.fill(symbol, side, quantity, price, fee="0.1", fee_currency="EUR", execution_id=number)
        elif event[0] == "told":
            main.update(equity=10_000 if event[2] else None, positions=event[1])
        else:
            getattr(main, event[0])(*event[1:])


def figures(main: Account) -> dict[str, object]:
    properties = [name for name in dir(type(main)) if isinstance(getattr(type(main), name), property) and name != "identity"]
    found = {name: getattr(main, name) for name in properties}
    found["trades"] = main.trades.dump()
    return found


def by_value(document: object) -> object:
    """The document with its amounts as numbers: a sum that is gone through again may have fewer zeros at its end."""
    if isinstance(document, dict):
        return {key: by_value(value) for key, value in document.items()}
    if isinstance(document, list):
        return [by_value(value) for value in document]
    try:
        return Decimal(document) if isinstance(document, str) else document
    except InvalidOperation:
        return document


def new(clock: Clock, cost: str) -> Account:
    return Account("kept", currency="USD", cash=1000, clock=clock, cost=cost, returns_every=3600, window=5, min_periods=2)


@given(histories, histories, st.sampled_from(["average", "fifo"]))
@example(
    [
        (("mark", "AAPL", Decimal("0.001000")), 0.0),
        (("fill", "AAPL", "buy", Decimal("0.001000"), Decimal("0.001000"), 0), 0.0),
        (("mark", "AAPL", 1.0546875), 0.0),
        (("mark", "AAPL", Decimal("0.001000")), 0.0),
        (("protect", "AAPL"), 0.0),
    ],
    [(("mark", "AAPL", Decimal("0.001000")), 0.0)],
    "average",
)
def test_account_restored_at_any_point_goes_on_as_the_one_that_never_stopped(before, after, cost) -> None:
    clock = Clock()
    through = new(clock, cost)
    through.mark("EUR/USD", 1.1)
    play(through, clock, before)
    document = json.loads(json.dumps(through.dump(), allow_nan=False))
    moment = clock.now
    play(through, clock, after)
    expected, everything = figures(through), through.dump()
    clock.now = moment
    restored = new(clock, cost)
    restored.restore(document)
    assert restored.dump() == document
    play(restored, clock, after)
    assert figures(restored) == expected
    assert by_value(restored.dump()) == by_value(everything)
    restored.close()
    through.close()


@given(histories, histories, st.sampled_from(["average", "fifo"]))
def test_what_a_ledger_writes_is_what_is_dumped_however_much_of_it_is_of_the_last_time(before, after, cost) -> None:
    clock = Clock()
    main = new(clock, cost)
    texts = {}
    for history in (before, after):
        play(main, clock, history)
        dumped = {key: value for key, value in main.dump().items() if key not in {"executions", "orders"}}
        assert json.loads(persistence.text(persistence.capture(main._state, main._timeline), texts)) == dumped
    main.close()


def test_metrics_go_on_after_a_restart(account, seen, clock) -> None:
    """Peak, drawdown, statistics and the marks of before; the weekend in between is no return of zero."""
    main = account(returns_every=3600, min_periods=2)
    main.fill("AAPL", "buy", 10, 100, execution_id=1)
    for price in (120, 90, 105, 95):
        clock.now += 3600
        main.mark("AAPL", price)
    main.fill("AAPL", "sell", 5, 95)
    before = seen.values()
    document = json.loads(json.dumps(main.dump()))
    returns = main.returns
    main.close()
    clock.now += 60
    again = account(returns_every=3600, min_periods=2)
    again.restore(document)
    after = seen.values()
    assert after.pop("drawdown.duration") == before.pop("drawdown.duration") + 60
    assert after == before
    again.fill("AAPL", "buy", 10, 100, execution_id=1)
    assert again.positions["AAPL"].size == 5
    clock.now += 3 * 86_400
    again.mark("AAPL", 95)
    assert again.returns[: len(returns)] == returns
    assert len(again.returns) == len(returns) + 1


def test_other_settings_take_over_what_they_can(account, clock) -> None:
    main = account(returns_every=3600, window=10, min_periods=2, cost="average")
    main.fill("AAPL", "buy", 10, 100)
    main.fill("AAPL", "buy", 10, 110)
    for price in range(100, 108):
        clock.now += 3600
        main.mark("AAPL", price)
    document = main.dump()
    shorter = account("shorter", returns_every=3600, window=3, min_periods=2, cost="fifo")
    shorter.restore(document)
    assert shorter.returns == main.returns[-3:]
    shorter.fill("AAPL", "sell", 10, 105)
    assert shorter.realized_pnl == 0  # one lot at the average
    other = account("other", returns_every=60)
    other.restore(document)
    assert other.returns == []
    assert other.equity == main.equity


@pytest.mark.parametrize(
    "document",
    [
        None,
        {},
        {"format": 99},
        {"format": 2, "currency": "USD"},
        {"format": 2, "currency": "USD", "state": {"book": 1}, "timeline": {}, "rates": [], "holdings": []},
    ],
    ids=["nothing", "empty", "later version", "cut off", "junk"],
)
def test_what_is_no_state_is_refused_and_changes_nothing(account, document) -> None:
    main = account()
    with pytest.raises(ConfigurationError, match="restore"):
        main.restore(document)
    assert main.equity == Decimal(10_000)


def test_position_that_is_cut_off_is_refused(account) -> None:
    main = account()
    main.fill("AAPL", "buy", 10, 100)
    document = main.dump()
    for length in range(len(document["holdings"][0])):
        with pytest.raises(ConfigurationError, match="restore"):
            main.restore({**document, "holdings": [document["holdings"][0][:length]]})
    assert main.positions["AAPL"].size == 10


def test_state_of_another_currency_is_refused_by_name(account) -> None:
    with pytest.raises(ConfigurationError, match=r"currency is 'EUR'.*'USD'"):
        account("other", currency="EUR").restore(account().dump())


def test_ledger_keeps_the_account_over_a_restart(account, tmp_path: Path) -> None:
    """All of it: peak, profit, lots, execution ids; the cash of the constructor is what the account began with once."""
    path = tmp_path / "state" / "main.db"
    main = account(ledger=path, cost="fifo", strategy="sma")
    main.fill("AAPL", "buy", 10, 100, execution_id="a")
    main.fill("AAPL", "buy", 10, 120, execution_id="b")
    main.mark("AAPL", 110)
    main.deposit(500)
    main.fill("AAPL", "sell", 5, 110, execution_id="c")
    before = figures(main)
    main.close()
    main.ledger.close()
    again = account(ledger=str(path), cost="fifo", strategy="sma", cash=7)
    assert {**figures(again), "last_event_time": None} == {**before, "last_event_time": None}
    for identity in "abc":
        again.fill("AAPL", "buy", 100, 1, execution_id=identity)
    assert again.positions["AAPL"].size == 15
    again.close()
    again.ledger.close()
    with sqlite3.connect(path) as file:
        assert file.execute("SELECT amount, kind FROM flows").fetchall() == [("500", "deposit")]
    file.close()


def test_what_is_restored_into_an_account_with_a_ledger_is_known_after_a_restart(account, tmp_path: Path) -> None:
    """Also which executions and orders it has in it: a replay counts none of them again."""
    main = account()
    main.fill("AAPL", "buy", 1, 100, execution_id="a")
    main.fill_order("AAPL", "buy", 2, 100, order_id="o")
    document = main.dump()
    main.close()
    kept = account(ledger=tmp_path / "main.db")
    kept.restore(document)
    kept.close()
    kept.ledger.close()
    again = account(ledger=tmp_path / "main.db")
    again.fill("AAPL", "buy", 1, 100, execution_id="a")
    again.fill_order("AAPL", "buy", 2, 100, order_id="o")
    assert again.positions["AAPL"].size == 3
    again.close()
    again.ledger.close()


def test_each_flow_is_kept_in_its_own_currency_with_its_value_where_a_rate_is_known(account, tmp_path: Path) -> None:
    main = account(ledger=tmp_path / "main.db")
    main.mark("EUR/USD", "1.10")
    main.deposit(100, currency="EUR")
    main.withdraw(20)
    main.funding("-0.5", "BTC/EUR:EUR")
    main.dividend(3, currency="CHF")
    main.deposit(7, currency="CHF")
    main.mark("CHF/USD", "1.25")
    main.funding(4, currency="chf")
    main.close()
    main.ledger.close()
    with sqlite3.connect(tmp_path / "main.db") as file:
        assert file.execute("SELECT kind, amount, currency, value FROM flows ORDER BY id").fetchall() == [
            ("deposit", "100", "EUR", "110.00"),
            ("withdrawal", "-20", "USD", "-20"),
            ("funding", "-0.5", "EUR", "-0.550"),
            ("dividend", "3", "CHF", None),
            ("deposit", "7", "CHF", None),
            ("funding", "4", "CHF", "5.00"),
        ]
    file.close()


def test_account_that_is_made_again_goes_on_from_what_the_one_before_had_just_now(account, tmp_path: Path) -> None:
    main = account(ledger=tmp_path / "main.db", flush_every=60.0)
    main.fill("AAPL", "buy", 10, 100, execution_id="a")
    again = account(ledger=tmp_path / "main.db", flush_every=60.0)
    assert again.positions["AAPL"].size == 10
    again.close()
    again.ledger.close()


def test_strategies_of_one_name_are_kept_apart_in_one_ledger(account, tmp_path: Path) -> None:
    path = tmp_path / "main.db"
    identities = [
        ("main", "a", None), ("main", None, "a"), ("main", "a", "a"), ("main", "a/a", None), ("main", None, "a/"),
        ("main/a", None, None), ("main%2Fa", None, None), ("main/", "a", None), ("main/a/", None, None),
    ]  # fmt: skip
    for cash, (name, strategy, venue) in enumerate(identities, start=1):
        account(name, ledger=path, strategy=strategy, venue=venue, cash=cash).close()
    for cash, (name, strategy, venue) in enumerate(identities, start=1):
        again = account(name, ledger=path, strategy=strategy, venue=venue, cash=0)
        assert again.equity == cash
        assert (again.name, again.strategy, again.venue) == (name, strategy, venue)
        again.close()
    again.ledger.close()


def test_closed_trades_days_and_returns_are_rows_of_the_ledger(account, clock, tmp_path: Path) -> None:
    main = account(ledger=tmp_path / "main.db")
    main.fill("AAPL", "buy", 10, 100)
    clock.now = 1_700_006_400.0  # 2023-11-15T00:00:00Z
    main.fill("AAPL", "sell", 10, 110)
    clock.now += 86_400
    main.mark("AAPL", 110)
    main.close()
    main.ledger.close()
    with sqlite3.connect(tmp_path / "main.db") as file:
        assert file.execute("SELECT symbol, CAST(pnl AS REAL), outcome FROM trades").fetchall() == [("AAPL", 100.0, "win")]
        assert file.execute("SELECT session, pnl FROM days").fetchall() == [("2023-11-14", "0"), ("2023-11-15", "100")]
        assert file.execute("SELECT value FROM returns").fetchall() == [(pytest.approx(0.01),)]
    file.close()


def test_ledger_that_cannot_be_used_is_named(account, tmp_path: Path) -> None:
    (tmp_path / "main.db").write_text("something else")
    with pytest.raises(ConfigurationError, match=r"main\.db"):
        account(ledger=tmp_path / "main.db")
    assert Ledger.open(tmp_path / "other.db", flush_every=1.0).flush()
    Ledger.open(tmp_path / "other.db", flush_every=1.0).close()


def test_summary_of_a_document_has_the_figures_of_the_account(account) -> None:
    main = account()  # 10,000 USD
    main.fill("AAPL", "buy", 10, 100)
    main.mark("AAPL", 200)
    main.fill("AAPL", "sell", 5, 100)
    main.fill("MSFT", "sell", "2.5", 40)
    main.fill("MSFT", "buy", "2.5", 60)
    assert persistence.summary(json.loads(json.dumps(main.dump())), "main") == {
        "currency": "USD",
        "cash": Decimal(9450),
        "equity": Decimal(9950),
        "peak": Decimal(11000),
        "drawdown": pytest.approx(1050 / 11000),
        "max_drawdown": pytest.approx(1050 / 11000),
        "realized": Decimal(-50),
        "positions": {"AAPL": (Decimal(5), Decimal(100))},
        "trades": {"loss": 1},
    }


def test_summary_says_nothing_of_what_an_account_does_not_know() -> None:
    main = Account("bare", currency="EUR")
    found = persistence.summary(main.dump())
    main.close()
    assert (found["currency"], found["cash"], found["equity"], found["peak"]) == ("EUR", None, None, None)


@pytest.mark.parametrize("document", [None, {}, {"format": 99}], ids=["nothing", "empty", "later version"])
def test_summary_of_what_is_no_document_is_refused(document) -> None:
    with pytest.raises(ConfigurationError):
        persistence.summary(document)
