"""Each alert fires on what it is about, and is silent when its series are not there."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from otel_trading.stack.prometheus.rules import alerts
from tests.unit.stack.prometheus.cases import (
    Case,
    Cases,
    Fired,
    account,
    alerting,
    inference,
    operations,
    orders,
    risk,
    slo,
    strategy,
    venue,
)
from tests.unit.stack.prometheus.promtool import needed, promtool, write

AREAS: tuple[Cases, ...] = tuple(
    area.CASES for area in (strategy, orders, account, risk, venue, inference, operations, alerting, slo)
)
CASES = {name: cases for area in AREAS for name, cases in area.items()}


def test_every_alert_has_a_firing_and_a_missing_case_and_no_other_name_has():
    assert sorted(CASES) == sorted(each.name for each in alerts())
    assert {name: cases for name, cases in CASES.items() if not {"firing", "missing"} <= set(cases)} == {}
    assert [name for name, cases in CASES.items() if not cases["firing"].fires] == []


@pytest.mark.parametrize(
    ("name", "case"),
    [pytest.param(name, case, id=f"{name}-{kind}") for name, cases in CASES.items() for kind, case in cases.items()],
)
def test_it_fires_as_expected(name: str, case: Case, tmp_path):
    """With exactly these labels, and a description that reads like this."""
    rules = needed([name])
    [written] = [rule for group in rules["groups"] for rule in group["rules"] if rule.get("alert") == name]
    expected = [
        {
            "exp_labels": {**written["labels"], **each.labels},
            "exp_annotations": {
                **written["annotations"],
                "description": each.description,
                "runbook_url": f"http://prometheus:9090/consoles/runbooks/{name}.html",
                "dashboard_url": _dashboard(name, each.labels.get("job")),
            },
        }
        for each in case.fires
    ]
    write(tmp_path, rules).rename(tmp_path / "rules.yml")
    test = {
        "interval": case.every,
        "external_url": "http://prometheus:9090",
        "input_series": [{"series": series, "values": values} for series, values in case.series.items()],
        "alert_rule_test": [{"eval_time": case.at, "alertname": name, "exp_alerts": expected}],
    }
    file = write(tmp_path, {"rule_files": ["rules.yml"], "evaluation_interval": case.every, "tests": [test]})
    status, said = promtool("test", "rules", file)
    assert status == 0, said


def _dashboard(name: str, job: str | None) -> str:
    """Of this bot alone, or of these Collectors; of all, where an alert is about none or the job is not one of theirs."""
    [alert] = [alert for alert in alerts() if alert.name == name]
    chosen = f"?{urlencode({f'var-{alert.variable}': job})}" if job and alert.variable else ""
    return f"http://127.0.0.1:3000/d/{alert.dashboard}{chosen}"


def test_a_job_of_any_name_is_quoted_in_the_link_to_its_dashboard(tmp_path):
    """A space, an ampersand, a sign of another alphabet: the address has one variable, whose value is the job."""
    name, job = "TradingStrategyStalled", "sma & grid/Ärger=1"
    case = CASES[name]["firing"]
    old = case.fires[0].labels["job"]
    series = {each.replace(f'job="{old}"', f'job="{job}"'): values for each, values in case.series.items()}
    fires = [Fired(each.description.replace(old, job), {**each.labels, "job": job}) for each in case.fires]
    test_it_fires_as_expected(name, Case(series, case.at, fires, case.every), tmp_path)
    assert parse_qs(urlsplit(_dashboard(name, job)).query) == {"var-job": [job]}


def test_a_case_without_what_fires_would_fail(tmp_path):
    """The promise of the test above: promtool compares what it finds with what is expected, also if that is nothing."""
    name = "TradingStrategyStalled"
    case = CASES[name]["firing"]
    silent = Case(case.series, case.at, (), case.every)
    with pytest.raises(AssertionError, match=f"alertname: {name}"):
        test_it_fires_as_expected(name, silent, tmp_path)
