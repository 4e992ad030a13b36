"""A bot with several strategies, and an API of its own."""

from __future__ import annotations

import pytest
from opentelemetry import metrics

import otel_trading as ot
from tests.harness import free_port
from tests.unit.users.scraped import Scrape, stop_all


def test_zigquant_strategies_and_orders() -> None:
    """Figures of each strategy and symbol, and of orders."""
    strategies = {"grid": {"win": 0.6, "sharpe": 1.2, "calmar": 0.9, "pnl": {"BTC/USD": 12.5, "ETH/USD": -3.0}}}
    buckets = (0.01, 0.05, 0.1, 0.5, 1.0)

    def per_strategy(figure: str):
        return lambda: [(known[figure], {"trading.strategy.name": name}) for name, known in strategies.items()]

    def per_pair():
        return [
            (pnl, {"trading.strategy.name": name, "trading.instrument.symbol": pair})
            for name, known in strategies.items()
            for pair, pnl in known["pnl"].items()
        ]

    book = {"trading.account.name": "book"}
    with ot.configure(prometheus_port=free_port(), histogram_buckets={"trading.order.duration": buckets}) as telemetry:
        ot.record_fill(venue="binance", symbol="BTC/USD", side="buy", quantity=1, price=10, strategy="grid")
        ot.record_order(venue="binance", side="buy", type="limit", status="canceled", latency=0.07, strategy="grid")
        stops = [
            ot.observe("trading.trade.win_ratio", per_strategy("win"), attributes=book),
            ot.observe("trading.returns.sharpe_ratio", per_strategy("sharpe"), attributes=book),
            ot.observe("trading.returns.calmar_ratio", per_strategy("calmar"), attributes=book),
            ot.observe("trading.pnl.realized", per_pair, attributes={**book, "trading.currency": "USD"}),
            ot.observe("trading.order.active", lambda: 3, attributes={"trading.venue.name": "binance"}),
        ]
        s = Scrape(telemetry)
        stop_all(stops)
    grid = {"trading_strategy_name": "grid"}
    # trades_total{strategy,pair,side}, trade_pnl{strategy,pair}, win_rate, sharpe_ratio, calmar_ratio {strategy}
    assert s("trading_fills_total", trading_instrument_symbol="BTC/USD", trading_order_side="buy", **grid) == 1
    assert s("trading_pnl_realized", trading_instrument_symbol="BTC/USD", **grid) == 12.5
    assert s("trading_pnl_realized", trading_instrument_symbol="ETH/USD", **grid) == -3.0
    assert s("trading_trade_win_ratio", **grid) == 0.6
    assert s("trading_returns_sharpe_ratio", **grid) == 1.2
    assert s("trading_returns_calmar_ratio", **grid) == 0.9
    # orders_total{status}, order_latency_seconds, orders_active
    assert s("trading_orders_total", trading_order_status="canceled") == 1
    below = {float(b.labels["le"]): b.value for b in s.all("trading_order_duration_seconds_bucket", **grid)}
    assert below == {0.01: 0, 0.05: 0, 0.1: 1, 0.5: 1, 1.0: 1, float("inf"): 1}
    assert s("trading_order_active", trading_venue_name="binance") == 3


def test_zigquant_positions_risk_and_operations() -> None:
    """Positions, the bot's own API, the process, the venue, risk."""
    tail = {"trading.account.name": "zig", "trading.risk.confidence": 0.95}
    with ot.configure(prometheus_port=free_port()) as telemetry:
        account = ot.Account("zig", currency="USD", cash=1_000)
        for pair, side in (("BTC/USD", "buy"), ("ETH/USD", "sell")):
            ot.record_fill(venue="binance", symbol=pair, side=side, quantity=1, price=10, account=account)
        account.update(equity=918)
        account.mark("BTC/USD", 12)
        ot.set_venue_connected("binance", True)
        ot.record_alert("critical")
        stops = [
            ot.observe("trading.returns.value_at_risk_ratio", lambda: 0.031, attributes=tail),
            ot.observe("trading.returns.expected_shortfall_ratio", lambda: 0.045, attributes=tail),
        ]
        # The bot's own API is measured by OpenTelemetry's instrumentation of its framework, which records like this.
        meter = metrics.get_meter("opentelemetry.instrumentation.asgi")
        duration = meter.create_histogram("http.server.request.duration", "s", "Duration of HTTP server requests.")
        active = meter.create_up_down_counter("http.server.active_requests", "{request}", "Number of active requests.")
        route = {"http.request.method": "GET", "http.route": "/positions"}
        duration.record(0.02, {**route, "http.response.status_code": 200})
        active.add(1, {"http.request.method": "GET"})
        s = Scrape(telemetry)
        stop_all(stops)
        account.close()
    # position_size{pair}, position_pnl{pair}, position_count, max_drawdown
    zig = {"trading_account_name": "zig"}
    assert s("trading_position_size", trading_instrument_symbol="ETH/USD", **zig) == -1
    assert s("trading_position_unrealized_pnl", trading_instrument_symbol="BTC/USD", **zig) == 2
    assert s("trading_position_active", **zig) == 2
    assert s("trading_drawdown_max_ratio", **zig) == pytest.approx(0.082)
    # api_requests_total{method,path,status}, api_latency_seconds{method,path}, api_connections_active
    http = {"http_request_method": "GET", "http_route": "/positions"}
    assert s("http_server_request_duration_seconds_count", http_response_status_code="200", **http) == 1
    assert s("http_server_active_requests", http_request_method="GET") == 1
    # memory_bytes, uptime_seconds, threads, exchange_connected{exchange}
    assert s("process_memory_usage_bytes") > 0
    assert s("process_uptime_seconds") > 0
    assert s("process_thread_count") >= 1
    assert s("trading_venue_connected", trading_venue_name="binance") == 1
    # var_95, cvar_95, alerts_total{level}
    assert s("trading_returns_value_at_risk_ratio", trading_risk_confidence="0.95", **zig) == 0.031
    assert s("trading_returns_expected_shortfall_ratio", trading_risk_confidence="0.95", **zig) == 0.045
    assert s("trading_alerts_total", trading_alert_severity="critical") == 1
