"""Statistics of closed trades: a worked example, exact definitions, and when there is nothing to say."""

from __future__ import annotations

import json
import math
from decimal import Decimal, Inexact, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_trading.analytics.trades import TradeStatistics

FIGURES = [
    "count", "wins", "losses", "win_ratio", "profit_ratio", "expectancy", "average_win", "average_loss", "losing_streak",
    "longest_losing_streak",
]  # fmt: skip
money = st.one_of(st.just(Decimal(0)), st.decimals(-(10**6), 10**6, places=4))


def of(results: list[Decimal] | list[float]) -> TradeStatistics:
    trades = TradeStatistics()
    for pnl in results:
        trades.close(pnl)
    return trades


def figures(trades: TradeStatistics) -> dict[str, float | None]:
    return {name: getattr(trades, name) for name in FIGURES}


def test_ten_trades_worked_by_hand() -> None:
    """Five wins of 600 together, four losses of 200, and one that ended even."""
    results = [100.0, -50.0, 150.0, -30.0, -20.0, 200.0, 0.0, 50.0, 100.0, -100.0]
    assert figures(of(results)) == {
        "count": 10, "wins": 5, "losses": 4, "win_ratio": 0.5, "profit_ratio": 3.0, "expectancy": 40.0, "average_win": 120.0,
        "average_loss": 50.0, "losing_streak": 1, "longest_losing_streak": 2,
    }  # fmt: skip


@pytest.mark.parametrize(("pnl", "outcome"), [("0.01", "win"), ("-0.01", "loss"), ("0.00", "even"), ("-0.00", "even")])
@pytest.mark.parametrize("kind", [Decimal, float])
def test_how_a_trade_ended(pnl: str, outcome: str, kind: type) -> None:
    assert TradeStatistics().close(kind(pnl)) == outcome


def test_before_the_first_trade_nothing_is_said() -> None:
    empty = dict.fromkeys(FIGURES)
    empty |= {"count": 0, "wins": 0, "losses": 0, "losing_streak": 0, "longest_losing_streak": 0}
    assert figures(TradeStatistics()) == empty


def test_without_a_loss_there_is_no_profit_factor() -> None:
    trades = of([Decimal(5), Decimal(0)])
    assert (trades.profit_ratio, trades.average_loss, trades.win_ratio) == (None, None, 0.5)


def test_without_a_win_the_profit_factor_is_zero() -> None:
    trades = of([Decimal(-5)])
    assert (trades.profit_ratio, trades.average_win, trades.win_ratio) == (0.0, None, 0.0)


def test_a_trade_that_ended_even_ends_a_losing_streak() -> None:
    trades = of([-1.0, -1.0, -1.0, 0.0, -1.0])
    assert (trades.losing_streak, trades.longest_losing_streak) == (1, 3)


@pytest.mark.parametrize("pnl", [math.nan, math.inf, Decimal("NaN"), Decimal("-Infinity")], ids=str)
def test_what_is_not_finite_is_refused_and_not_counted(pnl: float | Decimal) -> None:
    trades = of([1.0])
    with pytest.raises(ValueError, match="finite"):
        trades.close(pnl)
    assert trades.count == 1


def test_cents_add_up_exactly_over_many_trades() -> None:
    trades = of([0.1] * 1000 + [-0.1] * 1000)
    assert (trades.expectancy, trades.profit_ratio) == (0.0, 1.0)


def test_the_decimal_context_of_the_bot_does_not_matter() -> None:
    with localcontext() as context:
        context.prec = 2
        context.traps[Inexact] = True
        trades = of([Decimal("1234.56"), Decimal("-0.01")])
        assert (trades.average_win, trades.expectancy) == (1234.56, pytest.approx(617.275))


@given(st.lists(money, max_size=50))
def test_every_figure_follows_its_definition(results: list[Decimal]) -> None:
    exact = list(map(Fraction, results))
    wins, losses = [pnl for pnl in exact if pnl > 0], [pnl for pnl in exact if pnl < 0]
    signs = "".join("-" if pnl < 0 else "+" for pnl in exact)
    expected = {
        "count": len(exact),
        "wins": len(wins),
        "losses": len(losses),
        "win_ratio": Fraction(len(wins), len(exact)) if exact else None,
        "profit_ratio": -sum(wins) / sum(losses) if losses else None,
        "expectancy": sum(exact) / len(exact) if exact else None,
        "average_win": sum(wins) / len(wins) if wins else None,
        "average_loss": -sum(losses) / len(losses) if losses else None,
        "losing_streak": len(signs) - len(signs.rstrip("-")),
        "longest_losing_streak": max(map(len, signs.split("+"))),
    }
    assert figures(of(results)) == {
        name: None if figure is None else pytest.approx(float(figure), rel=1e-15) for name, figure in expected.items()
    }


@given(st.lists(money, max_size=30), st.integers(0, 30))
def test_a_restart_anywhere_changes_nothing(results: list[Decimal], at: int) -> None:
    begun = of(results[:at])
    state = json.loads(json.dumps(begun.dump(), allow_nan=False))
    continued = TradeStatistics.load(state)
    assert continued.dump() == state
    for pnl in results[at:]:
        continued.close(pnl)
    assert continued.dump() == of(results).dump()
