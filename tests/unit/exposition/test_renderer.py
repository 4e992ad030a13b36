"""What the two formats need beyond names and values: exemplars, units, the end, awkward attributes, and threads left to run."""

from __future__ import annotations

import itertools
import subprocess

import pytest
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from otel_trading.exposition import renderer as renderer_module
from otel_trading.exposition.renderer import LINES_IN_ONE_GO, SERIES_IN_ONE_GO, Renderer
from otel_trading.metrics import exemplars
from otel_trading.metrics.delegate import DelegatingMeterProvider
from otel_trading.metrics.instruments import Limits
from otel_trading.metrics.meter import CoreMeter
from tests.harness import require_program
from tests.unit.exposition.test_same_as_stock import ALL_KINDS, run

TRACE_ID, SPAN_ID = 0x0AF7651916CD43DD8448EB211C80319C, 0x00F067AA0BA902B7
NOW = 1_700_000_000_123_456_789


@pytest.fixture
def meter():
    meter = CoreMeter(DelegatingMeterProvider(), "program")
    meter.attach("core", {}, Limits(default=10_000))
    return meter


@pytest.fixture
def traced(monkeypatch):
    """Somebody makes spans, at a fixed time."""
    monkeypatch.setattr(exemplars, "on", True)
    monkeypatch.setattr("otel_trading.metrics.cells.time.time_ns", lambda: NOW)


def rendered(meter, *, openmetrics):
    parts, _ = Renderer(lambda: [meter], "scraper").render(openmetrics=openmetrics)
    return b"".join(parts).decode() + "# EOF\n" * openmetrics


def samples(meter):
    """The samples of both formats, which both parsers accept."""
    families = [*parse_text(rendered(meter, openmetrics=False)), *parse_openmetrics(rendered(meter, openmetrics=True))]
    return [sample for family in families for sample in family.samples]


def record_in_span(histogram, value, *, sampled):
    flags = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)
    with trace.use_span(NonRecordingSpan(SpanContext(TRACE_ID, SPAN_ID, is_remote=False, trace_flags=flags))):
        histogram.record(value)


def histogram_of(meter):
    return meter.create_histogram("h", "s", explicit_bucket_boundaries_advisory=[0.5, 1.0])


@pytest.mark.usefixtures("traced")
def test_a_sampled_span_is_the_exemplar_of_its_bucket_in_openmetrics(meter):
    histogram = histogram_of(meter)
    record_in_span(histogram, 0.75, sampled=True)
    record_in_span(histogram, 7.5, sampled=True)
    histogram.record(0.25)
    (family,) = parse_openmetrics(rendered(meter, openmetrics=True))
    found = {sample.labels.get("le", sample.name): sample.exemplar for sample in family.samples}
    labels = {"trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "00f067aa0ba902b7"}
    assert {key for key, exemplar in found.items() if exemplar} == {"1.0", "+Inf"}
    assert (found["1.0"].labels, found["1.0"].value, float(found["1.0"].timestamp)) == (labels, 0.75, 1_700_000_000.123)
    assert (found["+Inf"].labels, found["+Inf"].value) == (labels, 7.5)


@pytest.mark.usefixtures("traced")
def test_a_span_that_is_not_sampled_is_no_exemplar(meter):
    record_in_span(histogram_of(meter), 0.75, sampled=False)
    assert " # " not in rendered(meter, openmetrics=True)


@pytest.mark.usefixtures("traced")
def test_the_text_format_has_no_exemplars(meter):
    record_in_span(histogram_of(meter), 0.75, sampled=True)
    text = rendered(meter, openmetrics=False)
    assert "trace_id" not in text
    assert all(sample.exemplar is None for family in parse_text(text) for sample in family.samples)


@pytest.mark.usefixtures("traced")
def test_an_exemplar_that_comes_while_others_are_written_breaks_nothing(meter, monkeypatch):
    histogram = histogram_of(meter)
    record_in_span(histogram, 0.25, sampled=True)
    write = renderer_module._exemplar

    def written_meanwhile(exemplar):
        record_in_span(histogram, 0.75, sampled=True)
        return write(exemplar)

    monkeypatch.setattr(renderer_module, "_exemplar", written_meanwhile)
    (family,) = parse_openmetrics(rendered(meter, openmetrics=True))
    assert [sample.labels["le"] for sample in family.samples if sample.exemplar] == ["0.5"]


def test_a_unit_is_said_only_where_the_name_ends_with_it_and_nothing_is_created(meter):
    run(ALL_KINDS, meter)
    text = rendered(meter, openmetrics=True)
    units = {line.split()[2]: line.split()[3] for line in text.splitlines() if line.startswith("# UNIT")}
    assert units == {
        "my_work_seconds": "seconds",
        "my_traffic_bytes": "bytes",
        "my_delay_milliseconds": "milliseconds",
        "my_share_percent": "percent",
        "my_pace_per_second": "per_second",
    }
    assert "_created" not in text
    assert "# UNIT" not in rendered(meter, openmetrics=False)


def test_promtool_has_nothing_to_say_but_that_the_units_are_not_base_units(meter):
    """Milliseconds, which the program chose: OpenTelemetry's name stays as it was declared."""
    run(ALL_KINDS, meter)
    checked = subprocess.run(
        [require_program("promtool"), "check", "metrics"],
        input=rendered(meter, openmetrics=False),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (checked.stdout + checked.stderr).splitlines() == [
        'my_delay_milliseconds use base unit "seconds" instead of "milliseconds"',
    ]


def test_an_attribute_called_as_the_bounds_of_buckets_does_not_spoil_the_scrape(meter):
    """A label that is there twice makes Prometheus refuse all of it."""
    histogram = histogram_of(meter)
    histogram.record(0.75, {"le": "x"})
    histogram.record(0.75, {"le": "y"})
    meter.create_gauge("g").set(1, {"le": "x"})
    found = samples(meter)
    assert {s.labels["exported_le"] for s in found if s.name == "h_seconds_bucket" and s.labels["le"] == "1.0"} == {"x", "y"}
    assert {s.labels["exported_le"] for s in found if s.name == "h_seconds_count"} == {"x", "y"}
    assert [s.labels for s in found if s.name == "g"] == [{"le": "x"}] * 2


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"a.b": "1", "a_b": "2"}, {"a_b": "1;2"}),  # specification, "Metric Attributes": joined in the order of the keys
        ({"": "x"}, {"_": "x"}),
        ({"__name__": "x"}, {"_name_": "x"}),
        ({"1st": "x"}, {"_1st": "x"}),
        ({"ü": "x"}, {"_": "x"}),
    ],
    ids=["joined", "empty", "reserved", "digit", "unicode"],
)
def test_each_attribute_becomes_a_label_that_is_valid(meter, attributes, expected):
    meter.create_gauge("g").set(1, attributes)
    assert [sample.labels for sample in samples(meter)] == [expected] * 2


def test_texts_that_utf8_does_not_know_do_not_fail_the_scrape(meter):
    meter.create_gauge("g", description="half \ud83d").set(1, {"k\ud83d": "v\ud83d"})
    assert rendered(meter, openmetrics=False).startswith("# HELP g half ?\n")
    assert [sample.labels for sample in samples(meter)] == [{"k_": "v?"}] * 2


class Yields:
    """Stands for `time` in the renderer: notes how many lines were written before the interpreter was given away."""

    def __init__(self, cells, lines):
        self._cells = cells
        self._lines = lines
        self.written = []

    def sleep(self, seconds):
        assert seconds == 0
        self.written.append(self._lines * sum(cell.text is not None for cell in self._cells))


@pytest.mark.parametrize("openmetrics", [False, True], ids=["text", "openmetrics"])
@pytest.mark.parametrize(("kind", "series", "lines"), [("gauge", 1_001, 1), ("counter", 1_000, 1), ("histogram", 601, 5)])
def test_other_threads_may_run_every_few_lines_even_within_one_family(meter, monkeypatch, kind, series, lines, openmetrics):
    instrument = histogram_of(meter) if kind == "histogram" else getattr(meter, f"create_{kind}")("x")
    cells = [instrument.bind({"n": n}) for n in range(series)]
    for cell in cells:
        getattr(cell, {"histogram": "record", "gauge": "set"}.get(kind, "add"))(1)
    yields = Yields(cells, lines)
    monkeypatch.setattr(renderer_module, "time", yields)
    text = rendered(meter, openmetrics=openmetrics)
    assert sum(not line.startswith("#") for line in text.splitlines()) == series * lines
    steps = [after - before for before, after in itertools.pairwise([0, *yields.written, series * lines])]
    assert max(steps) <= LINES_IN_ONE_GO == 800
    assert max(steps) / lines <= SERIES_IN_ONE_GO == 200


def test_many_small_families_do_not_give_the_interpreter_away_each(meter, monkeypatch):
    """A bot has a hundred families of a few series, and giving it away costs as much as to write one of them."""
    cells = [getattr(meter, f"create_{kind}")(f"{kind}{n}").bind({}) for n in range(250) for kind in ("gauge", "counter")]
    for cell in cells:
        getattr(cell, "set" if hasattr(cell, "set") else "add")(1)
    yields = Yields(cells, 1)
    monkeypatch.setattr(renderer_module, "time", yields)
    rendered(meter, openmetrics=False)
    assert yields.written == [200, 400]


def test_a_series_that_begins_again_just_now_does_not_spoil_the_scrape(meter, monkeypatch):
    """For a moment it has no value, after it was found to have one."""
    gauge = meter.create_gauge("g")
    cells = [gauge.bind({"n": n}) for n in range(SERIES_IN_ONE_GO + 1)]
    for cell in cells:
        cell.set(1)

    class Meanwhile:
        @staticmethod
        def sleep(_):
            cells[-1].clear()

    monkeypatch.setattr(renderer_module, "time", Meanwhile)
    (family,) = parse_text(rendered(meter, openmetrics=False))
    assert [sample.value for sample in family.samples] == [1] * SERIES_IN_ONE_GO + [0]


def test_a_sum_beyond_the_floats_is_infinite(meter):
    """As both formats may say it."""
    counter, histogram = meter.create_counter("c"), histogram_of(meter)
    for _ in range(2):
        counter.add(1e308)
        histogram.record(1e308)
    assert [s.value for s in samples(meter) if s.name in {"c_total", "h_seconds_sum"}] == [float("inf")] * 4
