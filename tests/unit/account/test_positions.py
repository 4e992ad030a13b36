"""What else is known of positions: the user's rule, stops, liquidation, margin."""

from __future__ import annotations

import pytest

from otel_trading.metrics import faults


def test_positions_that_the_bots_rule_calls_risky_are_counted(account, seen) -> None:
    main = account(risky=lambda position: abs(position.value) > 500)
    main.fill("AAPL", "buy", 10, 100)
    main.fill("MSFT", "sell", 10, 60)
    main.fill("IBM", "buy", 1, 100)
    assert seen.values()["position.risky"] == 2


def test_rule_that_raises_is_contained_and_shows_nothing(account, seen) -> None:
    faults.reset()
    main = account(risky=lambda _: 1 / 0)
    main.fill("AAPL", "buy", 10, 100)
    values = seen.values()
    assert "position.risky" not in values
    assert values["position.active"] == 1
    assert sum(faults.errors.values()) >= 1


def test_without_a_rule_nothing_is_called_risky(account, seen) -> None:
    account()
    assert "position.risky" not in seen.values()


def test_unprotected_positions_are_those_that_no_stop_is_known_of(account, seen) -> None:
    main = account()
    main.fill("AAPL", "buy", 10, 100)
    main.fill("MSFT", "buy", 10, 100)
    assert "position.unprotected" not in seen.values()
    main.protect("AAPL")
    assert seen.values()["position.unprotected"] == 1
    main.protect("MSFT")
    main.protect("AAPL", protected=False)
    assert seen.values()["position.unprotected"] == 1
    main.fill("AAPL", "sell", 10, 100)
    assert seen.values()["position.unprotected"] == 0


def test_position_that_is_opened_again_has_no_stop_yet(account, seen) -> None:
    main = account()
    main.fill("AAPL", "buy", 10, 100)
    main.protect("AAPL")
    main.fill("AAPL", "sell", 20, 100)
    assert seen.values()["position.unprotected"] == 1


@pytest.mark.parametrize(
    ("size", "limit", "distance"),
    [(1, 15_000, 0.25), (-1, 25_000, 0.25), (1, 21_000, 0.0), (-1, 19_000, 0.0)],
    ids=["long", "short", "long beyond", "short beyond"],
)
def test_distance_to_liquidation_is_a_fraction_of_the_mark_price(account, seen, size, limit, distance) -> None:
    main = account(cash=0)
    said = {"symbol": "BTC/USDT:USDT", "size": size, "markPrice": 20_000, "liquidationPrice": limit}
    main.update(equity=10_000, positions=[said])
    assert seen.values()["position.liquidation_distance_ratio BTC/USDT:USDT"] == distance


def test_distance_moves_with_the_mark_and_is_absent_without_a_limit(account, seen) -> None:
    main = account(cash=0)
    main.update(
        equity=10_000,
        positions=[{"symbol": "X", "size": 1, "mark_price": 100, "liquidation_price": 50}, {"symbol": "Y", "size": 1}],
    )
    main.mark("X", 200)
    values = seen.values()
    assert values["position.liquidation_distance_ratio X"] == 0.75
    assert "position.liquidation_distance_ratio Y" not in values
    main.update(equity=10_000, positions=[{"symbol": "X", "size": 1, "mark_price": 100, "liquidation_price": 0}])
    assert "position.liquidation_distance_ratio X" not in seen.values()


def test_margin_of_all_positions_is_the_margin_used_unless_it_is_told(account, seen) -> None:
    main = account(cash=0)
    held = [{"symbol": "X", "size": 1, "initialMargin": 20}, {"symbol": "Y", "size": -1, "margin": "5.5"}]
    main.update(equity=10_000, positions=held)
    assert seen.values()["portfolio.margin.used"] == 25.5
    main.update(margin_used=30, margin_available=70)
    values = seen.values()
    assert (values["portfolio.margin.used"], values["portfolio.margin.available"]) == (30.0, 70.0)


def test_margin_is_absent_where_one_position_does_not_say_it(account, seen) -> None:
    main = account(cash=0)
    main.update(equity=10_000, positions=[{"symbol": "X", "size": 1, "margin": 20}, {"symbol": "Y", "size": 1}])
    assert "portfolio.margin.used" not in seen.values()


def test_accounts_strategies_and_venues_of_one_process_are_kept_apart(account, seen) -> None:
    """One name at two venues, two strategies of one account: four books, and each series has all three names."""
    made = {(venue, strategy): account(venue=venue, strategy=strategy) for venue in ("a", "b") for strategy in ("x", "y")}
    for number, ((venue, _), main) in enumerate(made.items()):
        main.fill("AAPL", "buy", number + 1, 100)
        main.fill("MSFT", "buy", 1, 10 if venue == "a" else 20)
        main.mark("AAPL", 101)
    whose = ("trading.account.name", "trading.venue.name", "trading.strategy.name")
    sizes = {
        tuple(at[key] for key in whose): value
        for value, at in seen.points()["position.size"]
        if at["trading.instrument.symbol"] == "AAPL"
    }
    assert sizes == {("main", venue, strategy): number + 1.0 for number, (venue, strategy) in enumerate(made)}
    gains = {tuple(at[key] for key in whose): value for value, at in seen.points()["pnl.unrealized"]}
    assert gains == {("main", venue, strategy): number + 1.0 for number, (venue, strategy) in enumerate(made)}
