"""Bots that already know: what they tell is shown, what follows from it too, and nothing else."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from types import SimpleNamespace

import numpy as np
import pytest

from otel_trading.metrics import faults

FROM_EQUITY = {
    "portfolio.equity",
    "portfolio.peak_equity",
    "pnl.daily",
    "pnl.daily_ratio",
    "drawdown.current_ratio",
    "drawdown.max_ratio",
    "drawdown.duration",
}


def test_equity_alone_shows_what_follows_from_it_and_nothing_else(account, seen) -> None:
    main = account(cash=0)
    assert seen.values() == {}
    main.update(equity=10_000)
    assert seen.values().keys() == FROM_EQUITY
    main.update(equity=9_500)
    assert seen.values() == {
        "portfolio.equity": 9500.0,
        "portfolio.peak_equity": 10_000.0,
        "pnl.daily": -500.0,
        "pnl.daily_ratio": -0.05,
        "drawdown.current_ratio": pytest.approx(0.05),
        "drawdown.max_ratio": pytest.approx(0.05),
        "drawdown.duration": 0.0,
    }


def test_equity_that_is_told_replaces_the_cash_that_the_account_began_with(account, seen) -> None:
    """The bot does not say what its trades did to its cash: 10,000 would be invented by now."""
    main = account(cash=10_000)
    main.update(equity=10_500, positions=[{"symbol": "AAPL", "size": 10}])
    assert main.cash is None
    assert "portfolio.cash" not in seen.values()
    assert "pnl.realized" not in seen.values()


def test_positions_as_stoic_citadel_tells_them(account, seen) -> None:
    """`update_portfolio_metrics(value=, positions=[{symbol, size}])`: sizes and their number, and with a mark their value."""
    main = account(cash=0)
    main.update(equity=10_000, positions=[{"symbol": "BTC/USD", "size": 0.5}, {"symbol": "ETH/USD", "size": -2}])
    values = seen.values()
    assert values["position.active"] == 2
    assert (values["position.size BTC/USD"], values["position.size ETH/USD"]) == (0.5, -2.0)
    assert not {"position.value BTC/USD", "portfolio.exposure.gross", "position.entry_price BTC/USD"} & values.keys()
    main.mark("BTC/USD", 20_000)
    main.mark("ETH/USD", 1_000)
    values = seen.values()
    assert values["position.value ETH/USD"] == -2000.0
    assert values["portfolio.exposure.gross"] == 12_000.0
    assert values["portfolio.exposure.net"] == 8_000.0
    assert (values["portfolio.exposure_ratio"], values["portfolio.leverage_ratio"]) == (0.8, 1.2)


def test_positions_as_ccxt_fetches_them(account) -> None:
    """Keys and signs of ccxt's unified `fetch_positions`: unsigned contracts, a side, and more that is ignored."""
    fetched = [
        {
            "info": {"positionAmt": "-3"},
            "id": None,
            "symbol": "ETH/USDT:USDT",
            "contracts": 3.0,
            "contractSize": 10.0,
            "side": "short",
            "entryPrice": 1500.5,
            "markPrice": 1490.0,
            "notional": 44700.0,
            "unrealizedPnl": 315.0,
            "leverage": 5.0,
            "liquidationPrice": None,
            "hedged": False,
        },
        {"symbol": "BTC/USDT:USDT", "contracts": 0.0, "contractSize": 1.0, "side": None, "entryPrice": None},
    ]
    main = account(currency="USDT", cash=0)
    main.update(equity=50_000, positions=fetched)
    (one,) = main.positions.values()
    assert (one.symbol, one.size, one.entry_price, one.price) == (
        "ETH/USDT:USDT",
        Decimal(-3),
        Decimal("1500.5"),
        Decimal(1490),
    )
    assert (one.value, one.unrealized_pnl) == (Decimal(-44_700), Decimal(315))
    main.mark("ETH/USDT:USDT", 1480.5)
    assert main.unrealized_pnl == Decimal(600)


@pytest.mark.parametrize(("size", "value"), [(2, -74_000), (-2, 74_000)])
@pytest.mark.parametrize("told", [-74_000, 74_000])
def test_value_of_a_position_whose_price_is_negative_has_the_sign_of_both(account, size, value, told) -> None:
    """Two contracts of 1,000 barrels of oil at -37 USD, as on 20 April 2020, however the venue signs their value."""
    main = account()
    main.update(
        cash=100_000, positions=[{"symbol": "CL", "size": size, "multiplier": 1000, "mark_price": -37, "market_value": told}]
    )
    assert (main.positions["CL"].value, main.equity) == (value, 100_000 + value)


class PositionSide(str, Enum):
    LONG = "long"
    SHORT = "short"


def test_positions_as_alpaca_returns_them(account) -> None:
    """alpaca-py's `Position`: text for numbers, a negative quantity and a side when short."""
    held = [
        SimpleNamespace(symbol="AAPL", qty="10", side=PositionSide.LONG, avg_entry_price="150.25", market_value="1550",
                        current_price="155", unrealized_pl="47.5"),
        SimpleNamespace(symbol="TSLA", qty="-4", side=PositionSide.SHORT, avg_entry_price="200", market_value="-840",
                        current_price="210", unrealized_pl="-40"),
    ]  # fmt: skip
    main = account(cash=0)
    main.update(equity=10_000, cash=9_290, positions=held)
    assert {symbol: one.size for symbol, one in main.positions.items()} == {"AAPL": Decimal(10), "TSLA": Decimal(-4)}
    assert main.unrealized_pnl == Decimal("7.5")
    assert main.equity == Decimal(10_000)


@dataclass
class Held:
    symbol: str
    size: object


@pytest.mark.parametrize(
    "positions",
    [
        {"AAPL": 3},
        {"AAPL": Decimal(3)},
        {"AAPL": "3"},
        {"AAPL": np.float64(3)},
        {"AAPL": np.float32(3)},
        {"AAPL": np.int64(3)},
        {"AAPL": {"quantity": 3}},
        {"AAPL": Held("AAPL", 3)},
        [Held("AAPL", 3)],
        (Held("AAPL", np.float32(3)),),
        iter([{"symbol": "AAPL", "qty": "3"}]),
        [{"symbol": "AAPL", "size": 5}, {"symbol": "AAPL", "contracts": 2, "side": "short"}],
    ],
)
def test_forms_of_positions(account, positions) -> None:
    main = account(cash=0)
    main.update(positions=positions)
    assert {symbol: one.size for symbol, one in main.positions.items()} == {"AAPL": Decimal(3)}


def test_position_that_is_no_longer_told_is_closed(account, seen) -> None:
    main = account(cash=0)
    main.update(equity=10_000, positions={"AAPL": 3, "MSFT": 4})
    main.update(equity=10_000, positions={"MSFT": 4})
    assert set(main.positions) == {"MSFT"}
    main.update(equity=10_000, positions=[])
    assert seen.values()["position.active"] == 0


def test_position_whose_size_cannot_be_read_stays_as_it_was(account) -> None:
    main = account(cash=0)
    main.update(positions={"AAPL": 3, "MSFT": 4})
    main.update(positions={"AAPL": None, "MSFT": 5, "": 7})
    assert {symbol: one.size for symbol, one in main.positions.items()} == {"AAPL": Decimal(3), "MSFT": Decimal(5)}


@pytest.mark.parametrize("junk", [5, "AAPL", b"AAPL", 1.5, object()])
def test_what_is_no_collection_of_positions_changes_nothing(account, junk) -> None:
    faults.reset()
    main = account(cash=0)
    main.update(positions={"AAPL": 3})
    main.update(positions=junk)
    assert set(main.positions) == {"AAPL"}
    assert faults.dropped["not_a_number"] == 1


def test_equity_stands_until_the_next_one_is_told(account) -> None:
    main = account(cash=0)
    main.update(equity=10_000, positions={"AAPL": 10})
    main.mark("AAPL", 100)
    main.mark("AAPL", 200)
    assert main.equity == Decimal(10_000)
    main.update(equity=11_000)
    assert main.equity == Decimal(11_000)


def test_cash_and_positions_give_equity_and_the_books_go_on_from_there(account) -> None:
    """A restarted bot asks its venue once and then reports what happens."""
    main = account(cash=0)
    main.update(cash=5_000, positions=[{"symbol": "AAPL", "size": 10, "entry_price": 90, "mark_price": 100}])
    assert (main.cash, main.equity, main.unrealized_pnl) == (Decimal(5000), Decimal(6000), Decimal(100))
    main.mark("AAPL", 110)
    assert main.equity == Decimal(6100)
    main.fill("AAPL", "sell", 10, 120, fee=1)
    assert (main.cash, main.equity, main.realized_pnl) == (Decimal(6199), Decimal(6199), Decimal(300))


def test_equity_with_cash_and_positions_moves_on_with_marks(account) -> None:
    """500 of something else that the account holds stay what they are."""
    main = account(cash=0)
    main.update(equity=6_500, cash=5_000, positions=[{"symbol": "AAPL", "size": 10, "mark_price": 100}])
    main.mark("AAPL", 110)
    assert main.equity == Decimal(6600)


def test_what_the_first_update_tells_is_no_gain(account, seen) -> None:
    main = account(cash=5_000)
    main.update(positions=[{"symbol": "AAPL", "size": 10, "mark_price": 100}])
    assert main.equity == Decimal(6000)
    values = seen.values()
    assert values["pnl.daily"] == 0.0
    main.mark("AAPL", 94)
    assert (main.drawdown, seen.values()["pnl.daily_ratio"]) == (pytest.approx(0.01), -0.01)


def test_positions_alone_are_no_capital(account, seen) -> None:
    main = account(cash=0)
    main.fill("AAPL", "buy", 10, 100)
    main.update(positions={"AAPL": 10})
    assert (main.equity, main.drawdown) == (None, None)
    assert seen.values()["pnl.net"] == 0.0


def test_cash_alone_is_no_equity_while_positions_are_unknown(account, seen) -> None:
    main = account(cash=0)
    main.update(cash=5_000)
    assert seen.values() == {"portfolio.cash": 5000.0}


def test_trades_that_the_books_missed_leave_no_wrong_equity_and_are_logged(account, caplog) -> None:
    """The venue closed a position (a liquidation, say): what that did to cash and profit is not known."""
    main = account()
    main.fill("AAPL", "buy", 10, 100)
    with caplog.at_level(logging.WARNING, "otel_trading"):
        main.update(positions=[])
        main.update(positions=[])
    assert (main.equity, main.cash, main.realized_pnl, main.drawdown) == (None, None, None, None)
    assert len(caplog.records) == 1
    assert "main" in caplog.records[0].getMessage()
    main.update(equity=9_000)
    assert main.equity == Decimal(9000)
    assert main.drawdown == pytest.approx(0.1)


def test_positions_that_agree_with_the_fills_change_nothing(account) -> None:
    main = account()
    main.fill("AAPL", "buy", 10, 100)
    main.update(positions={"AAPL": 10})
    assert (main.equity, main.cash, main.realized_pnl) == (Decimal(10_000), Decimal(9000), Decimal(0))
    assert main.positions["AAPL"].entry_price == Decimal(100)


def test_cash_that_is_told_corrects_the_books(account) -> None:
    """Interest that no fill told."""
    main = account()
    main.fill("AAPL", "buy", 10, 100)
    main.update(cash=9_003)
    assert (main.cash, main.equity) == (Decimal(9003), Decimal(10_003))


def test_deposit_raises_the_equity_that_was_told(account) -> None:
    main = account(cash=0)
    main.update(equity=10_000)
    main.update(equity=9_000)
    main.deposit(9_000)
    assert main.equity == Decimal(18_000)
    assert main.drawdown == pytest.approx(0.1)
    main.update(equity=18_000)
    assert main.drawdown == pytest.approx(0.1)


def test_fills_count_their_profit_beside_a_told_equity(account, seen) -> None:
    main = account(cash=0)
    main.update(equity=10_000)
    main.fill("AAPL", "buy", 10, 100)
    main.fill("AAPL", "sell", 10, 103, fee=1)
    values = seen.values()
    assert (values["portfolio.equity"], values["pnl.realized"], values["pnl.net"]) == (10_000.0, 30.0, 29.0)
    assert "portfolio.cash" not in values


def test_cost_that_is_not_known_makes_no_profit_up(account) -> None:
    """A position told without its price of entry is sold: what it gained nobody knows, what it brought in is cash."""
    main = account(cash=0)
    main.update(cash=5_000, positions=[{"symbol": "AAPL", "size": 10, "mark_price": 100}])
    assert (main.unrealized_pnl, main.positions["AAPL"].entry_price) == (None, None)
    main.fill("AAPL", "sell", 10, 110)
    assert (main.realized_pnl, main.cash, main.equity) == (None, Decimal(6100), Decimal(6100))


def test_profit_that_is_told_is_shown_until_the_next_price(account) -> None:
    main = account(cash=0)
    main.update(positions=[{"symbol": "AAPL", "size": 10, "unrealized_pnl": 12.5}])
    assert main.unrealized_pnl == Decimal("12.5")


def test_size_that_changes_without_an_entry_price_has_none(account) -> None:
    main = account(cash=0)
    main.update(positions=[{"symbol": "AAPL", "size": 10, "entry_price": 90}])
    main.update(positions=[{"symbol": "AAPL", "size": 10}])
    assert main.positions["AAPL"].entry_price == Decimal(90)
    main.update(positions=[{"symbol": "AAPL", "size": 11}])
    assert main.positions["AAPL"].entry_price is None


def test_margin_and_buying_power_are_passed_on(account, seen) -> None:
    main = account(cash=0)
    main.update(buying_power=40_000, margin_used="1500.5", margin_available=Decimal(8_500))
    main.update(margin_used=1600)
    assert seen.values() == {
        "portfolio.buying_power": 40_000.0,
        "portfolio.margin.used": 1600.0,
        "portfolio.margin.available": 8500.0,
    }
