"""Each expression of each dashboard is valid, names only what exists, and asks only for what is chosen."""

from __future__ import annotations

import re
import subprocess
import sys

import promql_parser
import pytest
import yaml
from promql_parser import Expr, VectorSelector

from otel_trading.exposition.naming import label_name
from otel_trading.semconv.metrics import ALL as REGISTRY
from otel_trading.stack.grafana.build.queries import VARIABLES
from otel_trading.stack.prometheus.rules import FILES
from otel_trading.stack.prometheus.slo import OBJECTIVE
from otel_trading.stack.promql import NEWEST, buckets, count, of, total
from tests.unit.stack.grafana.grafana import BOARDS, asked, expressions, panels
from tests.unit.stack.prometheus import vocabulary
from tests.unit.stack.prometheus.instances import added_up
from tests.unit.stack.prometheus.promtool import promtool

EVERYTHING = expressions()
"""By where each is asked; the first word is the dashboard."""

FOREIGN = {
    "otelcol_exporter_sent_metric_points": {"exporter"},
    "otelcol_exporter_sent_metric_points_total": {"exporter"},
    "otelcol_process_memory_rss": set[str](),
    "otelcol_process_memory_rss_bytes": set[str](),
    "scrape_duration_seconds": set[str](),
    "scrape_samples_scraped": set[str](),
}
"""What else the Collector and Prometheus say of themselves; tests/e2e/test_stack_dashboards.py sees it on the real ones."""

KNOWN = vocabulary.metrics() | {name: labels | vocabulary.EVERYWHERE for name, labels in FOREIGN.items()}
RECORDED = vocabulary.recorded()

OF_TARGETS = {"up", *(name for name in KNOWN if name.startswith(("alertmanager_", "prometheus_", "scrape_")))}
"""These have the job of the scrape, which on the path through a Collector is not the bot's: they are shown of all targets."""

JOINED = {NEWEST, OBJECTIVE}
"""What our rules record and no choice narrows: it is joined to what is chosen."""

NOT_SHOWN: dict[str, str] = {}
"""Metrics of the registry that neither a dashboard nor a rule asks for, and why."""

SAMPLES = {
    sample: metric
    for metric in REGISTRY.values()
    for sample in ((buckets(metric), count(metric), total(metric)) if metric.kind == "histogram" else (of(metric),))
}

every_board = pytest.mark.parametrize(
    "asking", [{name: expr for name, expr in EVERYTHING.items() if name.startswith(f"{uid} ")} for uid in BOARDS], ids=BOARDS
)


def selectors(expression: str) -> list[VectorSelector]:
    found: list[VectorSelector] = []

    def visit(node: Expr) -> None:
        if isinstance(node, VectorSelector):
            found.append(node)

    promql_parser.walk(promql_parser.parse(expression), visit)
    return found


def as_written(expression: str) -> str:
    """With a window and a span, and the names of the variables where their values would be."""
    names = ("job", "collector", "strategy", "account", "venue", "symbol", "model")
    return asked(expression, **{name: f"${name}" for name in names})


@every_board
def test_it_parses_and_its_types_fit(asking):
    """promql-parser checks types as Prometheus does: a rate of what is no range is refused."""
    for name, expression in asking.items():
        parsed = promql_parser.parse(asked(expression))
        assert not isinstance(parsed, promql_parser.MatrixSelector), name


def test_types_that_do_not_fit_are_refused():
    """The promise of the parser that the test above relies on."""
    for wrong in ("rate(x)", "sum(1)", "histogram_quantile(x, y)", "x +", "no_such_function(x)"):
        with pytest.raises(ValueError, match=r"."):
            promql_parser.parse(wrong)


def test_promtool_takes_each_as_a_rule(tmp_path):
    """Prometheus' own parser, of the version that is installed."""
    rules = [
        {"record": f"panel:expression:{number}", "expr": asked(expression), "labels": {"panel": name}}
        for number, (name, expression) in enumerate(EVERYTHING.items())
    ]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}, width=1_000_000))
    status, said = promtool("check", "rules", "--lint=all", "--lint-fatal", file)
    assert status == 0, said
    assert f"{len(EVERYTHING)} rules found" in said


@every_board
def test_every_metric_and_label_that_it_names_exists(asking):
    more = {name: labels | vocabulary.EVERYWHERE for name, labels in FOREIGN.items()}
    for where, expression in asking.items():
        assert vocabulary.used(asked(expression)).names, where
        assert vocabulary.unknown(asked(expression), more) == [], where


@every_board
def test_every_series_is_of_a_chosen_service(asking):
    for where, expression in asking.items():
        for selector in selectors(as_written(expression)):
            if selector.name in JOINED:
                continue
            [job] = [matcher.value for matcher in selector.matchers.matchers if matcher.name == "job"]
            assert job in ({".+"} if selector.name in OF_TARGETS else {"$job", "$job|", "$collector"}), where


@every_board
def test_every_variable_narrows_what_carries_its_label(asking):
    """A chosen strategy shows no other strategy's series, whatever panel it is."""
    for where, expression in asking.items():
        for selector in selectors(as_written(expression)):
            metric = SAMPLES.get(selector.name or "")
            if metric is None:
                continue
            matchers = selector.matchers.matchers
            narrowed = {matcher.name for matcher in matchers if matcher.value == f"${VARIABLES.get(matcher.name)}"}
            carried = {label_name(key) for key in metric.attributes if key not in metric.opt_in}
            assert narrowed == {"job", *(carried & VARIABLES.keys())}, (where, selector.name)


@every_board
def test_gauges_are_never_added_up_over_instances(asking):
    """One bot may appear under two instances for a while: a gauge is looked at without `instance` before it is added up."""
    recorded = {name: record.expr for name, record in RECORDED.items()}
    assert {where: found for where, expression in asking.items() if (found := added_up(asked(expression), recorded))} == {}


def test_every_metric_of_the_registry_is_shown_or_watched():
    """What the SDK measures is on a dashboard or in a rule, but for what is listed with a reason."""
    rules = [rule.expr.replace("$threshold", "1") for groups in FILES.values() for group in groups for rule in group.rules]
    asked_for = [asked(expression) for expression in EVERYTHING.values()]
    named = {name for expression in asked_for + rules for name in vocabulary.used(expression).names}
    missing = {
        metric.name
        for metric in REGISTRY.values()
        if named.isdisjoint(sample for sample, other in SAMPLES.items() if other is metric)
    }
    assert missing == NOT_SHOWN.keys()


def test_every_panel_asks_something():
    empty = [panel["title"] for document in BOARDS.values() for panel in panels(document) if not panel["targets"]]
    assert empty == []


QUIET = """
from urllib.request import urlopen
import otel_trading as ot
with ot.configure(service_name="quiet", exporters="prometheus", prometheus_port=0) as telemetry:
    account = ot.Account("main", currency="EUR", cash=10_000, strategy="patient", venue="kraken")
    with ot.strategy_cycle.track("patient", every=60):
        pass
    print(urlopen(telemetry.endpoint_url).read().decode())
"""
"""A bot that runs and has not traded."""


def test_a_panel_without_data_claims_nothing_of_a_bot_that_may_not_be_seen():
    """No 0 and no "none": what is not there is not known, whether there is none of it or nobody told of it."""
    texts = {panel["fieldConfig"]["defaults"].get("noValue") for document in BOARDS.values() for panel in panels(document)}
    of_the_stack = {"No alert fires", "No event, or no recording rules", "Prometheus and Alertmanager are not scraped"}
    texts -= of_the_stack | {None, "No bot reports"}
    assert texts
    assert [text for text in sorted(texts) if not re.search("known|told", text)] == []


def test_a_bot_that_has_not_traded_is_told_so_by_each_panel_about_its_trading():
    """Instead of that there is no data, which sounds as if something were broken."""
    done = subprocess.run([sys.executable, "-c", QUIET], capture_output=True, text=True, timeout=60, check=True)
    shown = {re.split("[{ ]", line)[0] for line in done.stdout.splitlines() if not line.startswith("#")}
    assert "trading_portfolio_equity" in shown
    silent = [
        f"{uid}: {panel['title']}"
        for uid in ("trading-overview", "trading-orders", "trading-risk", "trading-fleet")
        for panel in panels(BOARDS[uid])
        if "noValue" not in panel["fieldConfig"]["defaults"]
        and not any(_measured(asked(target["expr"])) <= shown for target in panel["targets"])
    ]
    assert silent == []


def _measured(expression: str) -> set[str]:
    """The registry's metrics in an expression, and what rules make of them."""
    return {name for name in vocabulary.used(expression).names if name in SAMPLES or name in RECORDED} - JOINED
