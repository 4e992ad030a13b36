"""A bot with functions `record_trade`, `update_portfolio_metrics` and so on, and environment variables METRICS_*."""

# ruff: noqa: ERA001 - the names that those systems have for things look like code

from __future__ import annotations

import pytest

import otel_trading as ot
from tests.harness import free_port
from tests.unit.users.scraped import Scrape


def test_stoic_citadel(monkeypatch: pytest.MonkeyPatch) -> None:
    """`record_trade`, `record_order`, `update_portfolio_metrics`, `set_circuit_breaker_status`, `record_ml_inference`, METRICS_*."""
    port = free_port()
    monkeypatch.setenv("METRICS_PORT", str(port))
    monkeypatch.setenv("METRICS_HOST", "127.0.0.1")
    breaker = {"open": 0}
    with ot.configure(histogram_buckets={"trading.order.duration": (0.1, 0.5)}) as telemetry:
        assert telemetry.endpoint_url == f"http://127.0.0.1:{port}/metrics"
        account = ot.Account("citadel", currency="USD", cash=10_000)
        # record_trade("buy", "filled", 0.125)
        ot.record_order(venue="binance", side="buy", type="market", status="filled", latency=0.125)
        # record_order("limit", filled=True)
        ot.record_order(venue="binance", side="sell", type="limit", status="filled")
        # update_portfolio_metrics(value=10_000), then (value=10_123, positions=[{symbol, size}], pnl_pct=1.23)
        account.update(equity=10_000)
        account.update(equity=10_123, positions=[{"symbol": "BTC/USD", "size": 0.5}, {"symbol": "ETH/USD", "size": -2}])
        # set_circuit_breaker_status(1)
        stop = ot.observe(
            "trading.circuit_breaker.open", lambda: breaker["open"], attributes={"trading.circuit_breaker.name": "citadel"}
        )
        breaker["open"] = 1
        # record_ml_inference(45.7), in milliseconds
        ot.record_inference(45.7 / 1000, model="citadel")
        # wished for: slippage, commission
        with ot.order_execution.track(
            venue="binance", symbol="BTC/USD", side="buy", type="market", reference_price=100.0
        ) as op:
            op.set_result(
                {"id": "1", "status": "closed", "filled": 1, "average": 100.1, "fee": {"cost": 0.1, "currency": "USD"}}
            )
        with ot.strategy_cycle.track("citadel", every=60):
            pass
        s = Scrape(telemetry)
        stop()
        account.close()
    filled = {"trading_order_status": "filled"}
    # trades_total{side,status}, orders_total{order_type}, order_latency_seconds, with the buckets that were chosen
    assert s("trading_orders_total", trading_order_side="sell", **filled) == 1
    assert s("trading_order_submissions_total", trading_order_type="limit") == 1
    assert s("trading_order_duration_seconds_sum", trading_order_operation="submit", **filled) >= 0.125
    assert {b.labels["le"] for b in s.all("trading_order_duration_seconds_bucket")} == {"0.1", "0.5", "+Inf"}
    # ml_inference_latency_ms
    assert s("trading_inference_duration_seconds_sum", trading_model_name="citadel") == pytest.approx(0.0457)
    # portfolio_value_usd, open_positions, daily_pnl_pct
    mine = {"trading_account_name": "citadel"}
    assert s("trading_portfolio_equity", trading_currency="USD", **mine) == 10_123
    assert s("trading_position_active", **mine) == 2
    assert s("trading_position_size", trading_instrument_symbol="ETH/USD", **mine) == -2
    assert s("trading_pnl_daily_ratio", **mine) == pytest.approx(0.0123)
    # circuit_breaker_status, up
    assert s("trading_circuit_breaker_open", trading_circuit_breaker_name="citadel") == 1
    assert s("target_info") == 1
    assert s("trading_strategy_last_cycle_time_seconds", trading_strategy_name="citadel") > 1_700_000_000
    # slippage, commission, memory, CPU, network
    assert s("trading_slippage_sum", trading_slippage_direction="adverse") == pytest.approx(10.0)
    assert s("trading_fees_total", trading_currency="USD", trading_venue_name="binance") == 0.1
    assert s("process_memory_usage_bytes") > 0
    assert s.all("process_cpu_time_seconds_total")
    assert s.all("system_network_io_bytes_total")


def test_stoic_citadel_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """METRICS_ENABLED=false: everything can be called and nothing is served."""
    monkeypatch.setenv("METRICS_ENABLED", "false")
    with ot.configure() as telemetry:
        assert telemetry.endpoint_url is None
        ot.record_order(venue="binance", side="buy", type="market", status="filled", latency=0.125)
        assert ot.inference(model="off")(lambda: "up")() == "up"
