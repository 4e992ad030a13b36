"""The file with the thresholds: what it says is done, and what is wrong in it is named."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from otel_trading import ConfigurationError
from otel_trading.stack.prometheus.rules import alerts, texts
from otel_trading.stack.prometheus.settings import RuleSettings, load, text


def loaded(directory: Path, contents: str) -> RuleSettings:
    file = directory / "alerts.yaml"
    file.write_text(contents, encoding="utf-8")
    return load(file, alerts())


@pytest.mark.parametrize(
    ("contents", "told"),
    [
        pytest.param(
            "alerts: {TradingStrategyStaled: {threshold: 3}}",
            "alerts.TradingStrategyStaled: there is no such alert; there are TradingStrategyStalled, ",
            id="an alert that there is not",
        ),
        pytest.param(
            "alerts: {TradingStrategyStalled: {treshold: 3}}",
            "alerts.TradingStrategyStalled.treshold: there is no such setting; there are enabled, threshold, for, severity",
            id="a setting of an alert that there is not",
        ),
        pytest.param(
            "grafana: http://grafana",
            "grafana: there is no such setting; there are runbook_url, grafana_url, slos, alerts",
            id="a setting that there is not",
        ),
        pytest.param(
            "alerts: {TradingStrategyStalled: {for: soon}}",
            "alerts.TradingStrategyStalled.for = 'soon': a duration as Prometheus writes it, such as 90s, 5m or 1h30m",
            id="no duration",
        ),
        pytest.param(
            "alerts: {TradingStrategyStalled: {severity: page}}",
            "alerts.TradingStrategyStalled.severity = 'page': Input should be 'critical', 'warning' or 'info'",
            id="no severity",
        ),
        pytest.param(
            "alerts: {TradingStrategyStalled: {threshold: .nan}}",
            "alerts.TradingStrategyStalled.threshold = nan: Input should be a finite number",
            id="no finite number",
        ),
        pytest.param(
            "alerts: {TradingStrategyStalled: {threshold: many}}",
            "alerts.TradingStrategyStalled.threshold = 'many': Input should be a valid number",
            id="no number",
        ),
        pytest.param(
            "alerts: {TradingDailyLoss: {threshold: 5}}",
            "alerts.TradingDailyLoss.threshold = 5: it has to be a fraction between 0 and 1, 0.05 for 5 %",
            id="a percentage in place of a fraction",
        ),
        pytest.param(
            "alerts: {TradingDailyLoss: {threshold: -0.05}}",
            "alerts.TradingDailyLoss.threshold = -0.05: it has to be a fraction between 0 and 1, 0.05 for 5 %",
            id="a loss with a sign",
        ),
        pytest.param(
            "alerts: {TradingErrors: {threshold: -1}}",
            "alerts.TradingErrors.threshold = -1: it has to be 0 or more",
            id="a count below 0",
        ),
        pytest.param(
            "alerts: {TradingVenueDisconnected: {threshold: 1}}",
            "alerts.TradingVenueDisconnected.threshold: TradingVenueDisconnected has none; leave it out",
            id="a threshold where there is none",
        ),
        pytest.param(
            "alerts: {TradingStrategyStalled: 3}",
            "alerts.TradingStrategyStalled = 3: it has to be settings by name, such as `for: 5m`",
            id="a value in place of settings",
        ),
        pytest.param("- 1", "the file = [1]: it has to be names and values", id="a list"),
        pytest.param("alerts: [", "it is malformed: ", id="no YAML"),
        pytest.param("? [alerts]\n: 1", "it is malformed: ", id="a list as a name"),
        pytest.param(
            "alerts: {TradingDailyLoss: {threshold: 0.05}}\nslos: {}\nalerts: {TradingBotGone: {for: 5m}}",
            'alerts stands there twice\n  in "<unicode string>", line 3, column 1',
            id="a part that stands twice",
        ),
        pytest.param(
            "alerts:\n  TradingDailyLoss: {threshold: 0.05}\n  TradingDailyLoss: {severity: critical}",
            "TradingDailyLoss stands there twice",
            id="an alert that stands twice",
        ),
        pytest.param(
            "grafana_url: grafana.example.org",
            "grafana_url = 'grafana.example.org': it has to begin with http:// or https://",
            id="dashboards at no address",
        ),
        pytest.param(
            "runbook_url: 'wiki/{alert}'",
            "runbook_url = 'wiki/{alert}': it has to begin with http:// or https://",
            id="runbooks at no address",
        ),
    ],
)
def test_what_is_wrong_is_named_with_the_file_and_what_is_allowed(contents, told, tmp_path):
    with pytest.raises(ConfigurationError) as error:
        loaded(tmp_path, contents)
    assert str(error.value).startswith(f"{tmp_path / 'alerts.yaml'}: ")
    assert told in str(error.value)


def test_everything_that_is_wrong_is_named_at_once(tmp_path):
    with pytest.raises(ConfigurationError, match=r"grafana_url = 3: .*; alerts\.TradingBotGone\.for = 'x': "):
        loaded(tmp_path, "{grafana_url: 3, alerts: {TradingBotGone: {for: x}}}")


def test_a_file_that_cannot_be_read_is_an_error(tmp_path):
    with pytest.raises(ConfigurationError, match=r"none\.yaml: it cannot be read: No such file"):
        load(tmp_path / "none.yaml", alerts())


@pytest.mark.parametrize(
    "contents",
    [
        pytest.param("", id="empty"),
        pytest.param("# nothing yet\n", id="a comment"),
        pytest.param("alerts: {}\n", id="no alerts"),
        pytest.param("slos:\n  # order_errors:\nalerts:\n  # TradingBotGone:\n", id="all that was below is a comment"),
        pytest.param("slos:\n  order_errors:\nalerts:\n  TradingBotGone:\n    # for: 5m\n", id="names alone"),
    ],
)
def test_what_is_left_out_stays_as_it_is(contents, tmp_path):
    assert texts(loaded(tmp_path, contents)) == texts(RuleSettings())


def test_runbooks_may_be_elsewhere_or_at_prometheus(tmp_path):
    for url in ("https://wiki.example.org/{alert}", "{{ $externalURL }}/consoles/mine/{alert}.html"):
        assert loaded(tmp_path, f"runbook_url: '{url}'").runbook_url == url


def test_the_file_that_is_written_changes_nothing_and_names_every_alert(tmp_path):
    """A threshold in it is the one that the rules have, so a user sees what he changes."""
    written = text(alerts())
    assert texts(loaded(tmp_path, written)) == texts(RuleSettings())
    given = yaml.safe_load(written)["alerts"]
    assert list(given) == [alert.name for alert in alerts()]
    for alert in alerts():
        assert given[alert.name].get("threshold") == (alert.threshold and alert.threshold.value)
        assert given[alert.name]["for"] == alert.pending
        assert given[alert.name]["severity"] == alert.severity
