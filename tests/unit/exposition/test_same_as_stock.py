"""A program written against the OpenTelemetry API is scraped the same on our meter as on the SDK's with its own exporter.

Hypothesis writes the programs; prometheus_client's parsers read what both show, in the text format and in OpenMetrics. What
differs on purpose, and nothing else may:

- OpenTelemetry's exporter labels each series with its scope (`otel_scope_*`), which ours and the Collector's do not.
- It shows the head of a family of an observable instrument that observed nothing.
- It shows `target_info` by itself, which ours gets from it (see `Exposition`).
- It gives every series of a family all label names, the missing ones empty: for Prometheus an empty label is an absent one.
- Its series with an empty attribute value is another one than that without it, which Prometheus cannot tell apart.
- The SDK writes names in lower case; ours stay as they were declared.
- Where two attributes become one label it keeps one of them; ours joins the values, as the specification says.
- An attribute called `le` on a histogram is `exported_le` with ours, and is lost in its buckets.

What we convert or drop before it is shown (values that are not finite, long or unwritable attribute values) and several
observations of one attribute set are left out of the programs: they have tests of their own.
"""

from __future__ import annotations

from types import SimpleNamespace

from hypothesis import example, given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import Observation
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from otel_trading.exposition.renderer import Renderer
from otel_trading.metrics.delegate import DelegatingMeterProvider
from otel_trading.metrics.instruments import Limits
from otel_trading.metrics.meter import CoreMeter

COUNTED = ("counter", "observable_counter")
RISING = (*COUNTED, "histogram")
KINDS = (*RISING, "up_down_counter", "gauge", "observable_up_down_counter", "observable_gauge")
NAMES = ("orders", "orders.in/flight-now", "orders__open._x", "orders.seconds", "orders.bytes", "o")
COUNTER_NAMES = (*NAMES, "orders.total")
UNITS = (
    *("", "1", "s", "ms", "us", "min", "By", "KiBy", "%", "Cel", "m", "{order}", "USD", "a.b"),
    *("m/s", "By/s", "1/s", "/s", "{order}/s", "USD/h", "1/min", "By/{order}", "{a}/{b}"),
)
AWKWARD = ('"', "\\", "\n", "\\n", '\\"', "\r", "\t", "ü", "日本", "🚀", "\u2028", "{", "}", ",", "=", "#", " ")
TEXTS = st.lists(st.one_of(st.sampled_from(AWKWARD), st.characters(codec="utf-8")), max_size=8).map("".join)
# Parsers take the spaces around a description for the line's own.
DESCRIPTIONS = TEXTS.map(lambda text: f"Says {text}.")
ATTRIBUTES = st.fixed_dictionaries(
    {},
    optional={
        "trading.venue": TEXTS.filter(bool),
        "with space/slash": TEXTS.filter(bool),
        "a__b..c": TEXTS.filter(bool),
        "count": st.integers(-5, 10**20),
        "share": st.floats(-1e30, 1e30),
        "flag": st.booleans(),
    },
)
EXACT = (0, 3, 0.1 + 0.2, 1e-9, 1e22, 5e-324, 1e16, 123456789.125, 2**53 + 1, 2**63 - 1)
AMOUNTS = st.one_of(st.sampled_from(EXACT), st.integers(0, 2**63 - 1), st.floats(0, 1e300))
SIGNED = st.one_of(AMOUNTS, AMOUNTS.map(lambda value: -value))
# The sum of large integers is exact in the SDK, while a histogram of ours adds floats.
RECORDED = st.one_of(st.sampled_from([0.1 + 0.2, 1e-9, 1e22, 0, 3]), st.integers(0, 10**9), st.floats(0, 1e15))
BOUNDS = st.one_of(
    st.none(),
    st.lists(st.one_of(st.floats(1e-9, 1e22), st.sampled_from([0.0, 1e-9, 0.005, 0.1 + 0.2, 1.0, 1e16, 1e22])), unique=True)
    .filter(bool)
    .map(sorted),
)


@st.composite
def instruments(draw):
    """One instrument and what is recorded by it: kind, name, unit, description, bounds, values by attributes."""
    kind = draw(st.sampled_from(KINDS))
    name = f"{kind}.{draw(st.sampled_from(COUNTER_NAMES if kind in COUNTED else NAMES))}"
    amounts = RECORDED if kind == "histogram" else AMOUNTS if kind in COUNTED else SIGNED
    measured = draw(st.lists(st.tuples(amounts, ATTRIBUTES), max_size=6))
    if kind.startswith("observable"):
        measured = list({tuple(sorted(attributes.items())): (value, attributes) for value, attributes in measured}.values())
    bounds = draw(BOUNDS) if kind == "histogram" else None
    return kind, name, draw(st.sampled_from(UNITS)), draw(DESCRIPTIONS), bounds, measured


PROGRAMS = st.lists(instruments(), max_size=8, unique_by=lambda instrument: instrument[0])
ALL_KINDS = [
    (kind, name, unit, 'a "quoted" \\n text\\ of\ntwo lines, ü', None, [(value, {"v": 'q"\\\n', "n": 1}), (3, {})])
    for kind, name, unit, value in (
        ("counter", "my.work", "s", 0.1 + 0.2),
        ("observable_counter", "my.traffic", "By", 2**53 + 1),
        ("histogram", "my.delay", "ms", 1e-9),
        ("up_down_counter", "my.queue", "1", 3),
        ("gauge", "my.share", "%", 1e22),
        ("observable_up_down_counter", "my.open", "{order}", 0),
        ("observable_gauge", "my.pace", "1/s", -1.5),
    )
]


def run(program, meter):
    for kind, name, unit, description, bounds, measured in program:
        if kind.startswith("observable"):
            observations = [Observation(value, attributes) for value, attributes in measured]
            getattr(meter, f"create_{kind}")(name, [lambda _, seen=observations: seen], unit, description)
            continue
        more = {"explicit_bucket_boundaries_advisory": bounds} if bounds else {}
        instrument = getattr(meter, f"create_{kind}")(name, unit, description, **more)
        record = {"histogram": "record", "gauge": "set"}.get(kind, "add")
        for value, attributes in measured:
            getattr(instrument, record)(value, attributes)


def ours(program):
    """The text in both formats."""
    meter = CoreMeter(DelegatingMeterProvider(), "program")
    meter.attach("core", {}, Limits())
    run(program, meter)
    renderer = Renderer(lambda: [meter], "scraper")
    text, openmetrics = (b"".join(renderer.render(openmetrics=each)[0]).decode() for each in (False, True))
    return text, openmetrics + "# EOF\n"


def stock(program):
    """The text in both formats, of one collection: SDKs before 1.45 forget what a gauge was set to with the first."""
    registry = CollectorRegistry()
    provider = MeterProvider([PrometheusMetricReader(registry=registry)], shutdown_on_exit=False)
    run(program, provider.get_meter("program", "1.0"))
    once = SimpleNamespace(collect=list(registry.collect()).copy)
    provider.shutdown()
    return generate_latest(once).decode(), generate_openmetrics(once).decode()


def parsed(texts):
    """What both formats say."""
    return [families(parse, text) for parse, text in zip((parse_text, parse_openmetrics), texts, strict=True)]


def families(parse, text):
    """Families by name: type, unit, description, and values by sample and labels; a series that is there twice is an error."""
    found = {}
    for family in parse(text):
        if family.name in {"target", "target_info"} or not family.samples:
            continue
        series = {}
        for sample in family.samples:
            labels = {k: v for k, v in sample.labels.items() if v and not k.startswith("otel_scope_")}
            identity = (sample.name, *sorted(labels.items()))
            assert identity not in series, identity
            series[identity] = (float(sample.value), sample.timestamp, sample.exemplar)  # a float, as in Prometheus
        assert family.name not in found, family.name
        found[family.name] = (family.type, family.unit, family.documentation, series)
    return found


@settings(max_examples=settings().max_examples // 2)
@given(PROGRAMS)
@example(ALL_KINDS)
def test_both_expose_the_same_families_and_series(program):
    """In the text format and in OpenMetrics."""
    assert parsed(ours(program)) == parsed(stock(program))


def test_the_program_of_all_kinds_shows_all_of_them():
    """So that the comparison cannot come out the same because both show nothing."""
    _, found = parsed(ours(ALL_KINDS))
    assert {name: (kind, unit) for name, (kind, unit, _, _) in found.items()} == {
        "my_work_seconds": ("counter", "seconds"),
        "my_traffic_bytes": ("counter", "bytes"),
        "my_delay_milliseconds": ("histogram", "milliseconds"),
        "my_queue": ("gauge", ""),
        "my_share_percent": ("gauge", "percent"),
        "my_open": ("gauge", ""),
        "my_pace_per_second": ("gauge", "per_second"),
    }
    _, _, description, series = found["my_share_percent"]
    assert description == 'a "quoted" \\n text\\ of\ntwo lines, ü'
    assert {key: value for key, (value, *_) in series.items()} == {
        ("my_share_percent", ("n", "1"), ("v", 'q"\\\n')): 1e22,
        ("my_share_percent",): 3,
    }
