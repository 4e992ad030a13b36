"""The instruments of the application's MeterProvider that stand for ours while it is the one to record to."""

from __future__ import annotations

from typing import Any

from opentelemetry.metrics import Meter

from otel_trading.metrics.instruments import AnyInstrument


def stock_of(meter: Meter, instrument: AnyInstrument) -> Any:
    """Return the instrument of `meter` for `instrument`: an observable one if ours is read at collection."""
    return (_observable if instrument.observed else _recorded)(meter, instrument)


def _recorded(meter: Meter, instrument: AnyInstrument) -> Any:
    metric = instrument.metric
    if metric.kind == "histogram":
        return meter.create_histogram(
            metric.name, metric.unit, metric.description, explicit_bucket_boundaries_advisory=instrument.bounds
        )
    create = meter.create_counter if metric.kind == "counter" else meter.create_up_down_counter
    return create(metric.name, metric.unit, metric.description)


def _observable(meter: Meter, instrument: Any) -> Any:
    metric = instrument.metric
    create = {
        "counter": meter.create_observable_counter,
        "updowncounter": meter.create_observable_up_down_counter,
        "gauge": meter.create_observable_gauge,
    }[metric.kind]
    return create(metric.name, [instrument.observations], metric.unit, metric.description)
