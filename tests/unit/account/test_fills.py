"""Worked examples of positions at average cost, each computed by hand beside it."""

from __future__ import annotations

from decimal import Decimal

import pytest


def position(account, symbol="AAPL"):
    one = account.positions[symbol]
    return one.size, one.entry_price, one.value, one.unrealized_pnl


def test_long_bought_twice_and_sold_in_part(account) -> None:
    """(10 * 100 + 30 * 104) / 40 = 103; 10 of them sold at 110 make 70; the 30 left gain 5 each at 108."""
    main = account()
    main.fill("AAPL", "buy", 10, 100)
    main.fill("AAPL", "buy", 30, 104)
    assert position(main) == (Decimal(40), Decimal(103), Decimal(4160), Decimal(40))
    main.fill("AAPL", "sell", 10, 110)
    main.mark("AAPL", 108)
    assert position(main) == (Decimal(30), Decimal(103), Decimal(3240), Decimal(150))
    assert main.realized_pnl == Decimal(70)
    assert main.cash == Decimal(10_000 - 1000 - 3120 + 1100)
    assert main.equity == Decimal(10_000 + 70 + 150)


def test_short_sold_twice_and_covered_in_part(account) -> None:
    """(10 * 50 + 10 * 60) / 20 = 55; 5 covered at 45 make 50; the 15 left lose 3 each at 58."""
    main = account()
    main.fill("AAPL", "sell", 10, 50)
    main.fill("AAPL", "sell", 10, 60)
    main.fill("AAPL", "buy", 5, 45)
    main.mark("AAPL", 58)
    assert position(main) == (Decimal(-15), Decimal(55), Decimal(-870), Decimal(-45))
    assert main.realized_pnl == Decimal(50)
    assert main.cash == Decimal(10_000 + 500 + 600 - 225)
    assert main.equity == Decimal(10_000 + 50 - 45)


def test_flip_from_long_to_short_through_zero(account) -> None:
    """10 at 100, 25 sold at 90: the 10 lose 100, 15 are short from 90 on and gain 2 each at 88."""
    main = account()
    main.fill("AAPL", "buy", 10, 100)
    main.fill("AAPL", "sell", 25, 90)
    main.mark("AAPL", 88)
    assert position(main) == (Decimal(-15), Decimal(90), Decimal(-1320), Decimal(30))
    assert main.realized_pnl == Decimal(-100)
    assert main.equity == Decimal(10_000 - 100 + 30)


def test_flip_from_short_to_long_through_zero(account) -> None:
    """4 short at 50, 10 bought at 40: 40 gained, 6 long from 40 on."""
    main = account()
    main.fill("AAPL", "sell", 4, 50)
    main.fill("AAPL", "buy", 10, 40)
    assert position(main) == (Decimal(6), Decimal(40), Decimal(240), Decimal(0))
    assert main.realized_pnl == Decimal(40)


def test_closed_position_is_gone(account) -> None:
    main = account()
    main.fill("AAPL", "buy", 10, 100)
    main.fill("AAPL", "sell", 10, 101)
    assert main.positions == {}
    assert (main.realized_pnl, main.unrealized_pnl, main.cash, main.equity) == (
        Decimal(10),
        Decimal(0),
        Decimal(10_010),
        Decimal(10_010),
    )


def test_fees_lower_cash_and_equity_but_not_realized_profit(account) -> None:
    """Registry: realised is before fees. A rebate is a negative fee."""
    main = account()
    main.fill("AAPL", "buy", 10, 100, fee="1.25")
    main.fill("AAPL", "sell", 10, 110, fee=-0.25)
    assert (main.realized_pnl, main.fees, main.equity) == (Decimal(100), Decimal("1.00"), Decimal("10099.00"))


def test_multiplier_is_what_a_contract_is_worth(account) -> None:
    """An E-mini future is worth 50 a point: 2 from 4000 to 4010.25 are 2 * 50 * 10.25."""
    main = account(cash=1_000_000)
    main.fill("ESZ3", "buy", 2, 4000, multiplier=50)
    main.mark("ESZ3", "4010.25")
    assert position(main, "ESZ3") == (Decimal(2), Decimal(4000), Decimal(401_025), Decimal(1025))
    main.fill("ESZ3", "sell", 2, "4010.25")
    assert (main.realized_pnl, main.equity) == (Decimal(1025), Decimal(1_001_025))


def test_cost_without_end_is_not_lost_when_a_position_is_closed_in_parts(account) -> None:
    """7 shares for 475 cost 67.857142... each: sold one by one for 560 they still return exactly 85."""
    main = account()
    main.fill("AAPL", "buy", 3, 25)
    main.fill("AAPL", "buy", 4, 100)
    for price in (50, 60, 70, 80, 90, 100, 110):
        main.fill("AAPL", "sell", 1, price)
    assert main.realized_pnl == Decimal(85)
    assert main.equity == Decimal(10_085)


def test_floats_are_what_they_print_as_and_do_not_drift(account) -> None:
    """A thousand times 0.1 is 100, and 0.7 of something at 0.1 costs 0.07."""
    main = account()
    for _ in range(1000):
        main.fill("AAPL", "buy", 0.1, 0.7)
    assert main.positions["AAPL"].size == Decimal(100)
    assert main.cash == Decimal(10_000) - Decimal(70)


def test_size_that_the_bot_summed_up_in_floats_closes_the_position(account) -> None:
    """0.1 + 0.2 is 0.30000000000000004 in floats: nothing of 4e-17 may look like an open position."""
    main = account()
    main.fill("BTC/USD", "buy", 0.1, 30_000)
    main.fill("BTC/USD", "buy", 0.2, 30_000)
    main.fill("BTC/USD", "sell", 0.1 + 0.2, 31_000)
    assert main.positions == {}
    assert main.equity == Decimal(10_300)


def test_decimal_dust_is_a_position(account) -> None:
    """What the venue really left over is left over."""
    main = account()
    main.fill("BTC/USD", "buy", "0.30000000000000004", 30_000)
    main.fill("BTC/USD", "sell", "0.3", 30_000)
    assert main.positions["BTC/USD"].size == Decimal("4E-17")


def test_price_of_a_fill_marks_the_position_until_a_later_price(account, clock) -> None:
    main = account()
    main.fill("AAPL", "buy", 1, 100)
    assert main.positions["AAPL"].price == Decimal(100)
    clock.now += 1
    main.mark("AAPL", 105)
    clock.now += 1
    main.fill("AAPL", "buy", 1, 106)
    assert main.positions["AAPL"].price == Decimal(106)


def test_fill_that_arrives_late_leaves_the_newer_price(account, clock) -> None:
    main = account()
    main.mark("AAPL", 105)
    main.fill("AAPL", "buy", 1, 90, time=clock.now - 60)
    assert position(main) == (Decimal(1), Decimal(90), Decimal(105), Decimal(15))


def test_price_that_arrives_late_is_left_out(account, clock) -> None:
    main = account()
    main.fill("AAPL", "buy", 1, 100)
    main.mark("AAPL", 105)
    main.mark("AAPL", 50, time=clock.now - 1)
    assert main.positions["AAPL"].price == Decimal(105)


def test_same_execution_counts_once(account) -> None:
    """A venue repeats its executions after a reconnect."""
    main = account()
    for _ in range(3):
        main.fill("AAPL", "buy", 1, 100, execution_id=42)
        main.fill("AAPL", "buy", 1, 100, execution_id="42")
    assert main.positions["AAPL"].size == Decimal(1)
    main.fill("AAPL", "buy", 1, 100, execution_id="43")
    assert main.positions["AAPL"].size == Decimal(2)


def test_execution_ids_are_unique_for_each_symbol_only(account) -> None:
    """Binance numbers the trades of each symbol from 1."""
    main = account()
    main.fill("BTC/USD", "buy", 1, 100, execution_id=7)
    main.fill("ETH/USD", "buy", 1, 100, execution_id=7)
    assert set(main.positions) == {"BTC/USD", "ETH/USD"}


def test_memory_of_execution_ids_is_bounded(account, monkeypatch) -> None:
    monkeypatch.setattr("otel_trading.account.entering.REMEMBERED_EXECUTIONS", 10)
    main = account()
    for number in range(1000):
        main.fill("AAPL", "buy", 1, 1, execution_id=number)
    assert len(main._executions) == 10
    main.fill("AAPL", "buy", 1, 1, execution_id=999)
    assert main.positions["AAPL"].size == Decimal(1000)


@pytest.mark.parametrize("side", ["BUY", "Buy", "b", "BOT", "buy_to_cover", "BuyToOpen", "buy to close", "bid"])
def test_sides_of_the_client_libraries_buy(account, side) -> None:
    main = account()
    main.fill("AAPL", side, 1, 100)
    assert main.positions["AAPL"].size == Decimal(1)


@pytest.mark.parametrize("side", ["SELL", "s", "SLD", "sell_short", "Sell-To-Close", "ask"])
def test_sides_of_the_client_libraries_sell(account, side) -> None:
    main = account()
    main.fill("AAPL", side, 1, 100)
    assert main.positions["AAPL"].size == Decimal(-1)


def test_negative_price_is_a_price(account) -> None:
    """WTI settled at -37.63 on 20 April 2020."""
    main = account(cash=100_000)
    main.fill("CLK0", "buy", 1, 10, multiplier=1000)
    main.mark("CLK0", "-37.63")
    assert main.equity == Decimal(100_000 - 47_630)
