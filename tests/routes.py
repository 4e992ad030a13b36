"""What was recorded, on either route: in our own cells, or on the MeterProvider of an application.

The same tests run on both. A reader here has `get_metrics_data()` as OpenTelemetry's in-memory reader does; on our own route
it adds what the producer makes of the cells, as a push exporter would send it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricsData, ResourceMetrics
from opentelemetry.sdk.resources import Resource

from otel_trading.metrics import catalog
from otel_trading.metrics.producer import Producer

Route = Literal["core", "application"]
ROUTES: tuple[Route, ...] = ("core", "application")


class CoreReader:
    """Collects our cells."""

    def __init__(self) -> None:
        self._producer = Producer(catalog.meters, self)

    def get_metrics_data(self) -> MetricsData:
        with catalog.collection(self):
            return MetricsData([ResourceMetrics(Resource({}), self._producer.produce(), "")])


Reader = CoreReader | InMemoryMetricReader


@contextmanager
def attached(route: Route, readers: int = 1) -> Iterator[list[Reader]]:
    """Attach a fresh pipeline with so many readers."""
    stock = [InMemoryMetricReader() for _ in range(readers)]
    provider = MeterProvider(stock, shutdown_on_exit=False)
    catalog.attach(route, provider)
    yield stock if route == "application" else [CoreReader() for _ in range(readers)]
    catalog.attach("idle")
    provider.shutdown()
