"""The colours of panels are where the alerts fire, also by the settings of a user."""

from __future__ import annotations

from typing import Any

import pytest

from otel_trading.stack.grafana.colors import FOLLOWING
from otel_trading.stack.grafana.documents import dashboards
from otel_trading.stack.prometheus.rules import alerts
from otel_trading.stack.prometheus.settings import Change, RuleSettings
from tests.unit.stack.grafana.grafana import BOARDS, panels

ALERTS = {alert.name: alert for alert in alerts()}


def changed(name: str, threshold: float) -> dict[str, Any]:
    return dashboards(RuleSettings(alerts={name: Change(threshold=threshold)}))


def steps(boards: dict[str, Any], uid: str, title: str) -> list[list[tuple[float | None, str]]]:
    """The thresholds of a panel, and of each column of a table, as values and colours."""
    [panel, *_] = [panel for panel in panels(boards[uid]) if panel["title"] == title and panel["type"] != "stat"]
    config = panel["fieldConfig"]
    found = [config["defaults"]["thresholds"]]
    found += [each["value"] for other in config["overrides"] for each in other["properties"] if each["id"] == "thresholds"]
    return [[(step["value"], step["color"]) for step in each["steps"]] for each in found]


@pytest.mark.parametrize("name", FOLLOWING)
def test_each_panel_that_follows_an_alert_does(name):
    """Nothing else changes, and each of the listed panels does."""
    before, after = BOARDS, changed(name, ALERTS[name].threshold.value * 1.01)
    moved = {
        one["title"]
        for uid in before
        for one, other in zip(panels(before[uid]), panels(after[uid]), strict=True)
        if one != other
    }
    assert moved == set(FOLLOWING[name])


def test_a_threshold_moves_with_its_sign_and_leaves_out_what_it_passes():
    before = steps(BOARDS, "trading-risk", "P&L today, of equity")
    assert before == [[(None, "red"), (-0.02, "green")]]
    assert steps(changed("TradingDailyLoss", 0.05), "trading-risk", "P&L today, of equity") == [
        [(None, "red"), (-0.05, "green")]
    ]
    drawdown = steps(changed("TradingDrawdown", 0.03), "trading-fleet", "Bots")
    assert [(None, "green"), (0.05, "yellow"), (0.1, "red")] in steps(BOARDS, "trading-fleet", "Bots")
    assert [(None, "green"), (0.03, "red")] in drawdown
    limits = steps(changed("TradingRiskLimitNear", 0.5), "trading-risk", "Limits in use")
    assert limits == [[(None, "green"), (0.5, "orange"), (1, "red")]]


def test_the_figures_that_panels_describe_do_not_change_with_other_settings():
    """Without a change of thresholds the dashboards are as they ship."""
    assert dashboards(RuleSettings(alerts={"TradingDrawdown": Change(severity="critical")})) == BOARDS
