"""Our families and those of other instrumentations are one exposition, in which each name stands once."""

from __future__ import annotations

import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from otel_trading.exposition.exposition import Exposition
from otel_trading.exposition.renderer import Renderer
from otel_trading.metrics import faults
from otel_trading.metrics.delegate import DelegatingMeterProvider
from otel_trading.metrics.instruments import Limits
from otel_trading.metrics.meter import CoreMeter
from tests.harness import fetch, find, scrape


@pytest.mark.parametrize("openmetrics", [False, True], ids=["text", "openmetrics"])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (("counter", "twice.jobs", "{job}"), ("counter", "twice.jobs", "{job}")),
        (("counter", "twice.total_of.jobs", ""), ("up_down_counter", "twice.total_of.jobs.total", "")),
        (("counter", "twice.ending.total", "s"), ("counter", "twice.ending", "s")),
        (("gauge", "twice.level.total", ""), ("counter", "twice.level", "")),
        (("gauge", "twice.temperature", "Cel"), ("gauge", "twice.temperature.celsius", "")),
    ],
    ids=["same", "sample", "suffix", "their_sample", "unit"],
)
def test_a_name_of_ours_that_others_have_too_is_shown_once_counted_and_logged(configured, caplog, ours, theirs, openmetrics):
    with configured() as telemetry:
        foreign = metrics.get_meter_provider().get_meter("somebody.else")
        record(telemetry.meter, *ours, 1)
        record(foreign, *theirs, 2)
        record(foreign, "counter", "twice.other", "", 3)
        # A gauge of another case keeps its value from pipeline to pipeline.
        names = ("_".join(ours[1].split(".")[:2]), "twice_other")
        found = [s for s in scrape(telemetry.endpoint_url, openmetrics=openmetrics) if s.name.startswith(names)]
        assert sorted(sample.value for sample in found) == [1, 3]
        assert len(find(found, "twice_other_total")) == 1
        assert faults.dropped["duplicate_family"] == 1
        fetch(telemetry.endpoint_url)
    lines = [record.getMessage() for record in caplog.records if "has the name of one of ours" in record.getMessage()]
    assert len(lines) == 1


def record(meter, kind, name, unit, value):
    instrument = getattr(meter, f"create_{kind}")(name, unit)
    (instrument.set if kind == "gauge" else instrument.add)(value)


SPANS = {
    "sampled": (0.25, 7, TraceFlags.SAMPLED),
    "unsampled": (0.75, 7, TraceFlags.DEFAULT),
    "none": (7.5, 0, TraceFlags.DEFAULT),
}


@pytest.mark.parametrize(("which", "passed"), [("trace_based", {"sampled"}), ("always_on", {*SPANS}), ("always_off", set())])
def test_the_filter_of_the_settings_says_what_becomes_an_exemplar(configured, monkeypatch, which, passed):
    """Specification, "ExemplarFilter"; one outside of any span has no labels."""
    monkeypatch.setenv("OTEL_METRICS_EXEMPLAR_FILTER", which)
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: TracerProvider(shutdown_on_exit=False))
    with configured() as telemetry:
        histogram = telemetry.meter.create_histogram("sampled.work", explicit_bucket_boundaries_advisory=[0.5, 1.0])
        for value, trace_id, flags in SPANS.values():
            context = SpanContext(trace_id, 9, is_remote=False, trace_flags=TraceFlags(flags))
            with trace.use_span(NonRecordingSpan(context)):
                histogram.record(value)
        text = fetch(telemetry.endpoint_url, accept="application/openmetrics-text; version=1.0.0").text
    (family,) = [family for family in parse_openmetrics(text) if family.name == "sampled_work"]
    found = {sample.exemplar.value: sample.exemplar.labels for sample in family.samples if sample.exemplar}
    in_span = {"trace_id": f"{7:032x}", "span_id": f"{9:016x}"}
    assert found == {SPANS[each][0]: {} if each == "none" else in_span for each in passed}


class Broken:
    """A collector of families, one of which cannot be written, and which fails in the end."""

    def collect(self):
        for name, text in (("broken_before", "x"), ("broken_itself", "\ud83d"), ("broken_after", "y")):
            family = GaugeMetricFamily(name, "", labels=["k"])
            family.add_metric([text], 1)
            yield family
        raise OSError


@pytest.mark.parametrize("openmetrics", [False, True], ids=["text", "openmetrics"])
def test_what_others_have_and_cannot_be_written_costs_itself_only(openmetrics):
    meter = CoreMeter(DelegatingMeterProvider(), "program")
    meter.attach("core", {}, Limits())
    meter.create_gauge("ours").set(1)
    foreign = CollectorRegistry(auto_describe=False)
    foreign.register(Broken())
    text = Exposition(Renderer(lambda: [meter], "scraper"), foreign).render(openmetrics=openmetrics).decode()
    families = (parse_openmetrics if openmetrics else parse_text)(text)
    assert [family.name for family in families] == ["ours", "broken_before", "broken_after"]
    assert dict(faults.errors) == {("endpoint", "UnicodeEncodeError"): 1, ("endpoint", "OSError"): 1}


def test_openmetrics_ends_once_after_what_others_have(configured):
    with configured() as telemetry:
        telemetry.meter.create_counter("once.ours").add(1)
        metrics.get_meter_provider().get_meter("somebody.else").create_counter("once.theirs").add(1)
        text = fetch(telemetry.endpoint_url, accept="application/openmetrics-text; version=1.0.0").text
    assert text.count("# EOF") == 1
    assert text.endswith("\n# EOF\n")
    assert {"once_ours", "once_theirs", "target"} <= {family.name for family in parse_openmetrics(text)}
