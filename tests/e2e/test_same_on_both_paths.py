"""Names, label keys and values are the same whether Prometheus scrapes the bot or the Collector that the bot pushes to."""

from __future__ import annotations

from tests.e2e.bot import SERVICE, Bot
from tests.e2e.paths import families, identity, wait_until_same
from tests.harness import Collector, Prometheus, job

MOVING = {
    "trading_drawdown_duration_seconds",
    "process_cpu_time_seconds_total",
    "process_memory_usage_bytes",
    "process_open_file_descriptor_count",
    "process_thread_count",
    "process_uptime_seconds",
    "system_network_io_bytes_total",
}
"""What changes by itself, so that two scrapes see two values."""

METRICS = MOVING | {
    "my_own_jobs_total",
    "my_own_temperature_celsius",
    "my_rebalance_seconds",
    "trading_alerts_total",
    "trading_circuit_breaker_open",
    "trading_drawdown_current_ratio",
    "trading_drawdown_max_ratio",
    "trading_errors_total",
    "trading_fees_total",
    "trading_fill_notional",
    "trading_fills_total",
    "trading_heartbeat_last_beat_time_seconds",
    "trading_heartbeat_timeout_seconds",
    "trading_inference_duration_seconds",
    "trading_market_data_last_update_time_seconds",
    "trading_order_duration_seconds",
    "trading_order_fill_ratio",
    "trading_order_submissions_total",
    "trading_orders_total",
    "trading_pnl_daily",
    "trading_pnl_daily_ratio",
    "trading_pnl_net",
    "trading_pnl_realized",
    "trading_pnl_unrealized",
    "trading_portfolio_buying_power",
    "trading_portfolio_cash",
    "trading_portfolio_equity",
    "trading_portfolio_exposure_gross",
    "trading_portfolio_exposure_net",
    "trading_portfolio_exposure_ratio",
    "trading_portfolio_leverage_ratio",
    "trading_portfolio_margin_available",
    "trading_portfolio_margin_used",
    "trading_portfolio_peak_equity",
    "trading_position_active",
    "trading_position_entry_price",
    "trading_position_size",
    "trading_position_unrealized_pnl",
    "trading_position_value",
    "trading_prediction_score",
    "trading_predictions_total",
    "trading_rebates_total",
    "trading_returns_sharpe_ratio",
    "trading_sdk_dropped_total",
    "trading_sdk_route",
    "trading_order_oldest_open_time_seconds",
    "trading_order_unresolved",
    "trading_portfolio_turnover_ratio",
    "trading_signals_total",
    "trading_slippage",
    "trading_slippage_cost",
    "trading_strategy_cycle_duration_seconds",
    "trading_strategy_cycle_interval_seconds",
    "trading_strategy_last_cycle_time_seconds",
    "trading_stream_connected",
    "trading_stream_messages_total",
    "trading_stream_reconnects_total",
    "trading_venue_connected",
    "trading_volume_total",
}
"""All that the bot of these tests emits when it does everything: what the SDK gains is added here and in bot_program.py."""


def test_every_metric_is_the_same_on_both_paths(tmp_path):
    with (
        Collector("agent.yaml", directory=tmp_path) as agent,
        Bot(tmp_path, exporters="prometheus,otlp", collector=agent) as bot,
        Prometheus(
            [job("bot", bot.metrics_url), job("agent", agent.metrics_url, honor_labels=True)], directory=tmp_path
        ) as prometheus,
    ):
        bot.do("everything")
        prometheus.wait_for("my_own_jobs_total", lambda found: len(found) == 2)
        shown = wait_until_same(prometheus, "bot", SERVICE, MOVING)
        assert families(shown) == METRICS

        told = identity(prometheus, SERVICE)
        assert told["service_name"] == SERVICE
        assert told["trading_mode"] == "paper"
        assert identity(prometheus, "bot") == told
