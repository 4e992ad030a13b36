"""What has ended, ends: a closed position and a bot that was restarted leave nothing that looks alive, on either path."""

from __future__ import annotations

import pytest

from tests.e2e.bot import SERVICE, Bot
from tests.harness import Collector, Prometheus, job

EXPIRATION = "3s"


@pytest.fixture
def agent(tmp_path):
    with Collector("agent.yaml", directory=tmp_path, env={"OTELCOL_METRIC_EXPIRATION": EXPIRATION}) as agent:
        yield agent


@pytest.fixture
def bot(agent, tmp_path):
    with Bot(tmp_path, exporters="prometheus,otlp", collector=agent) as bot:
        yield bot


@pytest.fixture
def prometheus(bot, agent, tmp_path):
    """Scrapes the bot itself (as the job `bot`) and the Collector (as the job that the bot calls itself)."""
    jobs = [job("bot", bot.metrics_url), job("agent", agent.metrics_url, honor_labels=True)]
    with Prometheus(jobs, directory=tmp_path) as prometheus:
        yield prometheus


PATHS = {"bot", SERVICE}


def on_both(value: float):
    return lambda found: {s.labels["job"]: s.value for s in found} == dict.fromkeys(PATHS, value)


def gone(found: list[object]) -> bool:
    return not found


def test_a_closed_position_says_zero_and_is_gone(bot, prometheus):
    bot.do("buy BTC/USD 2 100")
    bot.do("buy ETH/USD 3 10")
    prometheus.wait_for('trading_position_size{trading_instrument_symbol="BTC/USD"}', on_both(2))
    prometheus.wait_for('trading_position_size{trading_instrument_symbol="ETH/USD"}', on_both(3))
    bot.do("sell BTC/USD 2 110")
    for figure in ("size", "value", "unrealized_pnl", "entry_price"):
        prometheus.wait_for(f'trading_position_{figure}{{trading_instrument_symbol="BTC/USD"}}', gone)
    for figure in ("size", "value", "unrealized_pnl"):
        last = f'last_over_time(trading_position_{figure}{{trading_instrument_symbol="BTC/USD"}}[5m])'
        assert on_both(0)(prometheus.query(last))
    assert on_both(3)(prometheus.query('trading_position_size{trading_instrument_symbol="ETH/USD"}'))
    assert on_both(1)(prometheus.query("trading_position_active"))


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_a_bot_that_ended_is_gone(end, bot, prometheus):
    """No restart: nothing of it is shown any more, by nobody."""
    bot.do("buy BTC/USD 2 100")
    prometheus.wait_for("trading_position_size", on_both(2))
    getattr(bot, end)()
    prometheus.wait_for(f'{{job=~"bot|{SERVICE}",__name__!~"up|scrape_.*"}}', gone)
    assert prometheus.value('up{job="bot"}') == 0


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_a_bot_that_was_restarted_shows_only_what_is_true_now(end, bot, prometheus):
    """The new one, without positions, follows at once: the old one's position is not shown beside the new one's figures."""
    bot.do("buy BTC/USD 2 100")
    prometheus.wait_for("trading_position_size", on_both(2))
    prometheus.wait_for("trading_portfolio_cash", on_both(99_800))
    getattr(bot, end)()
    bot.start()
    bot.do("buy ETH/USD 1 50")
    prometheus.wait_for("trading_portfolio_cash", on_both(99_950))
    prometheus.wait_for('trading_position_size{trading_instrument_symbol="BTC/USD"}', gone)
    assert on_both(1)(prometheus.query('trading_position_size{trading_instrument_symbol="ETH/USD"}'))
    assert on_both(1)(prometheus.query("trading_position_active"))
    # The restarted bot went on with the series of the one before, instead of leaving a frozen twin beside it.
    instances = prometheus.query(f'count by (instance) (last_over_time({{job="{SERVICE}"}}[5m]))')
    assert len(instances) == 1
