"""A real bot, the real Collector, a real Prometheus: what was recorded is what is found."""

from __future__ import annotations

import pytest

from tests.e2e.bot import SERVICE, Bot
from tests.harness import BlackHole, Collector, Prometheus, find, job, one, wait_until


@pytest.fixture
def agent(tmp_path):
    with Collector("agent.yaml", directory=tmp_path) as agent:
        yield agent


def scraping(agent: Collector) -> dict[str, object]:
    return job("agent", agent.metrics_url, honor_labels=True)


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_prometheus_finds_through_the_collector_what_the_bot_recorded(protocol, agent, tmp_path):
    with (
        Prometheus([scraping(agent)], directory=tmp_path) as prometheus,
        Bot(tmp_path, exporters="otlp", collector=agent, protocol=protocol) as bot,
    ):
        bot.do("trade 7")
        bot.do("buy BTC/USD 2 100")
        expected = {
            f'trading_orders_total{{job="{SERVICE}",trading_order_status="filled"}}': 7,
            'trading_order_submissions_total{trading_order_side="buy",trading_order_type="limit"}': 7,
            "trading_order_duration_seconds_count": 7,
            'trading_order_duration_seconds_bucket{le="+Inf"}': 7,
            'trading_position_size{trading_instrument_symbol="BTC/USD"}': 2,
            'trading_portfolio_cash{trading_currency="USD"}': 99_800,
            'target_info{trading_mode="paper"}': 1,
        }
        for query, value in expected.items():
            prometheus.wait_for(query, lambda found, value=value: [s.value for s in found] == [value])


def test_a_collector_that_swallows_and_comes_back_costs_the_bot_nothing_and_loses_nothing(agent, tmp_path):
    """Killed, then in its place a black hole that takes what the bot sends and never answers, then started again.

    Every call of the bot ends while its exporter provably waits for an answer; the sums go on where they were.
    """
    with (
        Prometheus([scraping(agent)], directory=tmp_path) as prometheus,
        Bot(tmp_path, exporters="otlp", collector=agent) as bot,
    ):
        bot.do("trade 3")
        prometheus.wait_for("trading_orders_total == 3")
        agent.kill()
        with BlackHole(port=int(agent.http_endpoint.rpartition(":")[2])) as hole:
            wait_until(lambda: hole.received, "the exporter has sent and waits")
            bot.do("trade 5000")
            bot.do("buy BTC/USD 1 100")
            assert hole.waiting
        agent.start()
        prometheus.wait_for("trading_orders_total == 5003")
        prometheus.wait_for("trading_position_size == 1")
        assert prometheus.value("resets(trading_orders_total[5m])") == 0


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_a_bot_outlives_its_collector(protocol, agent, tmp_path):
    """Nobody listens where the Collector was: the bot works on, and ends when it is asked to."""
    with Bot(tmp_path, exporters="otlp", collector=agent, protocol=protocol) as bot:
        bot.do("trade 1")
        wait_until(lambda: one(agent.scrape(), "trading_orders_total") == 1, "the Collector has the order")
        agent.kill()
        bot.do("trade 2000")
        agent.start()
        wait_until(lambda: one(agent.scrape(), "trading_orders_total") == 2001, "the Collector has all orders")


def test_what_a_bot_did_last_arrives_when_it_is_terminated(agent, tmp_path):
    """SIGTERM, with an export interval that would not have come: the last export is the shutdown's."""
    with Bot(tmp_path, exporters="otlp", collector=agent, env={"OTEL_METRIC_EXPORT_INTERVAL": "3600000"}) as bot:
        bot.do("trade 4")
        bot.stop()
        assert one(agent.scrape(), "trading_orders_total") == 4


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_the_agent_takes_the_spans_of_a_bot_that_traces(protocol, agent, tmp_path):
    traces = {"OTEL_TRADING_TRACES": "true", "OTEL_BSP_SCHEDULE_DELAY": "100"}
    with Bot(tmp_path, exporters="otlp", collector=agent, protocol=protocol, env=traces) as bot:
        bot.do("trade 2")
        accepted = "otelcol_receiver_accepted_spans_total"
        wait_until(lambda: sum(s.value for s in find(agent.telemetry(), accepted)) == 2, "both orders' spans are accepted")
        assert "\tTraces\t" in agent.output()
        assert "error" not in bot.output().lower()


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_a_bot_may_push_to_a_gateway_directly(protocol, agent, settings, tls, token, tmp_path):
    """With nothing but the standard variables that collector-config/README.md names."""
    out = {"OTELCOL_BACKEND_ENDPOINT": agent.http_endpoint, "OTELCOL_QUEUE_DIRECTORY": "queue"}
    with Collector("gateway.yaml", directory=tmp_path, name="gateway", env=settings | out) as gateway:
        endpoint = gateway.grpc_endpoint if protocol == "grpc" else gateway.http_endpoint
        secure = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint.replace("http://", "https://"),
            "OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{token}",
            "OTEL_EXPORTER_OTLP_CERTIFICATE": str(tls.ca),
            # `requests` would take these instead of the certificate.
            "REQUESTS_CA_BUNDLE": "",
            "CURL_CA_BUNDLE": "",
        }
        with Bot(tmp_path, exporters="otlp", protocol=protocol, env=secure) as bot:
            bot.do("trade 6")
            wait_until(lambda: one(agent.scrape(), "trading_orders_total") == 6, "the backend has the orders")
