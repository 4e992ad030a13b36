"""A delegating provider of its own for each test, over a stock SDK whose reader shows what was recorded."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader, Metric

from otel_trading.metrics.collection import collecting
from otel_trading.metrics.delegate import DelegatingMeter, DelegatingMeterProvider


class Stock:
    """A stock MeterProvider of OpenTelemetry with one reader."""

    def __init__(self) -> None:
        self.reader = InMemoryMetricReader()
        self.provider = MeterProvider([self.reader], shutdown_on_exit=False)

    def metrics(self, *, reader: object = None) -> dict[str, Metric]:
        """Everything that one collection brings, by name; `reader` is who it says that it is."""
        with collecting(reader):
            data = self.reader.get_metrics_data()
        found = [m for r in (data.resource_metrics if data else ()) for s in r.scope_metrics for m in s.metrics]
        assert len(found) == len({metric.name for metric in found}), "one name, one metric"
        return {metric.name: metric for metric in found if metric.data.data_points}

    def values(self, name: str, *, reader: object = None) -> dict[tuple[tuple[str, str], ...], object]:
        """The series of a metric by their attributes: a number, or (count, sum) of a histogram."""
        metric = self.metrics(reader=reader).get(name)
        return values(metric) if metric else {}

    def value(self, name: str, *, reader: object = None) -> object:
        """The value of the only series of a metric, None without one."""
        found = list(self.values(name, reader=reader).values())
        assert len(found) <= 1, found
        return found[0] if found else None


def values(metric: Metric) -> dict[tuple[tuple[str, str], ...], object]:
    """The series of a metric by their attributes: a number, or (count, sum) of a histogram."""
    return {
        tuple(sorted(point.attributes.items())): (
            (point.count, point.sum) if isinstance(point, HistogramDataPoint) else point.value
        )
        for point in metric.data.data_points
    }


@pytest.fixture
def following() -> DelegatingMeterProvider:
    """A provider that follows nobody yet."""
    return DelegatingMeterProvider()


@pytest.fixture
def meter(following: DelegatingMeterProvider) -> DelegatingMeter:
    return following.get_meter("test")


@pytest.fixture
def stock(following: DelegatingMeterProvider) -> Iterator[Stock]:
    """What `following` follows."""
    stock = Stock()
    following.attach(stock.provider)
    yield stock
    following.attach(None)
    stock.provider.shutdown()
