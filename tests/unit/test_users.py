"""Five existing systems whose users must be able to move here: each figure of theirs, by public calls, on a parsed scrape.

What they call a thing stands beside what it is here. What this SDK does not compute is read by `observe` from what the bot keeps.
"""
# ruff: noqa: ERA001 - the names that those systems have for things look like code

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import requests
from opentelemetry import metrics

import otel_trading as ot
from tests.harness import Sample, free_port, scrape
from tests.harness.exposition import find, one


@pytest.fixture(autouse=True)
def without_settings_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


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


class Scrape:
    """What was scraped; `scraped("trading_orders_total", trading_order_side="buy")` is the one such sample's value."""

    def __init__(self, telemetry: ot.Telemetry) -> None:
        assert telemetry.endpoint_url is not None
        self.samples: list[Sample] = scrape(telemetry.endpoint_url, openmetrics=True)

    def __call__(self, name: str, **labels: str) -> float | None:
        return one(self.samples, name, **labels)

    def all(self, name: str, **labels: str) -> list[Sample]:
        return find(self.samples, name, **labels)


def stop_all(stops) -> None:
    for stop in stops:
        stop()


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


@dataclass
class Company:
    """One of the simulation."""

    budget: float
    continent: str

    @property
    def solvent(self) -> bool:
        return self.budget >= 0


@pytest.mark.parametrize("monitored", [True, False], ids=["with metrics", "without"])
def test_tradesim(monitored: bool) -> None:
    """`simulate --tours 3 [--with-metrics]`: the simulation's own metrics under their own names, and its results either way."""
    companies = [Company(100.0, "Europe"), Company(50.0, "Asia"), Company(-10.0, "Asia")]

    def budgets():
        return [company.budget for company in companies]

    def totals():
        by: dict[str, float] = {}
        for company in companies:
            by[company.continent] = by.get(company.continent, 0.0) + company.budget
        return [(total, {"continent": continent}) for continent, total in by.items()]

    exporters = ["prometheus"] if monitored else ["none"]
    with ot.configure(service_name="tradesim", prometheus_port=free_port(), exporters=exporters) as telemetry:
        stops = [
            ot.observe("budget", totals, unit="{currency}", description="Budgets of the companies, by continent."),
            ot.observe("budget.mean", lambda: sum(budgets()) / len(companies), unit="{currency}"),
            ot.observe("budget.min", lambda: min(budgets()), unit="{currency}"),
            ot.observe("budget.max", lambda: max(budgets()), unit="{currency}"),
            ot.observe("companies.solvent", lambda: sum(company.solvent for company in companies), unit="{company}"),
            ot.observe("produits_actifs", lambda: 7),
        ]
        transactions = telemetry.meter.create_counter("transactions", "{transaction}", "Transactions, by outcome.")
        amounts = telemetry.meter.create_histogram(
            "transaction.amount", "{currency}", explicit_bucket_boundaries_advisory=[1.0, 10.0]
        )
        tours = telemetry.meter.create_counter("tours_completes")

        @ot.timed("temps_simulation_tour")
        def tour(number: int) -> int:
            transactions.add(1, {"outcome": "success" if number else "failure"})
            amounts.record(5.0)
            tours.add(1)
            return number * number

        assert [tour(number) for number in range(3)] == [0, 1, 4]
        s = Scrape(telemetry) if monitored else None
        stop_all(stops)
    if s is None:
        return
    # budget_total, transactions_total, produits_actifs, tours_completes, temps_simulation_tour_seconds, CPU and memory
    assert (s("budget", continent="Europe"), s("budget", continent="Asia")) == (100.0, 40.0)
    assert (s("transactions_total", outcome="success"), s("transactions_total", outcome="failure")) == (2, 1)
    assert s("produits_actifs") == 7
    assert s("tours_completes_total") == 3
    assert s("temps_simulation_tour_seconds_count") == 3
    assert s("process_memory_usage_bytes") > 0
    assert s.all("process_cpu_time_seconds_total")
    # mean, min and max of budgets, solvent companies; amounts of transactions
    assert s("budget_mean") == pytest.approx(140 / 3)
    assert (s("budget_min"), s("budget_max"), s("companies_solvent")) == (-10, 100, 2)
    assert s("transaction_amount_sum") == 15


@dataclass
class BotMetrics:
    """The Rust bot's figures in memory, as its terminal dashboard shows them."""

    balances: dict[str, float] = field(default_factory=lambda: {"USDT": 1000.0, "BTC": 0.5})
    trades: int = 0
    wins: int = 0
    positions: dict[str, float] = field(default_factory=dict)


@dataclass
class RiskMetrics:
    sharpe: float | None = None
    value_at_risk: float | None = None
    drawdown: float = 0.0


def test_rust_bot() -> None:
    """Gauges over the bot's own objects: no second source of truth; what is not known yet is absent."""
    bot, risk = BotMetrics(), RiskMetrics()
    mine = {"trading.account.name": "rust"}
    with ot.configure(prometheus_port=free_port()) as telemetry:
        stops = [
            ot.observe(
                "trading.portfolio.cash",
                lambda: [(amount, {"trading.currency": currency}) for currency, amount in bot.balances.items()],
                attributes=mine,
            ),
            ot.observe("bot.trades", lambda: bot.trades, kind="counter", unit="{trade}"),
            ot.observe("trading.trade.win_ratio", lambda: bot.wins / bot.trades if bot.trades else None, attributes=mine),
            ot.observe("trading.position.active", lambda: len(bot.positions), attributes=mine),
            ot.observe(
                "trading.position.size",
                lambda: [(size, {"trading.instrument.symbol": symbol}) for symbol, size in bot.positions.items()],
                attributes=mine,
            ),
            ot.observe("trading.returns.sharpe_ratio", lambda: risk.sharpe, attributes=mine),
            ot.observe(
                "trading.returns.value_at_risk_ratio",
                lambda: risk.value_at_risk,
                attributes={**mine, "trading.risk.confidence": "0.95"},
            ),
            ot.observe("trading.drawdown.current_ratio", lambda: risk.drawdown, attributes=mine),
        ]
        before = Scrape(telemetry)
        bot.trades, bot.wins, bot.positions = 4, 3, {"BTC/USDT": 0.5}
        bot.balances["USDT"] = 900.0
        risk.sharpe, risk.value_at_risk, risk.drawdown = 1.5, 0.02, 0.1
        after = Scrape(telemetry)
        stop_all(stops)
    rust = {"trading_account_name": "rust"}
    assert before("trading_portfolio_cash", trading_currency="USDT", **rust) == 1000
    assert before("bot_trades_total") == 0
    assert before("trading_trade_win_ratio", **rust) is None
    assert before("trading_returns_sharpe_ratio", **rust) is None
    assert after("trading_portfolio_cash", trading_currency="USDT", **rust) == 900
    assert after("trading_portfolio_cash", trading_currency="BTC", **rust) == 0.5
    assert after("bot_trades_total") == 4
    assert after("trading_trade_win_ratio", **rust) == 0.75
    assert after("trading_position_active", **rust) == 1
    assert after("trading_position_size", trading_instrument_symbol="BTC/USDT", **rust) == 0.5
    assert after("trading_returns_sharpe_ratio", **rust) == 1.5
    assert after("trading_returns_value_at_risk_ratio", **rust) == 0.02
    assert after("trading_drawdown_current_ratio", **rust) == 0.1
