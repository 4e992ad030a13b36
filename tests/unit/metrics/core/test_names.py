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
    with pytest.raises(ConfigurationError, match="is no name of a metric"):
        meter.create_counter(name)
