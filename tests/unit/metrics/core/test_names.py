"""One name is one metric, however Prometheus would write it, and a name is one that OpenTelemetry allows."""

import pytest

from otel_trading.errors import ConfigurationError


@pytest.mark.parametrize(
    ("name", "unit", "description"),
    [
        ("my.metric", "s", "Mine."),
        ("my.metric", "1", "Other."),
        ("my_metric", "1", "Mine."),
        ("My.Metric", "1", "Mine."),
        ("my..metric", "1", "Mine."),
    ],
)
def test_a_name_is_declared_in_one_way(meter, name, unit, description):
    counter = meter.create_counter("my.metric", "1", "Mine.")
    assert meter.create_counter("my.metric", "1", "Mine.") is counter
    with pytest.raises(ConfigurationError, match=r"already declared as 'my\.metric' \(counter, unit '1', 'Mine\.'"):
        meter.create_counter(name, unit, description)
    with pytest.raises(ConfigurationError, match="already declared"):
        meter.create_gauge("my.metric", "1", "Mine.")


@pytest.mark.parametrize("name", ["", "1st", "a b", "ü", "x" * 256])
def test_what_is_no_name_is_refused(meter, name):
    with pytest.raises(ConfigurationError, match="is no metric name"):
        meter.create_counter(name)


@pytest.mark.parametrize("unit", ["µs", "\ud800", "x" * 64], ids=["unicode", "surrogate", "long"])
def test_what_is_no_unit_is_refused(meter, unit):
    """Specification, "Instrument unit"; OpenTelemetry's own SDK refuses it, too."""
    with pytest.raises(ConfigurationError, match="is no unit of a metric"):
        meter.create_counter("my.metric", unit)


@pytest.mark.parametrize("bounds", [["a"], [None], [10**400], 5], ids=["text", "none", "huge", "scalar"])
def test_bounds_that_are_no_numbers_are_refused(meter, bounds):
    with pytest.raises(ConfigurationError, match=r"^h: the bounds of its buckets are to be numbers: "):
        meter.create_histogram("h", explicit_bucket_boundaries_advisory=bounds)


def test_bounds_are_finite_and_in_order(meter):
    """The bucket up to infinity is there anyway; written twice, it would make the scrape invalid."""
    histogram = meter.create_histogram("h", explicit_bucket_boundaries_advisory=[5.0, float("inf"), 1.0, 5.0, float("nan")])
    assert histogram.bounds == (1.0, 5.0)
