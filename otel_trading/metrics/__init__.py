"""The recording core: instruments of the vocabulary over the OpenTelemetry API."""

from otel_trading.metrics.catalog import active, counter, declare, gauge, histogram
from otel_trading.metrics.gauge import BoundGauge, Gauge
from otel_trading.metrics.instruments import BoundHistogram, BoundSum, Histogram, Instrument, Sum

__all__ = [
    "BoundGauge",
    "BoundHistogram",
    "BoundSum",
    "Gauge",
    "Histogram",
    "Instrument",
    "Sum",
    "active",
    "counter",
    "declare",
    "gauge",
    "histogram",
]
