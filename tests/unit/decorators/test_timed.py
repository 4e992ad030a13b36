"""`timed`: the user's own metric, in seconds, under a name that is checked when it is declared."""

from __future__ import annotations

import pytest
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from otel_trading.decorators import timed
from otel_trading.errors import ConfigurationError
from otel_trading.metrics import catalog, faults

pytestmark = pytest.mark.usefixtures("recorded")


def test_bounds_are_in_seconds_and_can_be_chosen() -> None:
    """As Prometheus sees it: `_seconds`, and the bounds that were given."""
    registry = CollectorRegistry()
    reader = PrometheusMetricReader(registry=registry)
    catalog.attach("application", stock := MeterProvider([reader], shutdown_on_exit=False))
    timed("chosen.duration", bounds=(0.5, 1))(lambda: None)()
    timed("default.duration")(lambda: None)()
    families = {family.name: family for family in text_string_to_metric_families(generate_latest(registry).decode())}
    stock.shutdown()
    edges = [sample.labels["le"] for sample in families["chosen_duration_seconds"].samples if "le" in sample.labels]
    assert edges == ["0.5", "1.0", "+Inf"]
    edges = [sample.labels["le"] for sample in families["default_duration_seconds"].samples if "le" in sample.labels]
    assert (edges[0], edges[-2]) == ("0.0001", "60.0")


def test_bare_decorator_takes_its_name_from_the_function(recorded) -> None:
    @timed
    def rebalance() -> None:
        pass

    rebalance()
    timed(lambda: None)()
    names = [name for name in recorded.all() if name.startswith("tests.")]
    assert sorted(names) == [f"{__name__}.{last}.duration" for last in ("lambda", "rebalance")]


def test_attributes_may_depend_on_the_arguments(recorded) -> None:
    @timed("load.duration", attributes=lambda path, **_: {"suffix": path.rpartition(".")[2]})
    def load(path: str, retry: int = 0) -> str:
        return path * retry

    load("a.csv")
    load("b.csv", retry=1)
    load(path="c.json")
    assert [(known, value[0]) for known, value in recorded.points("load.duration")] == [
        ({"suffix": "csv"}, 2),
        ({"suffix": "json"}, 1),
    ]


def test_attributes_that_cannot_be_made_leave_the_call_alone(recorded) -> None:
    load = timed("broken.duration", attributes=lambda: {"a": 1 / 0})(lambda: "loaded")
    assert load() == "loaded"
    assert faults.errors[("decorators", "ZeroDivisionError")] == 1
    assert recorded.one("broken.duration")[0] == 1


def test_same_name_is_one_metric_wherever_it_is_used(recorded) -> None:
    for _ in range(2):
        timed("shared.duration", attributes={"part": "a"})(lambda: None)()
    with timed.track("shared.duration", attributes={"part": "b"}):
        pass
    assert [value[0] for _, value in recorded.points("shared.duration")] == [2, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "9lives"}, "is no metric name"),
        ({"name": "a b"}, "is no metric name"),
        ({"name": "x" * 256}, "is no metric name"),
        ({"name": "trading.order.latency"}, "is not in the registry"),
        ({"name": "trading.order.duration"}, "the SDK records it itself"),
        ({"name": "clash.duration", "description": "another"}, "already declared"),
        ({"name": "clash_duration"}, "already declared"),
        ({"name": "bounds.duration", "bounds": (1, 0.5)}, "bounds"),
        ({"name": "bounds.duration", "bounds": ("x",)}, "bounds"),
        ({"name": "bounds.duration", "bounds": (0.1, float("inf"))}, "bounds"),
    ],
)
def test_what_cannot_be_declared_is_refused_where_it_is_written(arguments, message) -> None:
    timed("clash.duration", description="one")
    arguments = dict(arguments)
    name = arguments.pop("name")
    with pytest.raises(ConfigurationError, match=message):
        timed(name, **arguments)


@pytest.mark.parametrize("target", [3, "text", None, object(), property(lambda _: 1)])
def test_what_is_no_function_is_refused(target) -> None:
    with pytest.raises(ConfigurationError, match="cannot be decorated"):
        timed("refused.duration")(target)


def test_class_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="a class cannot be decorated"):
        timed("refused.duration")(dict)
