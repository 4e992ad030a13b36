"""Who hears of which alert, as amtool reads the configuration that is shipped."""

from __future__ import annotations

import pytest
import yaml

from otel_trading.stack.prometheus.rules import alerts
from tests.unit.stack.alertmanager.shipped import CONFIG, amtool, copy, filled_in, with_secrets
from tests.unit.stack.prometheus import vocabulary

ROUTES = yaml.safe_load(CONFIG.read_text())["route"]


def test_as_it_is_shipped_it_is_valid_and_tells_nobody():
    status, said = amtool("check-config", CONFIG)
    assert status == 0, said
    assert "1 templates" in said
    names = ("critical", "watchdog", "warning", "info")
    assert yaml.safe_load(CONFIG.read_text())["receivers"] == [{"name": name} for name in names]


def test_with_every_channel_filled_in_it_is_valid(tmp_path):
    config = copy(tmp_path)
    config.write_text(
        with_secrets(
            filled_in(),
            tmp_path,
            **{
                "telegram-bot-token": "1:a",
                "webhook-url": "http://127.0.0.1:1/hook",
                "watchdog-url": "http://127.0.0.1:1/ping",
            },
        )
    )
    status, said = amtool("check-config", config)
    assert status == 0, said
    channels = [channel for receiver in yaml.safe_load(config.read_text())["receivers"] for channel in receiver]
    assert [channel for channel in channels if channel != "name"] == [
        *("telegram_configs", "webhook_configs", "webhook_configs", "slack_configs", "email_configs")
    ]
    assert channels.count("name") == 4


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ("severity=critical", "critical"),
        ("severity=warning", "warning"),
        ("severity=info", "info"),
        ("severity=page", "warning"),
        ("job=mine", "warning"),
        ("alertname=TradingWatchdog severity=critical", "watchdog"),
        ("alertname=TradingWatchdog severity=info", "watchdog"),
        ("alertname=TradingWatchdog severity=none", "watchdog"),
    ],
)
def test_an_alert_goes_where_its_severity_says_and_any_other_to_the_warnings(labels, receiver):
    status, said = amtool(
        "config", "routes", "test", f"--config.file={CONFIG}", f"--verify.receivers={receiver}", *labels.split()
    )
    assert status == 0, said


def test_every_severity_of_the_rules_has_a_receiver_of_its_own():
    names = {receiver["name"] for receiver in yaml.safe_load(CONFIG.read_text())["receivers"]}
    assert {alert.severity for alert in alerts()} <= names


def seconds(duration: str) -> int:
    return int(duration[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[duration[-1]]


def test_the_more_serious_the_sooner_and_the_more_often():
    """Critical ones at once and every hour, warnings grouped, the rest once a day."""
    [_, critical, info] = ROUTES["routes"]
    times = {
        name: [seconds(route[key]) for key in ("group_wait", "group_interval", "repeat_interval")]
        for name, route in (("critical", critical), ("warning", ROUTES), ("info", info))
    }
    assert times["critical"] == [10, 60, 3600]
    assert times["warning"] == [60, 600, 43200]
    assert times["info"] == [3600, 86400, 86400]


def test_the_dead_mans_switch_is_told_once_a_minute():
    """Alertmanager looks at a group once in its interval: at 30 s it is too soon to say it again, at 60 s it is not."""
    switch = ROUTES["routes"][0]
    wait, interval, repeat = (seconds(switch[key]) for key in ("group_wait", "group_interval", "repeat_interval"))
    assert wait == 0
    assert interval < repeat < 2 * interval == 60


def test_messages_are_grouped_by_bot_and_account_and_the_digest_is_one():
    [_, critical, info] = ROUTES["routes"]
    assert ROUTES["group_by"] == ["job", "trading_account_name"]
    assert "group_by" not in critical
    assert info["group_by"] == ["severity"]
    assert set(ROUTES["group_by"]) <= set[str]().union(*vocabulary.metrics().values())
