"""What the panels of service levels show, worked out by hand."""

from __future__ import annotations

from tests.unit.stack.grafana.grafana import BOARDS, asked, panels
from tests.unit.stack.prometheus.cases.slo import LATE, LOST, SLOW, errors, inferences, orders
from tests.unit.stack.prometheus.test_recording_rules import check


def shown(board: str, title: str) -> dict[str, str]:
    """What a panel asks, by the objective that it asks about, to 1/128: floating point makes up the last digits."""
    [panel] = [panel for panel in panels(BOARDS[board]) if panel["title"] == title]
    return {
        target["legendFormat"].partition(" {{")[0]: f"round({asked(target['expr'])}, 0.0078125)" for target in panel["targets"]
    }


def test_a_burn_rate_is_how_many_times_more_was_bad_than_the_objective_allows(tmp_path):
    """Of 100 orders an objective of 99 % allows 1 to be slow: 5 are 5 times that. Of 8 orders one of 95 % allows 0.4 to fail."""
    burning = shown("trading-overview", "Burn rates of the last hour")
    assert set(burning) == {"order latency", "order errors", "inference latency"}
    check(tmp_path, orders("0+95x120", "0+100x120"), "1h30m", {burning["order latency"]: {labels(SLOW): 5.0}})
    check(tmp_path, errors("0+1x120", "0+7x120"), "1h30m", {burning["order errors"]: {labels(LOST): 2.5}})
    check(tmp_path, inferences("0+98x120", "0+100x120"), "1h30m", {burning["inference latency"]: {labels(LATE): 2.0}})


def test_what_is_left_of_a_budget_is_a_share_of_what_is_allowed(tmp_path):
    """Half of what is allowed leaves a half; four times what is allowed leaves three budgets too few."""
    left = shown("trading-orders", "Error budget left")
    check(tmp_path, orders("0+199x120", "0+200x120"), "1h30m", {left["order latency"]: {labels(SLOW): 0.5}})
    check(tmp_path, orders("0+96x120", "0+100x120"), "1h30m", {left["order latency"]: {labels(SLOW): -3.0}})


def labels(of: dict[str, str]) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in of.items()) + "}"
