"""Money in several currencies: right with a rate, absent without one."""

from __future__ import annotations

import logging
from decimal import Decimal

import pytest

from otel_trading.metrics import faults

MONEY = ("portfolio.equity", "portfolio.cash", "pnl.net", "pnl.daily", "drawdown.current_ratio", "portfolio.peak_equity")


def test_fee_in_a_third_currency_is_worth_its_rate(account) -> None:
    """0.02 BNB at 300 USDT are 6 USDT: 100 of profit leave 94."""
    main = account(currency="USDT")
    main.mark("BNB/USDT", 300)
    main.fill("BTC/USDT", "buy", "0.1", 20_000, fee="0.01", fee_currency="BNB")
    main.fill("BTC/USDT", "sell", "0.1", 21_000, fee="0.01", fee_currency="bnb")
    assert (main.realized_pnl, main.fees, main.cash, main.equity) == (
        Decimal(100),
        Decimal(6),
        Decimal(10_094),
        Decimal(10_094),
    )
    main.mark("BNB/USDT", 200)
    assert (main.fees, main.equity) == (Decimal(4), Decimal(10_096))


def test_without_a_rate_what_needs_one_is_absent_and_the_rest_is_there(account, seen) -> None:
    main = account(currency="USDT")
    main.fill("BTC/USDT", "buy", "0.1", 20_000, fee="0.01", fee_currency="BNB")
    main.mark("BTC/USDT", 21_000)
    values = seen.values()
    assert not set(MONEY) & set(values)
    assert (main.equity, main.cash, main.fees, main.drawdown) == (None, None, None, None)
    assert values["pnl.unrealized"] == 100.0
    assert values["portfolio.exposure.gross"] == 2100.0
    assert values["position.value BTC/USDT"] == 2100.0
    main.mark("BNB/USDT", 300)
    assert set(MONEY) <= set(seen.values())
    assert main.equity == Decimal(10_097)


def test_missing_rate_is_logged_once_and_says_what_to_do(account, seen, caplog) -> None:
    main = account()
    with caplog.at_level(logging.WARNING, "otel_trading"):
        main.fill("BTC/USDT", "buy", 1, 20_000)
        seen.values()
        seen.values()
    (message,) = [record.getMessage() for record in caplog.records]
    assert "Account('main')" in message
    assert "mark('USDT/USD', ...)" in message


def test_fee_in_the_base_coin_shrinks_what_arrives(account) -> None:
    """1 BTC bought at 20,000 with 0.001 BTC kept by the venue: 0.999 BTC arrive, 20 USD of fee, and selling them all closes it."""
    main = account(cash=50_000)
    main.fill("BTC/USD", "buy", 1, 20_000, fee="0.001", fee_currency="BTC")
    assert main.positions["BTC/USD"].size == Decimal("0.999")
    assert (main.cash, main.fees, main.equity) == (Decimal(30_000), Decimal(20), Decimal(49_980))
    main.fill("BTC/USD", "sell", "0.999", 21_000)
    assert main.positions == {}
    assert (main.realized_pnl, main.equity) == (Decimal(999), Decimal(50_000 + 999 - 20))


def test_pair_is_paid_in_its_quote_currency(account, seen) -> None:
    """10 ETH for 0.05 BTC each, BTC at 20,000: a debt of 0.5 BTC and 10 ETH that are worth the same."""
    main = account()
    main.mark("BTC/USD", 20_000)
    main.fill("ETH/BTC", "buy", 10, "0.05")
    assert (main.cash, main.equity) == (Decimal(0), Decimal(10_000))
    main.mark("ETH/BTC", "0.06")
    assert main.unrealized_pnl == Decimal(2000)
    assert main.equity == Decimal(12_000)
    one = main.positions["ETH/BTC"]
    assert (one.value, one.unrealized_pnl, one.currency) == (Decimal("0.60"), Decimal("0.10"), "BTC")
    points = seen.points()
    assert [(value, labels["trading.currency"]) for value, labels in points["position.value"]] == [(12_000.0, "USD")]
    assert [(value, labels["trading.currency"]) for value, labels in points["position.unrealized_pnl"]] == [(2000.0, "USD")]
    # A price stays what was paid.
    assert [(value, labels["trading.currency"]) for value, labels in points["position.entry_price"]] == [(0.05, "BTC")]


def test_rate_is_found_over_several_pairs_and_backwards(account) -> None:
    """BNB to USD over BNB/USDT and EUR/USDT, EUR/USD: 1 BNB = 330 USDT = 300 EUR = 315 USD."""
    main = account()
    main.mark("BNB/USDT", 330)
    main.mark("EUR/USDT", "1.1")
    main.mark("EUR/USD", "1.05")
    main.fill("AAPL", "buy", 1, 100, fee=1, fee_currency="BNB")
    assert round(main.fees, 20) == Decimal(315)


def test_direct_rate_is_preferred(account) -> None:
    main = account()
    main.mark("EUR/USDT", "1.2")
    main.mark("USDT/USD", 1)
    main.fill("AAPL", "buy", 1, 100, fee=1, fee_currency="EUR")
    assert main.fees == Decimal("1.2")
    main.mark("EUR/USD", "1.1")
    assert main.fees == Decimal("1.1")


def test_stablecoin_is_no_dollar_until_the_bot_says_so(account) -> None:
    main = account()
    main.fill("BTC/USDT", "buy", "0.1", 20_000)
    main.mark("BTC/USDT", 21_000)
    assert main.equity is None
    main.mark("USDT/USD", 1)
    assert main.equity == Decimal(10_100)


def test_no_rate_is_needed_where_it_changes_nothing(account) -> None:
    """2,000 USDT of debt and a coin worth 2,000 USDT: nothing, at any rate; the cash alone needs one."""
    main = account()
    main.fill("BTC/USDT", "buy", "0.1", 20_000)
    assert (main.equity, main.cash) == (Decimal(10_000), None)


def test_rate_that_is_withdrawn_is_found_another_way(account, clock) -> None:
    """EUR/USD turns out to be broken; USD/EUR at 0.8 says the same as 1.25."""
    main = account()
    main.fill("AAPL", "buy", 1, 100, fee=1, fee_currency="EUR")
    main.mark("EUR/USD", "1.2")
    main.mark("USD/EUR", "0.8")
    assert main.fees == Decimal("1.2")
    clock.now += 1
    main.mark("EUR/USD", 0)
    assert main.fees == Decimal("1.25")


@pytest.mark.parametrize("price", [0, -1])
def test_price_that_is_not_positive_is_no_rate(account, price, clock) -> None:
    main = account()
    main.mark("LUNA/USD", 80)
    main.fill("AAPL", "buy", 1, 100, fee=1, fee_currency="LUNA")
    clock.now += 1
    main.mark("LUNA/USD", price)
    assert main.fees is None


@pytest.mark.parametrize("symbol", ["AAPL", "BRK.B", "BRK/B", "BTCUSDT", "ESZ5", "BTC-USD"])
def test_symbol_that_names_no_currency_is_paid_in_that_of_the_account(account, symbol) -> None:
    main = account()
    main.fill(symbol, "buy", 1, 100)
    assert (main.cash, main.positions[symbol].currency) == (Decimal(9900), "USD")


def test_linear_contract_takes_no_cash_but_its_profit_and_fees(account) -> None:
    """2 BTC long on margin from 20,000 on: nothing is paid; at 21,000 it gains 2,000; half of it realised at 22,000."""
    main = account(currency="USDT")
    main.fill("BTC/USDT:USDT", "buy", 2, 20_000, fee=8)
    main.mark("BTC/USDT:USDT", 21_000)
    assert (main.cash, main.equity) == (Decimal(9992), Decimal(11_992))
    assert main.positions["BTC/USDT:USDT"].value == Decimal(42_000)
    main.fill("BTC/USDT:USDT", "sell", 1, 22_000)
    assert (main.cash, main.realized_pnl, main.equity) == (Decimal(11_992), Decimal(2000), Decimal(13_992))


def test_inverse_contract_gains_in_its_base_coin(account) -> None:
    """BitMEX's own example: 50,000 contracts of 1 USD, bought at 10,000 and sold at 11,000: 50,000 * (1/10,000 - 1/11,000) BTC."""
    main = account(currency="BTC", cash=1)
    main.fill("BTC/USD:BTC", "buy", 50_000, 10_000)
    assert (main.cash, main.positions["BTC/USD:BTC"].value) == (Decimal(1), Decimal(5))
    main.fill("BTC/USD:BTC", "sell", 50_000, 11_000)
    expected = Decimal(50_000) * (1 / Decimal(10_000) - 1 / Decimal(11_000))
    assert main.realized_pnl == pytest.approx(expected, abs=Decimal("1e-20"))
    assert main.cash == pytest.approx(1 + expected, abs=Decimal("1e-20"))


@pytest.mark.parametrize("price", [0, -10_000])
def test_fill_of_an_inverse_contract_without_a_positive_price_leaves_its_ids_to_the_corrected_one(account, price) -> None:
    """50,000 contracts of one USD at 10,000 are 5 BTC, whose fee of 0.001 is what is missing of the one BTC."""
    main = account(currency="BTC", cash=1)
    main.fill("BTC/USD:BTC", "buy", 50_000, price, fee="0.001", execution_id="T-1", order_id="O-1")
    main.fill_order("BTC/USD:BTC", "buy", 50_000, price, fee="0.001", order_id="O-1")
    assert (main.positions, main.cash, faults.dropped["negative"]) == ({}, Decimal(1), 2)
    main.fill("BTC/USD:BTC", "buy", 50_000, 10_000, fee="0.001", execution_id="T-1", order_id="O-1")
    assert (main.positions["BTC/USD:BTC"].value, main.cash) == (Decimal(5), Decimal("0.999"))
    assert main.sync_fills([{"id": "T-1", "symbol": "BTC/USD:BTC", "side": "buy", "amount": 50_000, "price": 10_000}]) == 0


def test_short_inverse_contract_gains_when_the_price_falls(account) -> None:
    main = account(currency="BTC", cash=1)
    main.fill("BTC/USD:BTC", "sell", 30_000, 10_000)
    main.mark("BTC/USD:BTC", 7_500)
    assert (main.positions["BTC/USD:BTC"].value, main.unrealized_pnl, main.equity) == (Decimal(-4), Decimal(1), Decimal(2))
    main.fill("BTC/USD:BTC", "buy", 15_000, 7_500)
    assert (main.realized_pnl, main.unrealized_pnl, main.equity) == (Decimal("0.5"), Decimal("0.5"), Decimal(2))


def test_inverse_entry_price_is_the_harmonic_mean(account) -> None:
    """Equal money at 10,000 and at 30,000: 2 / (1/10,000 + 1/30,000) = 15,000."""
    main = account(currency="BTC", cash=1)
    main.fill("BTC/USD:BTC", "buy", 1000, 10_000)
    main.fill("BTC/USD:BTC", "buy", 1000, 30_000)
    assert round(main.positions["BTC/USD:BTC"].entry_price, 20) == Decimal(15_000)


def test_inverse_contract_has_a_positive_price(account) -> None:
    main = account(currency="BTC", cash=1)
    main.fill("BTC/USD:BTC", "buy", 1000, 0)
    assert main.positions == {}


def test_option_is_paid_in_the_currency_that_it_settles_in(account) -> None:
    """Deribit quotes BTC options in BTC: 2 at 0.05 cost 0.1 BTC."""
    main = account(currency="BTC", cash=1)
    main.fill("BTC/USD:BTC-240628-60000-C", "buy", 2, "0.05")
    assert (main.cash, main.equity) == (Decimal("0.90"), Decimal("1.00"))
    main.mark("BTC/USD:BTC-240628-60000-C", "0.08")
    assert main.equity == Decimal("1.06")


def test_dated_future_is_a_contract_on_margin(account) -> None:
    main = account(currency="USDT")
    main.fill("BTC/USDT:USDT-240628", "sell", 1, 20_000)
    main.mark("BTC/USDT:USDT-240628", 19_500)
    assert (main.cash, main.equity) == (Decimal(10_000), Decimal(10_500))


PROFIT = ("pnl.net", "pnl.realized", "pnl.daily", "pnl.daily_ratio", "drawdown.current_ratio", "drawdown.max_ratio")


def test_deposits_and_withdrawals_of_any_currency_are_no_profit(account, seen) -> None:
    """500 EUR at 1.20 and 100,000 JPY at 0.01 come, 100 EUR at 1.20 go: 10,000 + 600 + 1,000 - 120, and nothing was earned."""
    main = account()
    main.mark("EUR/USD", "1.20")
    main.mark("JPY/USD", "0.01")
    main.deposit(500, currency="eur")
    main.deposit(100_000, currency="JPY")
    main.withdraw(100, currency="EUR")
    values = seen.values()
    assert (main.equity, main.cash, main.net_pnl, values["portfolio.peak_equity"]) == (11_480, 11_480, 0, 11_480.0)
    assert {name: values[name] for name in PROFIT} == dict.fromkeys(PROFIT, 0.0)
    assert main.drawdown == main.max_drawdown == 0.0


def test_what_a_foreign_currency_gains_after_it_came_is_gain(account, seen) -> None:
    """10,000 EUR at 1.00 double 10,000 USD; at 0.90 they are 1,000 less: 5 % of 20,000."""
    main = account()
    main.mark("EUR/USD", 1)
    main.deposit(10_000, currency="EUR")
    main.mark("EUR/USD", "0.90")
    assert (main.equity, main.daily_pnl) == (Decimal(19_000), Decimal(-1_000))
    assert seen.values()["portfolio.peak_equity"] == 20_000.0
    assert main.drawdown == pytest.approx(0.05, rel=1e-12)


def test_flow_without_a_rate_waits_for_one_and_is_no_profit_then(account, seen, caplog) -> None:
    """Equity is not known until BTC has a price; then 0.5 of it at 20,000 have come, and the drawdown of before goes on."""
    main = account()
    main.fill("AAPL", "buy", 10, 100)
    main.mark("AAPL", 50)
    main.deposit("0.5", currency="BTC")
    main.deposit(500)
    with caplog.at_level(logging.WARNING, "otel_trading"):
        assert not (set(MONEY) - {"pnl.net"}) & set(seen.values())
    assert "mark('BTC/USD', ...)" in caplog.text
    assert (main.equity, main.drawdown, main.daily_pnl) == (None, None, None)
    main.mark("BTC/USD", 20_000)
    assert (main.equity, main.daily_pnl, main.net_pnl) == (Decimal(20_000), Decimal(-500), Decimal(-500))
    assert main.drawdown == pytest.approx(0.05, rel=1e-12)


def test_flow_that_waits_for_a_rate_survives_a_restart(account) -> None:
    main = account()
    main.deposit("0.5", currency="BTC")
    again = account("again")
    again.restore(main.dump())
    again.mark("BTC/USD", 20_000)
    assert (again.equity, again.daily_pnl, again.drawdown) == (Decimal(20_000), Decimal(0), 0.0)


def test_flow_without_a_rate_is_in_the_equity_that_is_told_next(account) -> None:
    """How much of the 15,000 came in is not known: it is what is measured from, and no gain when there is a rate."""
    main = account(cash=0)
    main.update(equity=10_000)
    main.deposit("0.25", currency="BTC")
    assert main.equity == Decimal(10_000)
    main.update(equity=15_000)
    main.mark("BTC/USD", 20_000)
    assert (main.equity, main.daily_pnl, main.drawdown) == (Decimal(15_000), Decimal(0), 0.0)


def test_flow_of_a_foreign_currency_raises_the_equity_that_was_told(account) -> None:
    main = account(cash=0)
    main.update(equity=10_000)
    main.mark("EUR/USD", "1.5")
    main.deposit(100, currency="EUR")
    assert (main.equity, main.daily_pnl) == (Decimal(10_150), Decimal(0))
