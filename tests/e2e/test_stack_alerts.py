"""What goes wrong with a bot reaches its owner, with a page that says what to do, and so does its end.

The stack as `otel-trading stack` writes and runs it, changed where a user would change it: how long an alert waits, how often
Prometheus looks, and a webhook that hears of everything.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

from otel_trading.stack.grafana.documents import UIDS
from tests.e2e.bot import Bot
from tests.harness import Listener, fetch, wait_until
from tests.harness.stack import PROGRAM, Stack

FAILING_BOT = Path(__file__).with_name("failing_bot.py")

SOONER: dict[str, dict[str, Any]] = {
    "TradingCircuitBreakerOpen": {"for": "1s"},
    "TradingMarketDataStale": {"for": "1s", "threshold": 5},
    "TradingOrdersRejected": {"for": "1s"},
    "TradingStrategyStalled": {"for": "1s"},  # after a minute at least, whatever is set
    "TradingBotGone": {"for": "1s", "threshold": 5},
}

FAILURES = set(SOONER) - {"TradingBotGone"}
BOTS = ("scraped", "pushing")
DOOMED = tuple(f"{name}-doomed" for name in BOTS)
EXPECTED = {(name, alert) for name in BOTS for alert in FAILURES} | {(name, "TradingBotGone") for name in DOOMED}


def initialised(directory: Path) -> None:
    done = subprocess.run([PROGRAM, "stack", "init", directory], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def prepared(directory: Path, webhook: str, targets: dict[str, Bot]) -> Path:
    """The directory of a stack whose user wants to hear of everything at once."""
    initialised(directory)
    (directory / "alerts.yaml").write_text(yaml.safe_dump({"alerts": SOONER}))
    initialised(directory)
    prometheus = directory / "prometheus" / "prometheus.yml"
    prometheus.write_text(re.sub(r"(scrape|evaluation)_(interval|timeout): \d+s", r"\1_\2: 1s", prometheus.read_text()))
    bots = [{"targets": [f"127.0.0.1:{bot.port}"], "labels": {"job": name}} for name, bot in targets.items()]
    (directory / "prometheus" / "targets" / "bots.yml").write_text(yaml.safe_dump(bots))
    alertmanager = directory / "alertmanager" / "alertmanager.yml"
    contents = yaml.safe_load(alertmanager.read_text())
    for route in (contents["route"], *contents["route"]["routes"]):
        route |= {"group_wait": "2s", "group_interval": "1s"}
    for receiver in contents["receivers"]:
        receiver["webhook_configs"] = [{"url": webhook}]
    alertmanager.write_text(yaml.safe_dump(contents))
    return directory


def told(webhook: Listener, status: str) -> list[dict[str, Any]]:
    """The alerts that the webhook has heard of as firing or as resolved."""
    return [alert for request in webhook.heard for alert in json.loads(request.body)["alerts"] if alert["status"] == status]


def names(webhook: Listener, status: str) -> set[tuple[str, str]]:
    return {key(alert) for alert in told(webhook, status)}


def key(alert: dict[str, Any]) -> tuple[str, str]:
    """The bot that an alert is about, and its name; one about the stack as a whole has no job."""
    return alert["labels"].get("job", ""), alert["labels"]["alertname"]


def heard(webhook: Listener, status: str, expected: set[tuple[str, str]], timeout: float) -> None:
    """Wait until the webhook has heard of each alert of a bot."""
    try:
        wait_until(lambda: expected <= names(webhook, status), f"they are told of as {status}", timeout)
    except AssertionError as error:
        raise AssertionError(f"{error}; missing are {sorted(expected - names(webhook, status))}") from None


def test_each_failure_arrives_with_a_working_link_and_resolves_when_it_is_mended(tmp_path):
    """On both paths: the circuit breaker opens, the strategy freezes, market data is lost, orders are rejected, a bot is killed."""
    bots = {
        name: Bot(
            tmp_path / name,
            exporters="prometheus" if name.startswith("scraped") else "otlp",
            env={"OTEL_SERVICE_NAME": name},
            program=FAILING_BOT,
        )
        for name in (*BOTS, *DOOMED)
    }
    scraped = {name: bot for name, bot in bots.items() if name.startswith("scraped")}
    with Listener() as webhook:
        directory = prepared(tmp_path / "stack", webhook.url, scraped)
        with Stack(directory, log=tmp_path, env={"OTELCOL_METRIC_EXPIRATION": "3s"}) as stack:
            for bot in bots.values():
                bot.env |= {"OTEL_EXPORTER_OTLP_ENDPOINT": stack.url("otlp-http")}
                bot.start()
            try:
                play(bots, stack, webhook)
            finally:
                for bot in bots.values():
                    bot.kill()


def play(bots: dict[str, Bot], stack: Stack, webhook: Listener) -> None:
    stack.prometheus.wait_for("trading_market_data_last_update_time_seconds", lambda found: len(found) == len(bots))
    failing = [bots[name] for name in BOTS]
    for bot in failing:
        bot.do("fail strategy data")
        bot.do("price 50")
        bot.do("reject 30")
    # The alert asks every quarter of a minute whether a bot is there: one that did not live at any was never there.
    seen = 'max by (job) (max_over_time(timestamp(trading_sdk_route{job=~".+-doomed"})[1d:15s]))'
    stack.prometheus.wait_for(seen, lambda found: len(found) == len(DOOMED), timeout=90)
    for name in DOOMED:
        bots[name].kill()
    heard(webhook, "firing", {(name, "TradingBotGone") for name in DOOMED}, timeout=60)
    for name in DOOMED:
        bots[name].start()
    heard(webhook, "firing", EXPECTED, timeout=120)
    for bot in failing:
        bot.do("mend strategy data")
        bot.do("price 100")
        bot.do("reset")
        bot.do("fill 2000")
    heard(webhook, "resolved", EXPECTED, timeout=60)
    fired = [alert for alert in told(webhook, "firing") if key(alert) in EXPECTED]
    for name, link in {(alert["labels"]["alertname"], alert["annotations"]["runbook_url"]) for alert in fired}:
        assert link.startswith(stack.url("prometheus"))
        page = fetch(link)
        assert (page.status, f"<h1>{name}</h1>" in page.text) == (200, True), link
    for alert in fired:
        dashboard = urlsplit(alert["annotations"]["dashboard_url"])
        assert parse_qs(dashboard.query) == {"var-job": [alert["labels"]["job"]]}
        assert dashboard.path.removeprefix("/d/") in UIDS
    # Of a bot that is gone its accounts are, too: that need not be said.
    gone = [alert["labels"] for alert in fired if alert["labels"]["alertname"] == "TradingBotGone"]
    assert [labels for labels in gone if "trading_account_name" in labels] == []
