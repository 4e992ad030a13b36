"""A bot with portfolio, P&L, trading, risk and operations, some of which it keeps by itself."""

# ruff: noqa: ERA001 - the names that those systems have for things look like code

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
import requests

import otel_trading as ot
from tests.harness import free_port
from tests.unit.users.scraped import Scrape, stop_all


@pytest.fixture
def venue() -> Iterator[str]:
    """A venue's HTTP interface on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Ploutos:
    """Figures that the bot keeps by itself."""

    win_rate: float = 0.55
    sharpe: float = 1.8
    breaker: bool = False
    risky: list[str] = field(default_factory=lambda: ["TSLA", "GME"])


def test_ploutos(venue: str) -> None:
    """Portfolio, P&L, trading, risk and operations."""
    bot = Ploutos()
    mine = {"trading.account.name": "ploutos"}
    with ot.configure(prometheus_port=free_port()) as telemetry:
        account = ot.Account("ploutos", currency="USD", cash=100_000)
        account.update(buying_power=150_000)

        @ot.order_execution(venue="alpaca", strategy="momentum", currency="USD", account=account)
        def buy(symbol: str, side: str, qty: float) -> dict[str, object]:
            return {
                "id": "1",
                "symbol": symbol,
                "side": side,
                "status": "filled",
                "filled_qty": str(qty),
                "filled_avg_price": "200",
            }

        buy("AAPL", "buy", 100)
        account.mark("AAPL", 190)
        with ot.inference.track(model="momentum") as op:
            op.set_result("up")
        ot.record_error("data_feed", TimeoutError())
        ot.record_alert("warning")
        assert requests.get(f"{venue}/v2/account", timeout=10).ok
        stops = [
            ot.observe("trading.trade.win_ratio", lambda: bot.win_rate, attributes=mine),
            ot.observe("trading.returns.sharpe_ratio", lambda: bot.sharpe, attributes=mine),
            ot.observe("trading.circuit_breaker.open", lambda: bot.breaker, attributes={"trading.circuit_breaker.name": "p"}),
            ot.observe("trading.position.risky", lambda: len(bot.risky), attributes=mine),
        ]
        s = Scrape(telemetry)
        stop_all(stops)
        account.close()
    by = {"trading_account_name": "ploutos"}
    usd = {**by, "trading_currency": "USD"}
    # portfolio_value_usd, cash_available_usd, buying_power_usd, positions_count, exposure_percent
    assert s("trading_portfolio_equity", **usd) == 99_000
    assert s("trading_portfolio_cash", **usd) == 80_000
    assert s("trading_portfolio_buying_power", **usd) == 150_000
    assert s("trading_position_active", **by) == 1
    assert s("trading_portfolio_exposure_ratio", **by) == pytest.approx(19_000 / 99_000)
    # daily_pnl_usd, daily_pnl_percent, total_pnl_usd, unrealized_pnl_usd, win_rate_percent
    assert s("trading_pnl_daily", **usd) == -1_000
    assert s("trading_pnl_daily_ratio", **by) == -0.01
    assert s("trading_pnl_net", **usd) == -1_000
    assert s("trading_pnl_unrealized", **usd) == -1_000
    assert s("trading_trade_win_ratio", **by) == 0.55
    # trades_total, trade_amount_usd, trade_latency_seconds, predictions_total
    assert s("trading_fills_total", trading_instrument_symbol="AAPL", trading_order_side="buy", **by) == 1
    assert s("trading_fill_notional_sum", **usd) == 20_000
    assert s("trading_order_duration_seconds_count", trading_strategy_name="momentum") == 1
    assert s("trading_predictions_total", trading_model_name="momentum", trading_prediction_label="up") == 1
    # circuit_breaker_active, risky_positions_count, max_drawdown_percent, sharpe_ratio
    assert s("trading_circuit_breaker_open", trading_circuit_breaker_name="p") == 0
    assert s("trading_position_risky", **by) == 2
    assert s("trading_drawdown_max_ratio", **by) == pytest.approx(0.01)
    assert s("trading_returns_sharpe_ratio", **by) == 1.8
    # errors_total, alerts_total, api_request_duration_seconds
    assert s("trading_errors_total", trading_component_name="data_feed", error_type="timeout") == 1
    assert s("trading_alerts_total", trading_alert_severity="warning") == 1
    # (by the conventions that OpenTelemetry's instrumentation of requests follows, the stable or the older ones)
    stable = s("http_client_request_duration_seconds_count", http_request_method="GET")
    assert (stable or s("http_client_duration_milliseconds_count", http_method="GET")) == 1
