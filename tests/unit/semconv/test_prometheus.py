"""Every metric through OpenTelemetry's own Prometheus exporter for Python."""

from __future__ import annotations

import subprocess

import pytest
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from otel_trading.semconv.generate import prometheus_name
from tests.harness import require_program
from tests.unit.semconv.points import FOREIGN, OURS, record


def expose(metrics, generate=generate_latest):
    prometheus = CollectorRegistry()
    reader = PrometheusMetricReader(disable_target_info=True, scope_info_enabled=False, registry=prometheus)
    provider = MeterProvider(metric_readers=[reader], shutdown_on_exit=False)
    record(provider.get_meter("vocabulary"), metrics)
    text = generate(prometheus).decode()
    provider.shutdown()
    return text


def samples_of(metric):
    family = prometheus_name(metric.name, metric.kind, metric.unit)
    return {f"{family}_{part}" for part in ("bucket", "sum", "count")} if metric.kind == "histogram" else {family}


@pytest.fixture(scope="module")
def text():
    return expose(OURS)


def test_the_sample_names_are_those_of_the_reference_page(text):
    found = {sample.name for family in parse_text(text) for sample in family.samples}
    assert found == set().union(*(samples_of(metric) for metric in OURS))


def test_the_names_of_other_instrumentations_are_those_of_the_reference_page():
    found = {sample.name for family in parse_text(expose(FOREIGN)) for sample in family.samples}
    assert found == set().union(*(samples_of(metric) for metric in FOREIGN))


def test_no_two_metrics_share_a_sample_name(text):
    everything = [name for metric in (*OURS, *FOREIGN) for name in samples_of(metric)]
    assert len(everything) == len(set(everything))
    types = [line for line in text.splitlines() if line.startswith("# TYPE ")]
    assert len(types) == len(OURS)


def test_every_sample_has_the_labels_of_its_metric(text):
    keys = {name: metric.attributes for metric in OURS for name in samples_of(metric)}
    for family in parse_text(text):
        for sample in family.samples:
            labels = set(sample.labels) - {"le"}
            assert labels == {key.replace(".", "_") for key in keys[sample.name]}, sample.name


def test_openmetrics_has_the_same_series_and_is_strictly_valid(text):
    strict = expose(OURS, openmetrics.generate_latest)
    assert series(parse_openmetrics(strict)) == series(parse_text(text))


def test_promtool_has_nothing_to_say(text):
    promtool = require_program("promtool")
    result = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def series(families):
    return {(sample.name, frozenset(sample.labels.items())) for family in families for sample in family.samples}
