"""The books against the venue, and fills that were missed."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import pytest

from otel_trading.metrics import faults


def differences(seen) -> dict[str, float]:
    points = seen.points().get("reconciliation.position_difference", [])
    return {at["trading.instrument.symbol"]: value for value, at in points}


def test_everything_that_either_side_has_is_compared(account, seen, clock) -> None:
    """Venue minus bot: more there, missing there, missing here, and equal."""
    main = account()
    for symbol, size in (("A", 1), ("B", 2), ("D", 4)):
        main.fill(symbol, "buy", size, 10)
    found = main.reconcile({"A": 3, "C": "-1.5", "D": 4.0})
    assert found.positions == {"A": Decimal(2), "B": Decimal(-2), "C": Decimal("-1.5")}
    assert differences(seen) == {"A": 2.0, "B": -2.0, "C": -1.5, "D": 0.0}
    assert seen.values()["reconciliation.last_check.time"] == clock.now


def test_difference_that_is_no_more_ends(account, readers) -> None:
    main = account()
    main.fill("A", "buy", 1, 10)
    main.reconcile({"A": 2, "C": 1})
    for reader in readers:
        assert differences(reader) == {"A": 1.0, "C": 1.0}
    main.reconcile({"A": 1})
    for reader in readers:
        for _ in range(2):
            assert differences(reader) == {"A": 0.0, "C": 0.0}
        assert differences(reader) == {"A": 0.0}


def test_nothing_is_shown_before_the_first_check(account, seen) -> None:
    account()
    assert not [name for name in seen.values() if name.startswith("reconciliation")]


def test_position_whose_size_cannot_be_read_is_neither_equal_nor_different(account, seen) -> None:
    main = account()
    main.fill("A", "buy", 1, 10)
    main.fill("B", "buy", 1, 10)
    assert main.reconcile([{"symbol": "A", "size": "x"}, {"symbol": "B", "size": 1}]).positions == {}
    assert differences(seen) == {"B": 0.0}


def test_sums_of_binary_floats_agree(account) -> None:
    main = account()
    main.fill("A", "buy", "0.3", 10)
    assert main.reconcile({"A": 0.1 + 0.2}).positions == {}


def test_orders_of_both_sides_are_compared_by_their_ids(account, seen) -> None:
    main = account()
    venue = [{"id": "1", "symbol": "A"}, SimpleNamespace(order_id=2), "3"]
    found = main.reconcile(orders=venue, open_orders=["3", "4"])
    assert (found.venue_orders, found.bot_orders) == (["1", "2"], ["4"])
    assert seen.values()["reconciliation.order_difference"] == 3
    assert "reconciliation.position_difference A" not in seen.values()
    main.reconcile(orders=[], open_orders=[])
    assert seen.values()["reconciliation.order_difference"] == 0


@pytest.mark.parametrize("junk", [3, "AAPL", object()], ids=["number", "text", "object"])
def test_what_cannot_be_compared_leaves_the_last_check(account, seen, clock, junk) -> None:
    faults.reset()
    main = account()
    main.reconcile({"A": 1}, orders=["1"], open_orders=[])
    before = seen.values()
    clock.now += 60
    assert main.reconcile(junk, orders=junk, open_orders=[]) == ({}, [], [])
    assert seen.values()["reconciliation.last_check.time"] == before["reconciliation.last_check.time"]
    assert faults.dropped["not_a_number"] == 2


TRADES = [
    {"id": "t3", "timestamp": 1_700_000_003_000, "symbol": "BTC/USD", "side": "sell", "amount": 1.0, "price": 120.0,
     "fee": {"cost": 0.5, "currency": "USD"}},
    {"id": "t1", "timestamp": 1_700_000_001_000, "symbol": "BTC/USD", "side": "buy", "amount": 1.0, "price": 100.0,
     "fee": {"cost": 0.5, "currency": "USD"}},
    {"id": "t2", "timestamp": 1_700_000_002_000, "symbol": "BTC/USD", "side": "buy", "amount": 1.0, "price": 110.0,
     "fee": {"cost": 0.5, "currency": "USD"}},
]  # fmt: skip


def test_fills_are_entered_once_and_in_the_order_of_their_times(account) -> None:
    """As ccxt's `fetch_my_trades` has them, in any order: FIFO sells what was bought at 100."""
    main = account(cost="fifo")
    assert main.sync_fills(TRADES) == 3
    assert (main.realized_pnl, main.fees) == (Decimal(20), Decimal("1.5"))
    assert main.trades.count == 0  # it was never short
    assert main.sync_fills(reversed(TRADES)) == 0
    assert main.positions["BTC/USD"].size == 1
    assert main.sync_fills([*TRADES, {**TRADES[0], "id": "t4", "timestamp": 1_700_000_004_000}]) == 1
    assert main.positions == {}


def test_an_execution_that_was_told_without_its_order_is_not_entered_again_with_its_totals(account) -> None:
    """3 are bought and told alone; then the order's answer comes, which lists them and 2 more, and says 5 in all."""
    main = account()
    main.sync_fills([{"execution_id": "T-1", "symbol": "AAPL", "side": "buy", "quantity": 3, "price": 10, "fee": 1}])
    for _ in range(2):
        main.fill("AAPL", "buy", 3, 10, fee=1, execution_id="T-1", order_id="O-1")
        main.fill("AAPL", "buy", 2, 11, fee=1, execution_id="T-2", order_id="O-1")
        main.fill_order("AAPL", "buy", 5, 10.4, fee=2, order_id="O-1")
        assert (main.positions["AAPL"].size, main.cash, main.fees) == (5, 10_000 - 52 - 2, 2)


def test_fill_that_the_bot_told_itself_is_not_new(account) -> None:
    main = account()
    main.fill("BTC/USD", "buy", 1, 100, execution_id="t1")
    assert main.sync_fills(TRADES) == 2


def test_fills_as_arguments_and_as_objects(account) -> None:
    main = account()
    fills = [
        {"symbol": "AAPL", "side": "buy", "quantity": "2", "price": 100, "execution_id": 1, "multiplier": 10},
        SimpleNamespace(
            symbol="MSFT", side="sell", qty="3", price="50", execution_id="x", transaction_time="2023-11-14T22:13:20Z"
        ),
        SimpleNamespace(  # ib_async
            contract=SimpleNamespace(symbol="IBM", localSymbol="IBM"),
            execution=SimpleNamespace(execId="0001", shares=4.0, price=120.5, side="BOT", time=None),
            commissionReport=SimpleNamespace(commission=1.25, currency="USD"),
        ),
    ]
    assert main.sync_fills(fills) == 3
    assert {symbol: one.size for symbol, one in main.positions.items()} == {"AAPL": 2, "MSFT": -3, "IBM": 4}
    assert main.fees == Decimal("1.25")
    assert main.sync_fills(fills) == 0


def test_fill_that_cannot_be_known_again_is_left_out_and_counted(account) -> None:
    faults.reset()
    main = account()
    without = {key: value for key, value in TRADES[0].items() if key != "id"}
    assert main.sync_fills([without, None, 3, TRADES[1]]) == 1
    assert faults.dropped["not_a_number"] == 3


@pytest.mark.parametrize("junk", [None, 3, "fills", {}], ids=str)
def test_what_are_no_fills_are_none(account, junk) -> None:
    assert account().sync_fills(junk) == 0


@pytest.fixture
def tracker(account):
    """Of an account of its own: what is followed lives as long as the process."""
    from otel_trading import OrderTracker
    from otel_trading.orders import seen

    seen.clear()
    main = account("reconciled", venue="kraken")
    yield main, OrderTracker(venue="kraken", account=main)
    seen.clear()


def working(tracker, client_id: str, order_id: str) -> None:
    tracker.decided(client_id, symbol="A", side="buy", type="limit", quantity=1, price=10)
    tracker.submitted(client_id)
    tracker.acknowledged(client_id, order_id=order_id)


def test_orders_are_compared_with_those_that_the_process_follows(tracker) -> None:
    """By either of their ids: c-1 is at both, c-2 only here, O-9 only there; what ended is open nowhere."""
    main, orders = tracker
    for number in (1, 2, 3):
        working(orders, f"c-{number}", f"O-{number}")
    orders.canceled("c-3")
    orders.decided("c-4", symbol="A", side="buy", type="limit", quantity=1, price=10)
    assert main.reconcile(orders=[{"id": "O-1"}, {"id": "O-9"}]) == ({}, ["O-9"], ["c-2"])
    assert main.reconcile(orders=["O-3"]).venue_orders == ["O-3"]
    assert orders.open_orders == [("c-1", "O-1"), ("c-2", "O-2")]
    assert main.reconcile(orders=["c-1", "O-9"], open_orders=orders.open_orders) == ({}, ["O-9"], ["c-2"])


def test_order_without_an_answer_is_no_difference(tracker) -> None:
    main, orders = tracker
    working(orders, "c-1", "O-1")
    orders.lost("c-1")
    assert main.reconcile(orders=["O-1"]) == main.reconcile(orders=[]) == ({}, [], [])
    assert orders.open_orders == []


def test_orders_of_other_accounts_are_not_compared(tracker, account) -> None:
    _, orders = tracker
    working(orders, "c-1", "O-1")
    assert account("of no orders in any test").reconcile(orders=["O-9"]) == ({}, [], [])
