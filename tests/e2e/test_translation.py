"""Every metric through both translations, Python's exporter and the Collector's: the same names, labels and buckets."""

from __future__ import annotations

import subprocess
from typing import NamedTuple

import pytest
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from otel_trading.semconv.spec import Metric
from tests.harness import Collector, fetch, require_program
from tests.harness.exposition import OPENMETRICS
from tests.unit.semconv.points import FOREIGN, OURS, record

TEXT = "text/plain; version=0.0.4"

ONLY_THERE = {"job", "instance"}


class Translated(NamedTuple):
    """The same points as Python's exporter and as the Collector show them, in OpenMetrics and (there) as text."""

    here: str
    there: str
    there_as_text: str


def translate(collector: Collector, metrics: tuple[Metric, ...]) -> Translated:
    prometheus = CollectorRegistry()
    pull = PrometheusMetricReader(disable_target_info=True, scope_info_enabled=False, registry=prometheus)
    push = PeriodicExportingMetricReader(
        OTLPMetricExporter(f"{collector.http_endpoint}/v1/metrics", timeout=10), export_interval_millis=3_600_000
    )
    provider = MeterProvider([pull, push], Resource({"service.name": "bot"}), shutdown_on_exit=False)
    record(provider.get_meter("vocabulary"), metrics)
    # The Prometheus exporter of the Collector has no queue: what was accepted is shown.
    assert push.force_flush(10_000)
    translated = Translated(
        here=generate_latest(prometheus).decode(),
        there=fetch(collector.metrics_url, accept=OPENMETRICS).text,
        there_as_text=fetch(collector.metrics_url, accept=TEXT).text,
    )
    provider.shutdown(timeout_millis=5_000)
    return translated


@pytest.fixture(scope="module")
def translated(tmp_path_factory):
    with Collector("agent.yaml", directory=tmp_path_factory.mktemp("collector")) as collector:
        return translate(collector, OURS)


def test_both_paths_give_the_same_series(translated):
    """Names, label keys, label values and the bounds of buckets."""
    here = series(translated.here)
    assert len({name for name, _ in here}) >= len(OURS)
    assert series(translated.there) == here


def test_both_paths_give_the_same_kind_and_help(translated):
    assert metadata(translated.there) == metadata(translated.here)


def test_other_instrumentations_have_the_same_names_on_both_paths(tmp_path):
    with Collector("agent.yaml", directory=tmp_path) as collector:
        translated = translate(collector, FOREIGN)
    here, there = ({name for name, _ in series(text)} for text in (translated.here, translated.there))
    assert len(here) >= len(FOREIGN)
    assert there == here


def test_promtool_has_nothing_to_say_of_the_collectors_output(translated):
    promtool = require_program("promtool")
    result = subprocess.run(
        [promtool, "check", "metrics"],
        input=translated.there_as_text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def series(text):
    return {
        (sample.name, frozenset((key, value) for key, value in sample.labels.items() if key not in ONLY_THERE))
        for family in text_string_to_metric_families(text)
        if family.name != "target"
        for sample in family.samples
    }


def metadata(text):
    return {
        family.name: (family.type, family.documentation)
        for family in text_string_to_metric_families(text)
        if family.name != "target"
    }
