"""The examples run as they stand, and what they promise is on their endpoint."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.harness import Process, find, free_port, scrape, wait_until

EXAMPLES = Path(__file__).parents[2] / "examples"
PROMISED = {
    "async_bot.py": {"trading_fills_total", "trading_prediction_score_count", "trading_slippage_count"},
    "undecorated_bot.py": {"trading_orders_total", "trading_errors_total", "trading_portfolio_equity", "bot_connections"},
}


@pytest.mark.parametrize("name", sorted(PROMISED))
def test_an_example_runs_until_ctrl_c(name, tmp_path):
    port = free_port()
    env = {"OTEL_EXPORTER_PROMETHEUS_PORT": str(port), "PYTHONWARNINGS": "error", "PYTHONPATH": os.pathsep.join(sys.path)}
    with Process(name, [sys.executable, EXAMPLES / name], directory=tmp_path, env=env) as bot:
        url = f"http://127.0.0.1:{port}/metrics"
        for metric in PROMISED[name]:
            wait_until(lambda metric=metric: find(scrape(url, openmetrics=True), metric), f"{name} has {metric}", interval=0.2)
        os.kill(bot.pid, signal.SIGINT)
        assert bot.wait() == 0
        assert f"metrics: {url}" in bot.output()
        assert "Traceback" not in bot.output()
