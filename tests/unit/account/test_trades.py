"""Closed trades, funding and dividends, and what they are counted as; each example computed by hand beside it."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from otel_trading.account import persistence


def outcomes(seen) -> dict[tuple[str, str], float]:
    points = seen.points().get("trades", [])
    return {(at["trading.instrument.symbol"], at["trading.trade.outcome"]): value for value, at in points}


def test_trade_is_a_position_from_flat_to_flat_net_of_its_fees(account, seen) -> None:
    """Bought twice and sold twice: 10*(110-100) + 10*(110-104) = 160, less four fees of 1."""
    main = account()
    main.fill("AAPL", "buy", 10, 100, fee=1)
    main.fill("AAPL", "buy", 10, 104, fee=1)
    main.fill("AAPL", "sell", 10, 110, fee=1)
    assert main.trades.count == 0
    main.fill("AAPL", "sell", 10, 110, fee=1)
    assert outcomes(seen) == {("AAPL", "win"): 1}
    assert (main.trades.count, main.trades.expectancy) == (1, 156.0)


def test_fee_can_turn_a_profit_into_a_loss_or_into_nothing(account, seen) -> None:
    main = account()
    for fee in (1, 0.5, 0.25):
        main.fill("AAPL", "buy", 1, 100, fee=fee)
        main.fill("AAPL", "sell", 1, 101, fee=fee)
    assert outcomes(seen) == {("AAPL", "loss"): 1, ("AAPL", "even"): 1, ("AAPL", "win"): 1}


def test_reversing_fill_closes_one_trade_and_shares_its_fee_by_units(account) -> None:
    """10 long closed and 15 short opened by a fill of 25 with a fee of 5: 2 belong to the first trade, 3 to the second."""
    main = account()
    main.fill("AAPL", "buy", 10, 100)
    main.fill("AAPL", "sell", 25, 101, fee=5)
    assert main.trades.average_win == 8.0
    main.fill("AAPL", "buy", 15, 101)
    assert main.trades.average_loss == 3.0


def test_statistics_of_the_worked_example(account, seen) -> None:
    """Wins of 100 and 50, losses of 30, 20 and nothing: 2 of 5 won, 150/50, a mean of 20."""
    main = account()
    for profit in (100, -30, 50, 0, -20):
        main.fill("AAPL", "buy", 1, 1000)
        main.fill("AAPL", "sell", 1, 1000 + profit)
    values = seen.values()
    names = ("win_ratio", "profit_ratio", "expectancy", "average_win", "average_loss", "losing_streak")
    assert [values[f"trade.{name}"] for name in names] == [0.4, 3.0, 20.0, 75.0, 25.0, 1]
    assert main.losing_streak == 1


def test_statistics_are_absent_before_the_first_trade_and_profit_ratio_without_a_loss(account, seen) -> None:
    main = account()
    main.fill("AAPL", "buy", 1, 100)
    assert not [name for name in seen.values() if name.startswith("trade")]
    main.fill("AAPL", "sell", 1, 110)
    values = seen.values()
    assert values["trade.win_ratio"] == 1.0
    assert not {"trade.profit_ratio", "trade.average_loss"} & values.keys()


def test_trade_of_unknown_cost_counts_nowhere(account) -> None:
    """What was told without an entry price was closed with a profit that nobody knows."""
    main = account(cash=0)
    main.update(equity=10_000, positions={"AAPL": 10})
    main.fill("AAPL", "sell", 10, 100)
    assert main.trades.count == 0


def test_fee_in_a_third_currency_counts_at_its_rate(account) -> None:
    """0.01 BNB at 500 are 5 of the 10 that the trade gained."""
    main = account(currency="USDT")
    main.mark("BNB/USDT", 500)
    main.fill("BTC/USDT", "buy", 1, 100, fee="0.01", fee_currency="BNB")
    main.fill("BTC/USDT", "sell", 1, 110)
    assert main.trades.expectancy == 5.0
    assert (main.fees, main.equity) == (Decimal(5), Decimal(10_005))


def test_each_of_several_fees_of_a_fill_that_goes_through_zero_is_divided_by_units(account) -> None:
    """Of 3 USD and 1.5 EUR at 2 USD two thirds are of the 10 that were closed: 100 - 2 - 2; the rest of the 5 that opened."""
    main = account()
    main.mark("EUR/USD", 2)
    main.fill("AAPL", "buy", 10, 100)
    main.fill("AAPL", "sell", 15, 110, fee=[(3, "USD"), ("1.5", "EUR")])
    assert main.trades.expectancy == 96.0
    main.fill("AAPL", "buy", 5, 110)
    assert (main.trades.average_win, main.trades.average_loss) == (96.0, 2.0)
    assert (main.fees, main.equity) == (Decimal(6), Decimal(10_094))


def test_what_was_captured_of_a_trade_stays_as_it_was(account) -> None:
    """The ledger writes it later, in its own thread."""
    main = account()
    main.fill("AAPL", "buy", 10, 100, fee=[(1, "USD"), (2, "EUR")])
    captured = persistence.capture(main._state, main._timeline)
    before = json.dumps(persistence.written(captured))
    main.fill("AAPL", "buy", 10, 100, fee=[(1, "USD"), (2, "CHF")])
    assert json.dumps(persistence.written(captured)) == before


def test_funding_is_gain_and_no_deposit(account, seen) -> None:
    """Received 12 and paid 2 on a perpetual, a dividend of 5: 15 of profit, and drawdown and flows know nothing of it."""
    main = account(venue="binance")
    main.fill("BTC/USD:USD", "buy", 1, 100)
    main.funding(12, "BTC/USD:USD")
    main.funding(-2, "BTC/USD:USD")
    main.dividend("5.00", "AAPL")
    values = seen.values()
    assert (values["pnl.net"], values["pnl.realized"], values["pnl.daily"]) == (15.0, 0.0, 15.0)
    assert values["pnl.daily_ratio"] == 0.0015
    assert values["portfolio.equity"] == values["portfolio.cash"] == values["portfolio.peak_equity"] == 10_015.0
    ((amount, attributes),) = seen.points()["funding"]
    assert amount == 15.0
    assert attributes == {"trading.venue.name": "binance", "trading.account.name": "main", "trading.currency": "USD"}
    main.fill("BTC/USD:USD", "sell", 1, 100)
    assert main.trades.expectancy == 10.0


def test_funding_of_a_contract_settles_in_its_own_currency(account) -> None:
    main = account()
    main.mark("BTC/USD", 20_000)
    main.fill("BTC/USD:BTC", "sell", 100, 20_000)
    main.funding("0.001", "BTC/USD:BTC")
    assert main.funding_pnl == Decimal(20)
    assert main.equity == Decimal(10_020)


@pytest.mark.parametrize("junk", [None, "x", float("nan")], ids=str)
def test_funding_that_is_no_number_is_left_out(account, junk) -> None:
    main = account()
    main.funding(junk)
    main.dividend(junk, "AAPL")
    assert main.equity == Decimal(10_000)


def test_turnover_is_what_was_traded_over_average_equity(account, seen, clock) -> None:
    """10,000 for an hour, then 12,000 for another: 5,500 traded over an average of 11,000."""
    clock.now = 1_700_006_400.0
    main = account()
    main.fill("AAPL", "buy", 50, 100)
    clock.now += 3600
    main.mark("AAPL", 140)
    main.fill("AAPL", "sell", 1, 140)
    main.fill("AAPL", "sell", 1, 140)
    main.fill("AAPL", "buy", "1.571428571428571428", 140)
    clock.now += 3600
    main.mark("AAPL", 140)
    clock.now += 60
    main.mark("AAPL", 140)
    traded = 5000 + 280 + 220
    assert seen.values()["portfolio.turnover_ratio"] == pytest.approx(traded / 11_000, rel=1e-2)
    clock.now += 86_400
    main.mark("AAPL", 140)
    assert seen.values()["portfolio.turnover_ratio"] == 0.0
