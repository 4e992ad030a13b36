"""However an order is told, and by whichever process, its account has each unit and each fee of it once and exactly."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

import otel_trading as ot
from otel_trading.orders import seen

ORDER = {"id": "O1", "clientOrderId": "c", "symbol": "BTC/USD", "side": "buy", "amount": 0.3}
TRADES = [
    {"id": f"t{n}", "order": "O1", "symbol": "BTC/USD", "side": "buy", "price": 10.0, "amount": amount, "timestamp": n}
    | {"fee": {"cost": fee, "currency": "USD"}}
    for n, amount, fee in ((1, 0.1, 1.0), (2, 0.2, 2.0))
]


def _totals(tracker: ot.OrderTracker, _: ot.Account, last: int) -> None:
    filled, fee = ((0.1, 1.0), (0.3, 3.0))[last]
    told = {"status": ("open", "closed")[last], "filled": filled, "average": 10.0, "fee": {"cost": fee, "currency": "USD"}}
    tracker.update(ORDER | told)


def _listed(tracker: ot.OrderTracker, _: ot.Account, last: int) -> None:
    told = {"status": ("open", "closed")[last], "filled": (0.1, 0.3)[last], "average": 10.0, "trades": TRADES[: last + 1]}
    tracker.update(ORDER | told)


def _listed_without_ids(tracker: ot.OrderTracker, _: ot.Account, last: int) -> None:
    trades = [{key: value for key, value in trade.items() if key != "id"} for trade in TRADES[: last + 1]]
    told = {"status": ("open", "closed")[last], "filled": (0.1, 0.3)[last], "average": 10.0, "trades": trades}
    tracker.update(ORDER | told)


def _single(tracker: ot.OrderTracker, _: ot.Account, last: int) -> None:
    tracker.update(TRADES[last])


def _synced(_: ot.OrderTracker, account: ot.Account, last: int) -> None:
    account.sync_fills(TRADES[: last + 1])


WAYS = {"totals": _totals, "listed": _listed, "no ids": _listed_without_ids, "single": _single, "synced": _synced}


def _stop(account: ot.Account) -> None:
    """End the account as the end of its process does."""
    account.close()
    assert account.ledger is not None
    account.ledger.close()


@pytest.fixture(autouse=True)
def _forgotten():
    yield
    seen.clear()


@pytest.mark.parametrize("restarted", [False, True], ids=["one process", "restarted"])
@pytest.mark.parametrize("second", WAYS)
@pytest.mark.parametrize("first", WAYS)
def test_order_told_in_two_ways_counts_once(first, second, restarted, tmp_path) -> None:
    """0.1 for a fee of 1 is told in one way, then, of 0.3 for a fee of 3 in all, both fills in another, and again."""

    def begun() -> tuple[ot.OrderTracker, ot.Account]:
        account = ot.Account("main", currency="USD", cash=1_000, ledger=tmp_path / "ledger.db")
        return ot.OrderTracker(venue="v", account=account), account

    tracker, account = begun()
    tracker.submitted("c", symbol="BTC/USD", side="buy", quantity=0.3)
    tracker.acknowledged("c", order_id="O1")
    WAYS[first](tracker, account, 0)
    if restarted:
        _stop(account)
        seen.clear()
        tracker, account = begun()
    for way in (first, second, second, first):
        WAYS[way](tracker, account, 0)
        WAYS[way](tracker, account, 1)
    assert account.positions["BTC/USD"].size == Decimal("0.3")
    assert (account.cash, account.fees) == (Decimal(994), Decimal(3))
    _stop(account)


def test_fill_under_the_bots_id_and_totals_under_the_venues_are_one_order_after_a_restart(tmp_path) -> None:
    account = ot.Account("main", currency="USD", ledger=tmp_path / "ledger.db")
    tracker = ot.OrderTracker(venue="v", account=account)
    tracker.submitted("c", order_id="O1", symbol="BTC/USD", side="buy", quantity=0.3)
    tracker.filled("c", 0.1, 10)
    _stop(account)
    seen.clear()
    account = ot.Account("main", currency="USD", ledger=tmp_path / "ledger.db")
    ot.OrderTracker(venue="v", account=account).update(
        {"id": "O1", "symbol": "BTC/USD", "side": "buy", "status": "closed", "filled": 0.3, "average": 10.0}
    )
    assert account.positions["BTC/USD"].size == Decimal("0.3")
    _stop(account)


def test_fees_in_several_currencies_all_reach_the_account() -> None:
    account = ot.Account("main", currency="USD", cash=1_000)
    tracker = ot.OrderTracker(venue="v", account=account)
    account.mark("BNB/USD", 500)
    fees = [{"cost": 1.0, "currency": "USD"}, {"cost": 0.002, "currency": "BNB"}]
    tracker.update(ORDER | {"status": "closed", "filled": 0.3, "average": 10.0, "fees": fees})
    assert account.fees == Decimal(2)  # 1 USD, and 0.002 BNB at 500 USD
    account.fill("BTC/USD", "sell", "0.3", 10, fee=[(1, "USD"), ("0.002", "BNB")])
    assert account.fees == Decimal(4)
    assert account.equity == Decimal(996)
    assert account.realized_pnl == 0
    account.close()


@pytest.mark.parametrize("execution", ["1", None], ids=["with execution ids", "without"])
def test_account_that_is_made_again_gets_the_same_orders_again(execution) -> None:
    """Two backtests in one process, whose orders have the same ids."""
    accounts = [ot.Account("backtest", currency="USD") for _ in range(2)]
    for account in accounts:
        tracker = ot.OrderTracker(venue="paper", account=account)
        tracker.submitted("c", symbol="AAPL", side="buy", quantity=2)
        tracker.filled("c", 1, 100, execution_id=execution)
        tracker.update({"id": "d", "symbol": "MSFT", "side": "buy", "status": "closed", "filled": 1, "average": 10})
        assert {symbol: position.size for symbol, position in account.positions.items()} == {"AAPL": 1, "MSFT": 1}
    for account in accounts:
        account.close()


def test_account_of_another_strategy_does_not_get_what_one_of_the_same_name_got() -> None:
    one, other = (ot.Account("shared", currency="USD", strategy=name) for name in ("one", "other"))
    ot.OrderTracker(venue="v", strategy="one", account=one).submitted("c", symbol="AAPL", side="buy", quantity=1)
    ot.OrderTracker(venue="v", strategy="other", account=other).filled("c", 1, 100, execution_id="1")
    assert (list(one.positions), list(other.positions)) == (["AAPL"], [])
    one.close()
    other.close()


@pytest.mark.usefixtures("no_faults")
def test_quantity_too_large_for_a_float_is_dropped_and_the_next_fill_counts() -> None:
    account = ot.Account("main", currency="USD")
    tracker = ot.OrderTracker(venue="v", account=account)
    tracker.submitted("c", symbol="AAPL", side="buy")
    tracker.update({"id": "c", "status": "open", "filled": 10**400, "average": 10})
    tracker.update({"id": "t", "order": "c", "symbol": "AAPL", "side": "buy", "amount": 10**400, "price": 10})
    tracker.filled("c", 1, 10)
    assert account.positions["AAPL"].size == 1
    account.close()


class Plain:
    """An account of the bot's own: it adds up what it gets, and keeps no count of orders."""

    name, currency = "main", "USD"

    def __init__(self) -> None:
        self.size = self.fees = Decimal(0)

    def fill(self, symbol: str, side: str, quantity: Any, price: Any, *, fee: Any, **details: Any) -> None:
        self.size += Decimal(str(quantity))
        self.fees += sum(Decimal(str(paid)) for paid, _ in fee) if isinstance(fee, tuple) else Decimal(str(fee))


TOLD = [way for way in WAYS if way != "synced"]


@pytest.mark.parametrize("second", TOLD)
@pytest.mark.parametrize("first", TOLD)
@pytest.mark.usefixtures("no_faults")
def test_metrics_and_an_account_with_only_fill_count_an_order_told_in_two_ways_once(first, second, recorded) -> None:
    """The same as above: 0.3 at 10 for a fee of 3."""
    account = Plain()
    tracker: Any = ot.OrderTracker(venue="v", account=account)
    tracker.submitted("c", symbol="BTC/USD", side="buy", quantity=0.3)
    tracker.acknowledged("c", order_id="O1")
    WAYS[first](tracker, account, 0)  # pyright: ignore[reportArgumentType]
    for way in (first, second, second, first):
        for last in (0, 1):
            WAYS[way](tracker, account, last)  # pyright: ignore[reportArgumentType]
    assert recorded.one("volume") == pytest.approx(3.0)
    assert recorded.one("fees") == pytest.approx(3.0)
    assert recorded.points("rebates") == []
    assert (account.size, account.fees) == (Decimal("0.3"), Decimal(3))


def _late_totals(tracker: ot.OrderTracker, fee: float) -> None:
    tracker.update(ORDER | {"status": "closed", "filled": 0.3, "average": 10.0, "fee": {"cost": fee, "currency": "USD"}})


def _late_single(tracker: ot.OrderTracker, fee: float) -> None:
    tracker.update(TRADES[1] | {"id": "all", "amount": 0.3, "fee": {"cost": fee, "currency": "USD"}})


def _late_listed(tracker: ot.OrderTracker, fee: float) -> None:
    trades = [{key: value for key, value in trade.items() if key != "fee"} for trade in TRADES]
    told = {"status": "closed", "filled": 0.3, "average": 10.0, "trades": trades, "fee": {"cost": fee, "currency": "USD"}}
    tracker.update(ORDER | told)


@pytest.mark.parametrize("late", [_late_totals, _late_single, _late_listed], ids=["totals", "single", "listed"])
@pytest.mark.parametrize("fee", [2.0, -2.0], ids=["fee", "rebate"])
@pytest.mark.parametrize("kind", [ot.Account, Plain], ids=["account", "only fill"])
@pytest.mark.usefixtures("no_faults")
def test_fee_that_is_told_after_the_quantity_counts_once(kind, fee, late, recorded, tmp_path) -> None:
    """It is paid in cash, and is no fill: neither a unit nor a trade more; also where it is told after a restart."""
    account: Any = Plain() if kind is Plain else kind("main", currency="USD", cash=1_000, ledger=tmp_path / "ledger.db")
    tracker = ot.OrderTracker(venue="v", account=account)
    tracker.submitted("c", order_id="O1", symbol="BTC/USD", side="buy", quantity=0.3)
    tracker.update(ORDER | {"status": "closed", "filled": 0.3, "average": 10.0})
    fills = recorded.one("fills")
    for _ in range(2):
        late(tracker, fee)
    assert recorded.one("fills") == fills == 1
    assert recorded.one("volume") == pytest.approx(3.0)
    assert (recorded.one("fees"), recorded.one("rebates")) == ((2.0, None) if fee > 0 else (None, 2.0))
    if kind is Plain:
        assert (account.size, account.fees) == (Decimal("0.3"), Decimal(fee))
        return
    expected = Decimal("0.3"), Decimal(fee), 997 - Decimal(fee)
    assert (account.positions["BTC/USD"].size, account.fees, account.cash) == expected
    account.mark("BTC/USD", 10)
    assert account.equity == 1_000 - Decimal(fee)
    _stop(account)
    again = ot.Account("main", currency="USD", cash=1_000, ledger=tmp_path / "ledger.db")
    seen.clear()
    late(ot.OrderTracker(venue="v", account=again), fee)
    assert (again.positions["BTC/USD"].size, again.fees, again.cash) == expected
    _stop(again)


def test_late_fee_belongs_to_the_trade_that_is_open_and_to_none_after_it() -> None:
    """Bought at 10 and sold at 13: 3 less the late fee of 1. The fee of 5 that came after it is no part of the next trade."""
    account = ot.Account("main", currency="USD", cash=1_000)
    account.fill_order("AAPL", "buy", 1, 10, order_id="1")
    account.fill_order("AAPL", "buy", 1, 10, order_id="1", fee=1)
    account.fill_order("AAPL", "sell", 1, 13, order_id="2")
    assert account.trades.average_win == 2
    account.fill_order("AAPL", "sell", 1, 13, order_id="2", fee=5)
    account.fill("AAPL", "buy", 1, 10)
    account.fill("AAPL", "sell", 1, 11)
    assert (account.trades.average_win, account.trades.wins, account.fees) == (1.5, 2, 6)
    assert account.cash == 1_000 + 3 + 1 - 6
    account.close()


def test_late_fee_in_the_coin_that_was_bought_makes_the_position_smaller_at_the_present_price() -> None:
    """As a fee that is told at once does: coins that the venue keeps never arrive."""
    account = ot.Account("main", currency="USD", cash=1_000)
    account.fill_order("BTC/USD", "buy", 1, 100, order_id="1")
    account.mark("BTC/USD", 200)
    account.fill_order("BTC/USD", "buy", 1, 100, order_id="1", fee="0.01", fee_currency="BTC")
    assert account.positions["BTC/USD"].size == Decimal("0.99")
    assert (account.fees, account.cash, account.equity) == (2, 900, 900 + 198)
    assert account.positions["BTC/USD"].price == 200
    account.close()
