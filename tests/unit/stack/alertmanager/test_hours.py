"""Of a market that closes nobody hears that its data is stale while it is closed: the routes and times, `# ` taken away."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.harness import Alertmanager, Listener, wait_until
from tests.unit.stack.alertmanager.shipped import CONFIG, amtool, copy, of_a_market_that_closes

STOCKS, CRYPTO = "stock-bot", "crypto-bot"
ALWAYS: list[dict[str, Any]] = [{"times": [{"start_time": "00:00", "end_time": "24:00"}]}]
NEVER: list[dict[str, Any]] = [{"years": ["1999"]}]
CLOSES = {
    "TradingMarketDataStale": "critical",
    "TradingStreamDown": "critical",
    "TradingInstrumentDataStale": "warning",
    "TradingFeaturesStale": "warning",
    "TradingPredictionsMissing": "warning",
}


def test_as_it_is_shipped_every_hour_is_alike():
    assert "time_intervals" not in yaml.safe_load(CONFIG.read_text())
    assert "time_intervals" not in str(yaml.safe_load(CONFIG.read_text())["route"])


def test_it_is_valid_with_the_hours_of_new_york(tmp_path):
    config = copy(tmp_path)
    config.write_text(of_a_market_that_closes(STOCKS))
    status, said = amtool("check-config", config)
    assert status == 0, said
    hours, holidays = yaml.safe_load(config.read_text())["time_intervals"]
    [interval] = hours["time_intervals"]
    assert interval["location"] == "America/New_York"
    assert {each["location"] for each in holidays["time_intervals"]} == {"America/New_York"}


@pytest.mark.parametrize(("name", "severity"), CLOSES.items())
@pytest.mark.parametrize("job", [STOCKS, CRYPTO])
def test_an_alert_goes_to_the_same_receiver_as_without_them(name, severity, job, tmp_path):
    config = copy(tmp_path)
    config.write_text(of_a_market_that_closes(STOCKS))
    labels = (f"alertname={name}", f"severity={severity}", f"job={job}")
    status, said = amtool("config", "routes", "test", f"--config.file={config}", f"--verify.receivers={severity}", *labels)
    assert status == 0, said


def heard(
    directory: Path, hours: list[dict[str, Any]], holidays: list[dict[str, Any]], expected: set[tuple[str, str]]
) -> set[tuple[str, str]]:
    """The job and name of each alert that is told of when the market's hours and holidays are these; `expected` are awaited."""
    config = copy(directory)
    contents = yaml.safe_load(of_a_market_that_closes(STOCKS))
    for given, times in zip(contents["time_intervals"], (hours, holidays), strict=True):
        given["time_intervals"] = times
    contents.pop("inhibit_rules")  # one of them explains another, here they have nothing to do with each other
    with Listener() as webhook:
        for route in (contents["route"], *contents["route"]["routes"]):
            route |= {"group_wait": "0s", "group_interval": "1s"}
        for receiver in contents["receivers"]:
            receiver["webhook_configs"] = [{"url": webhook.url}]
        config.write_text(yaml.safe_dump(contents))

        def told() -> set[tuple[str, str]]:
            labels = [alert["labels"] for request in webhook.heard for alert in json.loads(request.body)["alerts"]]
            return {(each["job"], each["alertname"]) for each in labels}

        with Alertmanager(config) as alertmanager:
            for job in (STOCKS, CRYPTO):
                alertmanager.post(
                    [
                        {"labels": {"alertname": name, "severity": severity, "job": job}}
                        for name, severity in (*CLOSES.items(), ("TradingErrors", "warning"))
                    ]
                )
            wait_until(lambda: expected <= told(), "those that are expected are told of")
            # What comes last is told of after whatever else could have been.
            alertmanager.post([{"labels": {"alertname": "TradingErrors", "severity": "warning", "job": "marker"}}])
            wait_until(lambda: ("marker", "TradingErrors") in told(), "what came last is told of")
            return told()


@pytest.mark.parametrize(
    ("hours", "holidays", "told"),
    [
        pytest.param(ALWAYS, NEVER, True, id="open"),
        pytest.param(NEVER, NEVER, False, id="closed"),
        pytest.param(ALWAYS, ALWAYS, False, id="holiday"),
    ],
)
def test_stale_data_is_told_of_while_the_market_is_open_only(hours, holidays, told, tmp_path):
    """A real Alertmanager at whatever time it is, within the times and outside of them; other alerts and bots are always told of."""
    expected = {(CRYPTO, name) for name in CLOSES} | {(job, "TradingErrors") for job in (STOCKS, CRYPTO)}
    expected |= {(STOCKS, name) for name in CLOSES} if told else set()
    assert heard(tmp_path, hours, holidays, expected) == expected | {("marker", "TradingErrors")}
