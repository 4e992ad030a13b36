"""The metrics are those of the design, and their names, units and attributes keep its rules."""

from __future__ import annotations

import itertools

import pytest

from otel_trading.semconv import attributes, reader
from otel_trading.semconv.metrics import ALL

KINDS = {"c": "counter", "u": "updowncounter", "g": "gauge", "h": "histogram"}
MONEY = "{currency}"

# The table of the design: name, kind, unit. `$` is money, `()` a state.
DESIGN = """
trading.order.duration h s
trading.order.leg.duration h s
trading.order.submissions c {order}
trading.orders c {order}
trading.order.active g {order}
trading.order.unresolved g {order}
trading.order.oldest_open.time g s
trading.order.fill_ratio h {fraction}
trading.fills c {fill}
trading.fill.notional h $
trading.volume c $
trading.fees c $
trading.rebates c $
trading.funding u $
trading.slippage h {basis_point}
trading.slippage_cost u $
trading.inference.duration h s
trading.predictions c {prediction}
trading.prediction.score h {score}
trading.inference.drift g {psi}
trading.inference.last_feature.time g s
trading.strategy.cycle.duration h s
trading.strategy.cycle.interval g s
trading.strategy.last_cycle.time g s
trading.signals c {signal}
trading.heartbeat.last_beat.time g s
trading.heartbeat.timeout g s
trading.heartbeat.stalls c {stall}
trading.portfolio.equity g $
trading.portfolio.cash g $
trading.portfolio.buying_power g $
trading.portfolio.peak_equity g $
trading.portfolio.exposure.gross g $
trading.portfolio.exposure.net g $
trading.portfolio.margin.used g $
trading.portfolio.margin.available g $
trading.portfolio.exposure_ratio g 1
trading.portfolio.leverage_ratio g 1
trading.position.active g {position}
trading.position.risky g {position}
trading.position.unprotected g {position}
trading.position.size g {unit}
trading.position.value g $
trading.position.entry_price g $
trading.position.unrealized_pnl g $
trading.position.liquidation_distance_ratio g 1
trading.pnl.realized g $
trading.pnl.unrealized g $
trading.pnl.net g $
trading.pnl.daily g $
trading.pnl.daily_ratio g 1
trading.trades c {trade}
trading.trade.win_ratio g 1
trading.trade.profit_ratio g 1
trading.trade.expectancy g $
trading.trade.average_win g $
trading.trade.average_loss g $
trading.trade.losing_streak g {trade}
trading.portfolio.turnover_ratio g 1
trading.drawdown.current_ratio g 1
trading.drawdown.max_ratio g 1
trading.drawdown.duration g s
trading.returns.sharpe_ratio g 1
trading.returns.sortino_ratio g 1
trading.returns.calmar_ratio g 1
trading.returns.volatility_ratio g 1
trading.returns.value_at_risk_ratio g 1
trading.returns.expected_shortfall_ratio g 1
trading.circuit_breaker.open g ()
trading.circuit_breaker.trips c {trip}
trading.risk.limit_utilization_ratio g 1
trading.venue.connected g ()
trading.venue.errors c {error}
trading.venue.clock_offset g s
trading.venue.rate_limit_utilization_ratio g 1
trading.stream.connected g ()
trading.stream.reconnects c {reconnect}
trading.stream.messages c {message}
trading.market_data.last_update.time g s
trading.reconciliation.position_difference g {unit}
trading.reconciliation.order_difference g {order}
trading.reconciliation.last_check.time g s
trading.alerts c {alert}
trading.errors c {error}
trading.sdk.errors c {error}
trading.sdk.dropped c {measurement}
trading.sdk.unclean_stops c {stop}
trading.sdk.route g ()
process.uptime g s
"""

RESERVED = ("total", "count", "sum", "bucket", "info", "created")

# Everything about an account names it.
OF_AN_ACCOUNT = ("portfolio", "position", "pnl", "drawdown", "returns", "trade", "trades")

# Order states after FIX tag 39, the others after ccxt, alpaca, Interactive Brokers and nautilus_trader.
VOCABULARY = """
ORDER_STATUS pending_new new partially_filled filled pending_cancel canceled pending_replace rejected expired suspended unknown
ORDER_TYPE market limit stop_market stop_limit trailing_stop take_profit market_if_touched limit_if_touched market_to_limit other
ORDER_OPERATION submit edit cancel cancel_all query
ORDER_REJECT_REASON insufficient_funds invalid_order risk_limit market_closed duplicate auth rate_limited other
ORDER_TIME_IN_FORCE day gtc ioc fok gtd opg cls gtx
ORDER_LEG decide_submit submit_ack ack_first_fill submit_final
ORDER_SIDE buy sell
FILL_LIQUIDITY maker taker unknown
SLIPPAGE_DIRECTION adverse favorable
PREDICTION_DIRECTION long short flat
TRADE_OUTCOME win loss even
MODE live paper backtest
"""

METRICS = ALL.values()
GROUPS = {metric.name: metric for metric in reader.load().metrics}
NAMES = [metric.name for metric in METRICS]
KEYS = {key for metric in METRICS for key in metric.attributes}


def test_the_metrics_are_those_of_the_design():
    expected = {}
    for line in DESIGN.strip().splitlines():
        name, kind, unit = line.split()
        expected[name] = (KINDS[kind], {"$": MONEY, "()": "{state}"}.get(unit, unit))
    assert {metric.name: (metric.kind, metric.unit) for metric in METRICS} == expected


@pytest.mark.parametrize("metric", METRICS, ids=NAMES)
def test_the_unit_1_is_on_gauges_that_end_in_ratio_and_on_all_of_them(metric):
    assert (metric.unit == "1") == (metric.kind == "gauge" and metric.name.endswith("_ratio"))


@pytest.mark.parametrize("metric", METRICS, ids=NAMES)
def test_money_says_its_currency_and_nothing_else_does(metric):
    assert (metric.unit == MONEY) == ("trading.currency" in metric.attributes)


@pytest.mark.parametrize("metric", METRICS, ids=NAMES)
def test_a_unit_is_seconds_a_ratio_or_an_annotation_that_leaves_no_suffix(metric):
    assert metric.unit in {"s", "1"} or (metric.unit[0], metric.unit[-1]) == ("{", "}")


@pytest.mark.parametrize("metric", METRICS, ids=NAMES)
def test_no_name_ends_in_a_word_that_prometheus_gives_a_meaning_to(metric):
    assert not metric.name.endswith(RESERVED)


@pytest.mark.parametrize("metric", METRICS, ids=NAMES)
def test_a_name_does_not_repeat_its_unit(metric):
    assert not metric.name.endswith(("second", "seconds", "basis_points", "bps", "usd", "percent", "pct"))


@pytest.mark.parametrize("metric", METRICS, ids=NAMES)
def test_what_is_about_an_account_names_it(metric):
    if metric.name.split(".")[1] in OF_AN_ACCOUNT:
        assert _level(metric.name, "trading.account.name") == "required"


@pytest.mark.parametrize(
    "name", ["trading.fills", "trading.volume", "trading.slippage", "trading.trades", "trading.position.size"]
)
def test_the_symbol_is_on_fills_volume_slippage_trades_and_positions(name):
    assert _level(name, "trading.instrument.symbol") == "required"


@pytest.mark.parametrize("name", ["trading.order.duration", "trading.order.leg.duration", "trading.inference.duration"])
def test_the_symbol_is_on_order_and_inference_histograms_only_by_a_setting(name):
    assert _level(name, "trading.instrument.symbol") == "opt_in"


def test_times_of_events_are_times_and_not_ages():
    """A clock's offset, an interval and the durations are all else that is in seconds."""
    for metric in METRICS:
        if metric.kind == "gauge" and metric.unit == "s":
            assert metric.name.endswith((".time", ".duration", ".interval", ".timeout", "clock_offset", "uptime"))
        if metric.name.endswith(".time"):
            assert (metric.unit, metric.kind) == ("s", "gauge")
            assert "unix seconds" in metric.description


def test_states_are_gauges():
    assert all(metric.kind == "gauge" for metric in METRICS if metric.unit == "{state}")


def test_the_bounds_cover_the_ranges_of_the_design():
    def ends(name):
        return ALL[name].bounds[0], ALL[name].bounds[-1]

    assert ends("trading.order.duration") == (0.001, 60.0)
    assert ends("trading.inference.duration") == (0.00005, 10.0)
    notional = ALL["trading.fill.notional"].bounds
    assert [round(upper / lower, 6) for lower, upper in itertools.pairwise(notional)] == [10.0] * 8


def test_no_name_is_both_a_metric_and_a_namespace_of_metrics():
    assert_no_namespace(NAMES)


def test_no_name_is_both_an_attribute_and_a_namespace_of_attributes():
    assert_no_namespace(KEYS)


def test_in_prometheus_no_attribute_is_called_like_another_or_like_a_metric():
    flat = [key.replace(".", "_") for key in KEYS]
    assert len(flat) == len(set(flat))
    assert not set(flat) & {name.replace(".", "_") for name in NAMES}


@pytest.mark.parametrize("line", VOCABULARY.strip().splitlines(), ids=lambda line: line.split()[0])
def test_a_closed_set_has_the_values_that_the_field_uses(line):
    name, *listed = line.split()
    assert getattr(attributes, f"{name}_VALUES") == tuple(listed)


def test_the_well_known_errors_are_those_that_venues_and_networks_give():
    listed = "timeout network rate_limited ip_banned clock auth exchange_unavailable"
    assert set(listed.split()) <= set(attributes.ERROR_TYPE_VALUES)


def test_ids_prices_and_quantities_are_on_no_metric():
    for key in KEYS:
        assert not key.endswith(("id", "price", "quantity")), key


def _level(name, key):
    return next(use.level for use in GROUPS[name].attributes if use.key == key)


def assert_no_namespace(names):
    for name in names:
        assert not [other for other in names if other.startswith(f"{name}.")], name
