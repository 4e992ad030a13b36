"""What readers see of an account, and what they no longer see."""

from __future__ import annotations

import pytest

from otel_trading.account import Account
from otel_trading.semconv.metrics import ALL

POSITION = ("position.size AAPL", "position.value AAPL", "position.unrealized_pnl AAPL", "position.entry_price AAPL")
AT_ZERO = POSITION[:3]


def test_every_figure_of_a_trading_account(account, seen) -> None:
    """10 AAPL at 100 with a fee of 5, now at 90: equity 9,895 after a peak of 10,000."""
    main = account()
    main.fill("AAPL", "buy", 10, 100, fee=5)
    main.mark("AAPL", 90)
    assert seen.values() == {
        "portfolio.equity": 9895.0,
        "portfolio.cash": 8995.0,
        "portfolio.peak_equity": 10_000.0,
        "portfolio.exposure.gross": 900.0,
        "portfolio.exposure.net": 900.0,
        "portfolio.exposure_ratio": pytest.approx(900 / 9895),
        "portfolio.leverage_ratio": pytest.approx(900 / 9895),
        "position.active": 1,
        "position.size AAPL": 10.0,
        "position.value AAPL": 900.0,
        "position.entry_price AAPL": 100.0,
        "position.unrealized_pnl AAPL": -100.0,
        "portfolio.turnover_ratio": pytest.approx(1000 / 9995),
        "pnl.realized": 0.0,
        "pnl.unrealized": -100.0,
        "pnl.net": -105.0,
        "pnl.daily": -105.0,
        "pnl.daily_ratio": -0.0105,
        "drawdown.current_ratio": pytest.approx(0.0105),
        "drawdown.max_ratio": pytest.approx(0.0105),
        "drawdown.duration": 0.0,
    }


def test_account_that_has_not_traded_says_so(account, seen) -> None:
    """Capital is known, and that nothing was done with it."""
    account()
    values = seen.values()
    assert (values["portfolio.equity"], values["position.active"], values["pnl.net"]) == (10_000.0, 0, 0.0)
    assert values["drawdown.max_ratio"] == 0.0


def test_account_without_capital_shows_profit_and_no_equity(account, seen) -> None:
    main = account(cash=0)
    main.fill("AAPL", "buy", 10, 100)
    main.mark("AAPL", 101)
    values = seen.values()
    assert (values["pnl.net"], values["pnl.daily"], values["portfolio.exposure.gross"]) == (10.0, 10.0, 1010.0)
    assert not [name for name in values if name.startswith("drawdown") or name.endswith("ratio")]
    assert not {"portfolio.equity", "portfolio.cash", "portfolio.peak_equity"} & values.keys()


def test_attributes_are_those_of_the_registry_and_only_what_is_known(account, seen) -> None:
    main = account(strategy="sma_cross", venue="kraken")
    main.fill("AAPL", "buy", 10, 100)
    whose = {"trading.account.name": "main", "trading.strategy.name": "sma_cross", "trading.venue.name": "kraken"}
    for name, points in seen.points().items():
        metric = ALL["trading." + name]
        for _, attributes in points:
            assert attributes.keys() <= set(metric.attributes), name
            assert whose.items() <= attributes.items(), name
            assert (attributes.get("trading.currency") == "USD") == (metric.unit == "{currency}"), name
    account("other")
    points = seen.points()["portfolio.equity"]
    assert {"trading.account.name": "other", "trading.currency": "USD"} in [attributes for _, attributes in points]


def test_closed_position_ends_at_zero_for_two_collections_of_each_reader_and_is_gone(account, readers) -> None:
    main = account()
    main.fill("AAPL", "buy", 10, 100)
    for reader in readers:
        assert all(name in reader.values() for name in POSITION)
    main.fill("AAPL", "sell", 10, 101)
    for reader in readers:
        for _ in range(2):
            values = reader.values()
            assert [values[name] for name in AT_ZERO] == [0.0, 0.0, 0.0]
            assert "position.entry_price AAPL" not in values
        assert not [name for name in reader.values() if name.endswith("AAPL") and name != "trades AAPL"]


def test_position_that_is_opened_again_meanwhile_is_alive(account, readers) -> None:
    first, second = readers
    main = account()
    main.fill("AAPL", "buy", 10, 100)
    first.values()
    second.values()
    main.fill("AAPL", "sell", 10, 101)
    assert first.values()["position.size AAPL"] == 0.0
    main.fill("AAPL", "buy", 4, 101)
    for reader in (first, second, first, second, first, second):
        assert reader.values()["position.size AAPL"] == 4.0


def test_closed_account_is_gone(account, readers) -> None:
    main = account()
    main.fill("AAPL", "buy", 10, 100)
    for reader in readers:
        reader.values()
    main.close()
    main.close()
    for reader in readers:
        assert reader.values().keys() == set(AT_ZERO)
        reader.values()
        assert reader.values() == {}
    main.mark("AAPL", 200)
    assert main.equity == 11_000


def test_account_that_is_made_again_takes_over(account, seen) -> None:
    """A bot that is reloaded makes its accounts again; what only the older one knew ends."""
    before = account(venue="kraken")
    before.fill("AAPL", "buy", 10, 100)
    seen.values()
    account(venue="kraken", cash=500, currency="EUR")
    points = seen.points()
    assert [(value, labels["trading.currency"]) for value, labels in points["portfolio.equity"]] == [(500.0, "EUR")]
    before.mark("AAPL", 120)
    assert before.equity == 10_200


def test_one_account_for_each_strategy_of_a_name(account, seen) -> None:
    account(strategy="a", cash=1)
    account(strategy="b", cash=2)
    points = seen.points()["portfolio.equity"]
    assert {labels["trading.strategy.name"]: value for value, labels in points} == {"a": 1.0, "b": 2.0}


def test_ratios_are_absent_while_equity_is_not_positive(account, seen) -> None:
    main = account(cash=1000)
    main.fill("AAPL", "buy", 100, 100)
    main.mark("AAPL", 80)
    values = seen.values()
    assert values["portfolio.equity"] == -1000.0
    assert values["drawdown.current_ratio"] == pytest.approx(2.0)
    assert not {"portfolio.leverage_ratio", "portfolio.exposure_ratio"} & values.keys()


def test_withdrawal_scales_peak_equity_and_leaves_drawdown(account, seen) -> None:
    """Peak equity is the equity at which there would be no drawdown."""
    main = account()
    main.fill("AAPL", "buy", 100, 100)
    main.mark("AAPL", 80)
    main.withdraw(4_000)
    values = seen.values()
    assert (values["portfolio.equity"], values["portfolio.peak_equity"]) == (4_000.0, 5_000.0)
    assert values["drawdown.current_ratio"] == pytest.approx(1 - 4_000 / 5_000)
    assert values["pnl.net"] == -2_000.0
    main.mark("AAPL", 90)
    assert seen.values()["drawdown.current_ratio"] == 0.0


def test_maximum_drawdown_is_that_of_every_mark_not_of_every_collection(account, seen) -> None:
    main = account()
    main.fill("AAPL", "buy", 100, 100)
    for price in (110, 55, 105):
        main.mark("AAPL", price)
    values = seen.values()
    assert values["drawdown.max_ratio"] == pytest.approx(0.5)
    assert values["drawdown.current_ratio"] == pytest.approx(1 - 10_500 / 11_000)


def test_nothing_is_exported_and_nothing_fails_before_a_provider_is_there() -> None:
    main = Account("early", currency="USD", cash=100)
    main.fill("AAPL", "buy", 1, 10)
    main.mark("AAPL", 11)
    assert main.equity == 101
    main.close()
