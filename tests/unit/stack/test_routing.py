"""Who is told of an alert, as amtool says it of the same configuration, and whether anybody is."""

from __future__ import annotations

import pytest
import yaml

from otel_trading.stack.directory import init
from otel_trading.stack.prometheus.rules import alerts
from otel_trading.stack.prometheus.settings import RuleSettings
from otel_trading.stack.routing import FILE, Routing, nobody, unheard
from tests.unit.stack.alertmanager.shipped import CONFIG, amtool, filled_in

SHIPPED = CONFIG.read_text()

TREE = """\
route:
  receiver: root
  routes:
    - match: {severity: critical}
      match_re: {job: "sma|grid"}
      receiver: old-style
    - matchers: [severity="critical", job!~"sma.*"]
      receiver: not-sma
      group_wait: 5s
      continue: true
      routes:
        - matchers: ['trading_account_name != ""']
          receiver: account
        - matchers: ['job=~"paper-.+"']
    - matchers: [severity =~ critical|page, "alertname!=\\"Trading \\\\\\\"Quoted\\\\\\\"\\""]
      receiver: pager
      routes: [{matchers: ['{job="a", alertname="b"}'], receiver: both}]
    - matchers: [severity=""]
      receiver: nameless
receivers:
  - name: root
  - name: old-style
  - name: not-sma
  - name: account
  - name: pager
  - name: both
  - name: nameless
"""

LABELS = [
    {},
    {"severity": "warning"},
    {"severity": "critical"},
    {"severity": "critical", "job": "sma"},
    {"severity": "critical", "job": "smallest"},
    {"severity": "critical", "job": "other"},
    {"severity": "critical", "job": "paper-1"},
    {"severity": "critical", "job": "other", "trading_account_name": "main"},
    {"severity": "page", "alertname": 'Trading "Quoted"'},
    {"severity": "page", "job": "a", "alertname": "b"},
    {"severity": "page", "job": "a", "alertname": "c"},
    {"severity": "pager"},
]


@pytest.mark.parametrize(
    "labels", LABELS, ids=lambda labels: ",".join(f"{name}={value}" for name, value in labels.items()) or "none"
)
@pytest.mark.parametrize("text", [TREE, SHIPPED], ids=["tree", "shipped"])
def test_an_alert_arrives_where_amtool_says(text, labels, tmp_path):
    config = tmp_path / "alertmanager.yml"
    config.write_text(text)
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "none.tmpl").write_text("")
    # amtool reads labels as matchers are written.
    given = [f"{name}={yaml.dump(value, default_style=chr(34)).strip()}" for name, value in labels.items()]
    status, said = amtool("config", "routes", "test", f"--config.file={config}", *given)
    assert status == 0, said
    assert [stop.receiver for stop in Routing(text).told(labels)] == said.splitlines()[0].split(",")


def test_how_long_it_waits_is_inherited():
    routing = Routing(TREE)
    assert [stop.wait for stop in routing.told({"severity": "critical", "job": "paper-1"})] == ["5s", "30s"]
    assert [stop.wait for stop in Routing(SHIPPED).told({"severity": "warning"})] == ["1m"]


DEEP = "{route: {receiver: a, routes: [{matchers: [severity=page], routes: [%s]}]}, receivers: [{name: a}]}"


@pytest.mark.parametrize(
    "text",
    ["", "[]", "1", "{", "route: {}", "{route: {receiver: a}, receivers: []}", DEEP % "{receiver: b}", DEEP % "{matchers: ['a=~\"(\"']}", DEEP % "1"],
    ids=["empty", "list", "number", "open", "no receivers", "unknown receiver", "unknown further down", "expression further down", "number further down"],
)  # fmt: skip
def test_what_is_no_configuration_is_an_error(text):
    """As a whole, and not only when an alert comes by."""
    with pytest.raises(ValueError, match="no configuration of Alertmanager"):
        Routing(text)


def test_as_it_is_shipped_nobody_is_told_of_what_somebody_has_to_hear_of():
    assert nobody(Routing(SHIPPED), RuleSettings()) == (
        "nobody is told of critical and warning alerts: the receivers critical and warning have no channel"
    )


def test_with_every_channel_filled_in_somebody_is_told():
    assert nobody(Routing(filled_in()), RuleSettings()) is None


def with_channels(*names: str) -> str:
    contents = yaml.safe_load(SHIPPED)
    for receiver in contents["receivers"]:
        if receiver["name"] in names:
            receiver["webhook_configs"] = [{"url": "http://127.0.0.1:1"}]
    return yaml.safe_dump(contents)


def test_one_severity_of_which_nobody_hears_is_told():
    silent = nobody(Routing(with_channels("critical")), RuleSettings())
    assert silent == "nobody is told of warning alerts: the receiver warning has no channel"


def test_what_is_only_worth_knowing_and_the_switch_need_no_channel():
    assert nobody(Routing(with_channels("critical", "warning")), RuleSettings()) is None


def test_one_alert_that_a_route_takes_to_nobody_is_enough():
    contents = yaml.safe_load(with_channels("critical", "warning"))
    contents["route"]["routes"].insert(0, {"matchers": ['alertname="TradingBotGone"'], "receiver": "nobody"})
    contents["receivers"].append({"name": "nobody"})
    silent = nobody(Routing(yaml.safe_dump(contents)), RuleSettings())
    assert silent == "nobody is told of critical alerts: the receiver nobody has no channel"


def test_a_route_for_the_bots_job_counts_where_the_job_is_known():
    contents = yaml.safe_load(SHIPPED)
    contents["route"]["routes"].insert(0, {"matchers": ['job="sma-bot"'], "receiver": "mine"})
    contents["receivers"].append({"name": "mine", "webhook_configs": [{"url": "http://127.0.0.1:1"}]})
    routing = Routing(yaml.safe_dump(contents))
    assert nobody(routing, RuleSettings(), "sma-bot") is None
    assert nobody(routing, RuleSettings())


def test_severities_are_those_of_the_settings():
    """With every alert only worth knowing there is nothing that nobody hears of."""
    settings = RuleSettings.model_validate({"alerts": {alert.name: {"severity": "info"} for alert in alerts()}})
    assert nobody(Routing(SHIPPED), settings) is None


def test_of_a_directory_it_is_said_with_the_file(tmp_path):
    init(tmp_path)
    assert (unheard(tmp_path) or "").endswith(f"have no channel in {tmp_path / FILE}")
    (tmp_path / FILE).write_text(with_channels("critical", "warning"))
    assert unheard(tmp_path) is None


@pytest.mark.parametrize("name", [FILE, "alerts.yaml"])
def test_of_files_that_are_wrong_nothing_is_said(name, tmp_path):
    """Alertmanager and `stack init` say it; a stack that runs goes on with what it has."""
    init(tmp_path)
    (tmp_path / name).write_text("{")
    assert unheard(tmp_path) is None
