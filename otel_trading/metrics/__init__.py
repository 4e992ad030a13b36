"""The recording core: instruments of the OpenTelemetry API over cells that cost next to nothing to change."""

from otel_trading.metrics.catalog import active, counter, declare, gauge, histogram
from otel_trading.metrics.cells import GaugeCell, HistogramCell, SumCell
from otel_trading.metrics.instruments import Histogram, Instrument
from otel_trading.metrics.observed import Gauge, Sum

__all__ = [
    "Gauge",
    "GaugeCell",
    "Histogram",
    "HistogramCell",
    "Instrument",
    "Sum",
    "SumCell",
    "active",
    "counter",
    "declare",
    "gauge",
    "histogram",
]
