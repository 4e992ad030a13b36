"""One point of every metric of the vocabulary, with all its attributes, on a stock OpenTelemetry meter."""

from __future__ import annotations

from collections.abc import Iterable

from opentelemetry.metrics import Meter

from otel_trading.semconv import reader
from otel_trading.semconv.metrics import ALL
from otel_trading.semconv.spec import Metric

OURS = tuple(ALL.values())

FOREIGN = tuple(
    Metric(name=m["name"], kind=m["instrument"], unit=m["unit"], description=m["brief"], attributes=tuple(m["attributes"]))
    for source in reader.load_foreign()
    for m in source["metrics"]
)


def values() -> dict[str, str]:
    """A value of each attribute: the first member of an enum, the first example of the others."""
    return {
        attribute.key: str(attribute.members[0].value if attribute.members else next(iter(attribute.examples), "true"))
        for attribute in reader.load().attributes
    }


def record(meter: Meter, metrics: Iterable[Metric]) -> None:
    """Declare an instrument of each metric and record 1 on it."""
    known = values()
    for metric in metrics:
        attributes = {key: known.get(key, "x") for key in metric.attributes}
        if metric.kind == "histogram":
            histogram = meter.create_histogram(
                metric.name, metric.unit, metric.description, explicit_bucket_boundaries_advisory=metric.bounds or None
            )
            histogram.record(1.0, attributes)
        elif metric.kind == "gauge":
            meter.create_gauge(metric.name, metric.unit, metric.description).set(1.0, attributes)
        else:
            create = meter.create_counter if metric.kind == "counter" else meter.create_up_down_counter
            create(metric.name, metric.unit, metric.description).add(1.0, attributes)
