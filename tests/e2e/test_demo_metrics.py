"""What `otel-trading demo` exposes, against what the paper exchange's own record comes to when somebody else adds it up."""

from __future__ import annotations

import subprocess
from collections import Counter
from decimal import Decimal
from fractions import Fraction

import pytest

from otel_trading.demo.exchange.signing import Credentials
from otel_trading.semconv import metrics as registry
from tests.demo import ledger_of_record
from tests.demo.program import Demo, by, total
from tests.demo.whole_run import RUN, SEED, whole_run
from tests.harness import fetch, find, one, require_program, scrape, wait_until
from tests.harness.exposition import OPENMETRICS

KEY = {"trading_account_name": "main", "trading_venue_name": "paper", "trading_strategy_name": "sma_cross"}
ABSENT = {
    "trading.heartbeat.stalls": "nothing stalled",
    "trading.sdk.errors": "the SDK has no fault",
    "trading.sdk.dropped": "nothing was told that is no measurement",
    "trading.sdk.unclean_stops": "it keeps no state: see test_demo_state.py",
}
"""What a run in which all is well does not show."""
BRIEF = {"trading.order.unresolved"}
"""Shown from the time-out of an order to the question what became of it: a moment, see test_session.py."""


@pytest.fixture(scope="module")
def lingering(tmp_path_factory):
    """One whole run for all tests, whose endpoint is still there."""
    with whole_run(tmp_path_factory.mktemp("demo")) as demo:
        yield demo


@pytest.fixture(scope="module")
def record(lingering):
    return lingering.record


@pytest.fixture(scope="module")
def truth(record):
    return ledger_of_record.read(record)


@pytest.fixture(scope="module")
def samples(lingering, record):
    """A scrape after the last poll of the venue's margin, and after what was closed has been shown as such."""
    for _ in range(3):
        scrape(lingering.url)
    used = float(record["account"]["marginUsed"])
    return wait_until(
        lambda: (s := scrape(lingering.url, openmetrics=True)) and one(s, "trading_portfolio_margin_used") == used and s,
        "the venue's margin was asked for",
    )


def close_to(value: object, digits: float = 1e-12):
    return pytest.approx(float(value), rel=digits, abs=1e-9)


def events(record, kind: str) -> list[dict]:
    return [event["data"] for event in record["events"] if event["type"] == kind]


# -- the run itself -------------------------------------------------------------------------------------------------------


def test_the_run_has_seen_everything_that_a_venue_does_to_a_bot(record, truth):
    """The other tests would prove little about a run in which nothing went wrong."""
    orders = record["orders"]
    assert {order["status"] for order in orders} == {"open", "closed", "canceled", "rejected", "expired"}
    assert {order["type"] for order in orders} == {"market", "limit", "stop_market"}
    assert {refusal["code"] for refusal in record["refusals"]} >= {"RATE_LIMITED"}
    assert {lost["executed"] for lost in record["unanswered"]} == {True, False}
    assert min(record["droppedConnections"].values()) > 0
    assert any(len(order["trades"]) > 1 for order in orders)
    assert any(order["type"] == "limit" and order["status"] == "canceled" and order["trades"] for order in orders)
    assert truth.rebates > 0
    assert {Fraction(payment["amount"]) > 0 for payment in events(record, "funding")} == {True, False}
    assert [Fraction(t["amount"]) > 0 for t in events(record, "transfer")] == [True, False]
    assert record["account"]["positions"]
    assert truth.wins
    assert truth.losses


def test_the_same_seed_gives_the_same_run_with_the_sdk_and_without(lingering, tmp_path):
    """Everything that happens by chance is decided by the seed, and nothing that the bot does by its instrumentation."""
    with Demo(tmp_path, *RUN, "--linger", "0", env={"OTEL_SDK_DISABLED": "true"}) as silent:
        assert silent.wait(150) == 0
    for part in ("orders", "refusals", "unanswered", "events", "account", "equity"):
        assert silent.record[part] == lingering.record[part]


def test_the_second_opinion_arrives_at_the_venues_own_account(record, truth):
    account = record["account"]
    assert truth.cash == Fraction(account["cash"])
    assert truth.equity == Fraction(account["equity"])
    assert (truth.fees, truth.rebates) == (Fraction(account["fees"]), Fraction(account["rebates"]))
    assert truth.funding == Fraction(account["funding"])
    assert float(truth.realized) == close_to(account["realizedPnl"])
    assert {s: p.size for s, p in truth.positions.items()} == {
        p["symbol"]: Fraction(p["contracts"]) for p in account["positions"]
    }


# -- orders and fills -----------------------------------------------------------------------------------------------------


def test_orders_by_how_they_ended(samples, record):
    counted = by(samples, "trading_orders_total", "trading_order_status", "trading_order_type")
    unknown = sum(counted.pop(key) for key in list(counted) if key[0] == "unknown")
    assert counted == ledger_of_record.orders_that_ended(record)
    assert unknown == len(record["unanswered"])


def test_rejections_by_reason(samples, record):
    rejected = find(samples, "trading_orders_total", trading_order_status="rejected")
    counted = by(rejected, "trading_orders_total", "trading_order_reject_reason")
    assert counted == {(reason,): count for reason, count in ledger_of_record.rejections(record).items()}


def test_submissions_are_all_that_was_sent_once_each(samples, record):
    sent = record["orders"] + record["refusals"] + record["unanswered"]
    assert total(samples, "trading_order_submissions_total") == len({entry["clientOrderId"] for entry in sent})
    assert total(samples, "trading_order_leg_duration_seconds_count", trading_order_leg="decide_submit") > 0


def test_what_is_open_is_open_and_what_was_unanswered_is_resolved(samples, record):
    open_orders = sum(order["status"] == "open" for order in record["orders"])
    assert total(samples, "trading_order_active") == open_orders > 0
    assert one(samples, "trading_order_oldest_open_time_seconds") > 0
    assert total(samples, "trading_order_unresolved") == 0
    asked = total(samples, "trading_order_duration_seconds_count", trading_order_operation="query")
    assert asked >= len(record["unanswered"]) > 0


def test_fill_ratios_are_those_of_all_orders_that_ended(samples, record):
    ended = [order for order in record["orders"] if order["status"] != "open"]
    ratios = sum(Fraction(order["filled"]) / Fraction(order["amount"]) for order in ended)
    assert total(samples, "trading_order_fill_ratio_count") == sum(ledger_of_record.orders_that_ended(record).values())
    assert total(samples, "trading_order_fill_ratio_sum") == close_to(ratios)


def test_fills_volume_and_their_notional(samples, truth):
    key = ("trading_instrument_symbol", "trading_order_side")
    volume = by(samples, "trading_volume_total", *key)

    assert by(samples, "trading_fills_total", *key, "trading_fill_liquidity") == truth.fills
    assert volume.keys() == truth.volume.keys()
    assert all(volume[at] == close_to(amount) for at, amount in truth.volume.items())
    assert total(samples, "trading_fill_notional_count") == sum(truth.fills.values())
    assert total(samples, "trading_fill_notional_sum") == close_to(sum(truth.volume.values()))


def test_slippage_and_what_it_cost(samples, record):
    costs = by(samples, "trading_slippage_cost", "trading_instrument_symbol")
    assert {symbol: close_to(cost, 1e-9) for (symbol,), cost in costs.items()} == {
        symbol: float(cost) for symbol, cost in ledger_of_record.slippage_costs(record).items()
    }
    assert total(samples, "trading_slippage_count") == sum(bool(order["trades"]) for order in record["orders"])


def test_fees_rebates_and_funding(samples, truth):
    assert total(samples, "trading_fees_total") == close_to(truth.fees)
    assert total(samples, "trading_rebates_total") == close_to(truth.rebates)
    assert one(samples, "trading_funding", **KEY) == close_to(truth.funding)


# -- the account ----------------------------------------------------------------------------------------------------------


def test_the_figures_of_the_account(samples, truth):
    """Each is what the second computation arrives at from the venue's record."""
    tail = truth.tail
    for metric, value in {
        "trading_portfolio_equity": truth.equity,
        "trading_portfolio_cash": truth.cash,
        "trading_portfolio_peak_equity": truth.peak_equity,
        "trading_portfolio_exposure_gross": truth.exposure,
        "trading_portfolio_exposure_net": truth.exposure,
        "trading_portfolio_exposure_ratio": truth.exposure / truth.equity,
        "trading_portfolio_leverage_ratio": truth.exposure / truth.equity,
        "trading_pnl_realized": truth.realized,
        "trading_pnl_unrealized": truth.unrealized,
        "trading_pnl_net": truth.net,
        "trading_pnl_daily": truth.daily,
        "trading_pnl_daily_ratio": truth.daily_ratio,
        "trading_drawdown_current_ratio": truth.drawdown,
        "trading_drawdown_max_ratio": truth.deepest,
        "trading_trade_win_ratio": truth.win_ratio,
        "trading_trade_profit_ratio": truth.profit_ratio,
        "trading_trade_expectancy": truth.expectancy,
        "trading_trade_average_win": sum(truth.wins) / len(truth.wins),
        "trading_trade_average_loss": sum(truth.losses) / len(truth.losses),
        "trading_trade_losing_streak": truth.losing_streak,
        "trading_returns_sharpe_ratio": truth.sharpe,
        "trading_returns_sortino_ratio": truth.sortino,
        "trading_returns_volatility_ratio": truth.volatility,
        "trading_returns_value_at_risk_ratio": tail[0],
        "trading_returns_expected_shortfall_ratio": tail[1],
        "trading_returns_calmar_ratio": truth.calmar,
    }.items():
        assert one(samples, metric, **KEY) == close_to(value, 1e-9), metric
    assert truth.deepest > 0.05
    assert len(truth.returns) == ledger_of_record.WINDOW
    seconds = (truth.time - truth.peak_time) / 1000
    assert one(samples, "trading_drawdown_duration_seconds", **KEY) == pytest.approx(seconds, abs=1.0)


def test_turnover_is_what_was_traded_on_the_last_day_over_the_equity(samples, truth):
    """All prices of a day come within a second: over that day's session the average equity is the last one of the day before."""
    traded, before = list(truth.days.values())[-1][3], list(truth.days.values())[-2]
    turnover = one(samples, "trading_portfolio_turnover_ratio", **KEY)
    assert turnover == pytest.approx(float(traded / (before[1] + before[2] + truth.start)), rel=1e-3, abs=1e-9)


def test_closed_trades_by_symbol_and_outcome(samples, truth):
    counted = by(samples, "trading_trades_total", "trading_instrument_symbol", "trading_trade_outcome")
    assert counted == truth.outcomes


def test_positions_are_those_at_the_venue_and_no_others(samples, record, truth):
    held = {p["symbol"]: p for p in record["account"]["positions"]}

    def shown(metric: str) -> dict[str, float]:
        return {s.labels["trading_instrument_symbol"]: s.value for s in find(samples, metric, **KEY)}

    assert shown("trading_position_size") == {s: float(p["contracts"]) for s, p in held.items()}
    assert {symbol for symbol, *_ in truth.fills} > held.keys()  # others were closed on the way
    assert one(samples, "trading_position_active", **KEY) == len(held)
    assert shown("trading_position_entry_price") == {s: close_to(p["entryPrice"]) for s, p in held.items()}
    values = {s: truth.prices[s] * p.size for s, p in truth.positions.items()}
    assert shown("trading_position_value") == {s: close_to(value) for s, value in values.items()}
    gains = {s: value - truth.positions[s].cost for s, value in values.items()}
    assert shown("trading_position_unrealized_pnl") == {s: close_to(gain) for s, gain in gains.items()}
    risky = sum(truth.prices[s] < p.cost / p.size * Fraction("0.95") for s, p in truth.positions.items())
    assert one(samples, "trading_position_risky", **KEY) == risky


def test_what_only_the_venue_knows_of_the_account(samples, record, lingering):
    """Margin is asked for by the clock; liquidation prices and stops when the books are compared, before the last trades."""
    account = record["account"]
    for metric, name in (
        ("buying_power", "buyingPower"),
        ("margin_used", "marginUsed"),
        ("margin_available", "marginAvailable"),
    ):
        assert one(samples, f"trading_portfolio_{metric}", **KEY) == close_to(account[name]), metric
    distances = find(samples, "trading_position_liquidation_distance_ratio", **KEY)
    expected = {p["symbol"]: 1 - Decimal(p["liquidationPrice"]) / Decimal(p["markPrice"]) for p in account["positions"]}
    assert {s.labels["trading_instrument_symbol"]: s.value for s in distances} == {
        symbol: close_to(distance) for symbol, distance in expected.items()
    }
    assert one(samples, "trading_position_unprotected", **KEY) <= len(account["positions"])
    assert lingering.seen["trading_position_unprotected"] > 0


def test_the_books_agree_with_the_venue(samples, record):
    differences = find(samples, "trading_reconciliation_position_difference", **KEY)
    assert differences
    assert {sample.value for sample in differences} == {0}
    assert one(samples, "trading_reconciliation_order_difference", **KEY) == 0
    last = [event for event in record["events"] if event["type"] == "day"][-1]
    assert one(samples, "trading_reconciliation_last_check_time_seconds", **KEY) == pytest.approx(
        last["time"] / 1000, abs=0.001
    )


# -- strategy, model, risk, venue -----------------------------------------------------------------------------------------


def test_cycles_signals_and_predictions(samples, record):
    assert total(samples, "trading_strategy_cycle_duration_seconds_count") == record["days"]
    assert one(samples, "trading_strategy_cycle_interval_seconds") == 60
    predicted = total(samples, "trading_predictions_total")
    assert total(samples, "trading_inference_duration_seconds_count") == predicted > 100
    assert total(samples, "trading_prediction_score_count") == predicted
    assert {s.labels["trading_drift_variable"] for s in find(samples, "trading_inference_drift")} >= {"momentum", "volatility"}
    assert total(samples, "trading_signals_total") > 0


def test_the_circuit_breaker(samples, truth):
    trips = total(samples, "trading_circuit_breaker_trips_total", trading_circuit_breaker_name="losses")
    assert trips == total(samples, "trading_alerts_total", trading_alert_severity="info") > 0
    used = by(samples, "trading_risk_limit_utilization_ratio", "trading_risk_limit_name")
    assert used["max_drawdown",] == close_to(truth.drawdown / Fraction("0.5"), 1e-9)
    assert used["max_daily_loss",] == close_to(max(-truth.daily_ratio, 0) / Fraction("0.03"), 1e-9)


def test_the_streams_and_what_came_over_them(samples, record):
    kinds = Counter(event["type"] for event in record["events"])
    reconnects = by(samples, "trading_stream_reconnects_total", "trading_stream_name")
    messages = by(samples, "trading_stream_messages_total", "trading_stream_name")
    assert reconnects == {(name,): number for name, number in record["droppedConnections"].items()}
    assert messages == {("market",): kinds["bar"], ("user",): kinds["order"] + kinds["fill"]}
    assert by(samples, "trading_stream_connected", "trading_stream_name") == {("market",): 1, ("user",): 1}
    assert total(samples, "trading_market_data_last_update_time_seconds") > 0
    assert one(samples, "trading_venue_connected", trading_venue_name="paper") == 1


def test_what_the_venue_says_of_its_clock_and_its_limits_and_what_it_does_not_answer(samples, record):
    """Its clock is 37 ms ahead of ours; its headers say how much of each limit the last request has left used."""
    assert one(samples, "trading_venue_clock_offset_seconds", trading_venue_name="paper") == pytest.approx(0.037, abs=0.5)
    used = by(samples, "trading_venue_rate_limit_utilization_ratio", "trading_rate_limit_name")
    assert used.keys() == {("orders",), ("request_weight",)}
    assert 0 < used["orders",] <= 1.5
    timeouts = total(samples, "trading_venue_errors_total", trading_venue_name="paper", error_type="timeout")
    assert timeouts >= len(record["unanswered"])


# -- what is exposed ------------------------------------------------------------------------------------------------------


def test_every_metric_of_the_registry_is_shown_and_none_of_what_should_not_be(lingering):
    shown = {
        metric.name
        for metric in registry.ALL.values()
        if any(name == _family(metric.name) or name.startswith(_family(metric.name) + "_") for name in lingering.seen)
    }
    assert shown | BRIEF == registry.ALL.keys() - ABSENT.keys()


def test_metrics_of_other_instrumentations_come_from_the_same_endpoint(lingering):
    for family in ("http_client_", "process_cpu_time", "process_memory_usage", "process_uptime"):
        assert any(name.startswith(family) for name in lingering.seen), family


def test_every_trading_metric_is_in_the_registry_and_carries_only_its_attributes(samples):
    known = {_family(metric.name): metric for metric in registry.ALL.values()}
    seen = set()
    for sample in samples:
        if not sample.name.startswith("trading_"):
            continue
        name = max((n for n in known if sample.name == n or sample.name.startswith(n + "_")), key=len, default=None)
        assert name, f"{sample.name} is not in the registry"
        allowed = {key.replace(".", "_") for key in known[name].attributes} | {"le"}
        assert set(sample.labels) <= allowed, sample
        seen.add(known[name].name)
    assert len(seen) >= 70


def test_promtool_has_nothing_to_say(lingering):
    text = fetch(lingering.url).text
    checked = subprocess.run(
        [require_program("promtool"), "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    ours = [line for line in (checked.stdout + checked.stderr).splitlines() if line.startswith("trading_")]
    assert ours == []


def test_the_resource_says_what_it_is(samples):
    info = find(samples, "target_info")[0].labels
    assert info["service_name"] == "otel-trading-demo"
    assert info["trading_mode"] == "paper"


def test_nothing_secret_leaves(lingering):
    """Neither the scrape nor the log nor the spans hold the key, the account's number, a signature, or a part of the query."""
    own = Credentials.for_seed(SEED)
    wait_until(lambda: len(lingering.traces.bodies) > 1, "spans have been exported")
    spans = b"".join(lingering.traces.bodies)
    assert b"submit paper" in spans
    assert b"/accounts/{id}/orders" in spans
    for text in (fetch(lingering.url, accept=OPENMETRICS).text.encode(), lingering.output().encode(), spans):
        for secret in (own.account, own.key, own.secret, "signature", "apiKey"):
            assert secret.encode() not in text, secret


def _family(name: str) -> str:
    return name.replace(".", "_")
