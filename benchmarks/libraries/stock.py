"""OpenTelemetry's own SDK, and what one writes by hand around its instruments."""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from prometheus_client import CollectorRegistry, start_http_server

from benchmarks.exposition import fetch
from benchmarks.libraries import BOUNDS, Count, Decorator, Record
from benchmarks.libraries.stock_orders import OrderMetrics


class Library:
    """A MeterProvider with one reader: the Prometheus exporter, or the periodic one that pushes to `otlp_endpoint`."""

    def __init__(self, *, otlp_endpoint: str | None = None, observable: bool = False) -> None:
        self._registry = CollectorRegistry()
        # Our series have no labels for the scope, so the stock ones need not have them either.
        reader: MetricReader = (
            _pushing(otlp_endpoint)
            if otlp_endpoint
            else PrometheusMetricReader(scope_info_enabled=False, registry=self._registry)
        )
        self._provider = MeterProvider([reader])
        self._meter = self._provider.get_meter("benchmark")
        self.gauge = self._observed if observable else self._set
        # Asking the meter again for an instrument takes locks and warns: a program asks once.
        self._counter_of = cache(self._meter.create_counter)
        self._gauge_of = cache(self._meter.create_gauge)
        self._histogram_of = cache(lambda name: self._meter.create_histogram(name, explicit_bucket_boundaries_advisory=BOUNDS))
        self._values: dict[str, list[tuple[list[float], Mapping[str, str]]]] = {}

    def counter(self, name: str, attributes: Mapping[str, str]) -> Record:
        return partial(self._counter_of(name).add, attributes=attributes)

    def histogram(self, name: str, attributes: Mapping[str, str]) -> Record:
        return partial(self._histogram_of(name).record, attributes=attributes)

    def _set(self, name: str, attributes: Mapping[str, str]) -> Record:
        return partial(self._gauge_of(name).set, attributes=attributes)

    def _observed(self, name: str, attributes: Mapping[str, str]) -> Record:
        """The other kind: a callback that reads what the program keeps."""
        if name not in self._values:
            kept = self._values[name] = []

            def observe(_: CallbackOptions) -> list[Observation]:
                return [Observation(value[0], attributes) for value, attributes in kept]

            self._meter.create_observable_gauge(name, [observe])
        value = [0.0]
        self._values[name].append((value, attributes))
        return partial(value.__setitem__, 0)

    @cache  # noqa: B019 - one library lives as long as its process
    def url(self) -> str:
        server, _ = start_http_server(0, "127.0.0.1", self._registry)
        return f"http://127.0.0.1:{server.server_port}/metrics"

    def nothing_url(self) -> str:
        return self.url().replace("/metrics", "/favicon.ico")

    def text(self) -> str:
        return fetch(self.url())[0]

    def flush(self) -> None:
        """Export now."""
        if not self._provider.force_flush(60_000):
            raise RuntimeError("the export failed")

    def by_hand(self, place: int) -> Decorator:
        """Return a decorator that records a histogram and a counter with three attributes."""
        record, add = self._call_instruments()
        return partial(_recorded, record, add, f"model-{place}")

    @cache  # noqa: B019 - one library lives as long as its process
    def _call_instruments(self) -> tuple[Callable[..., None], Callable[..., None]]:
        name = "bench.call.duration"
        duration = self._meter.create_histogram(name, "s", explicit_bucket_boundaries_advisory=BOUNDS)
        return duration.record, self._meter.create_counter("bench.calls").add

    def by_hand_counts(self) -> list[Count]:
        """Where these calls are counted."""
        return [
            Count("bench_call_duration_seconds", "_count", "", "calls"),
            Count("bench_calls", "_total", "", "calls"),
            Count("bench_calls", "_total", 'outcome="ValueError"', "failures"),
        ]

    def order_execution(self) -> Decorator:
        """Return a decorator that makes the eight records of an order."""
        return OrderMetrics(self._meter).decorate


def _pushing(endpoint: str) -> MetricReader:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

    exporter = OTLPMetricExporter(endpoint=f"{endpoint}/v1/metrics")
    return PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)


def _recorded(
    record: Callable[..., None], add: Callable[..., None], model: str, function: Callable[..., Any]
) -> Callable[..., Any]:
    def done(start: float, outcome: str) -> None:
        attributes = {"model": model, "version": "3", "outcome": outcome}
        record(time.perf_counter() - start, attributes)
        add(1, attributes)

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        start, outcome = time.perf_counter(), "ok"
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            outcome = type(error).__name__
            raise
        finally:
            done(start, outcome)

    @functools.wraps(function)
    async def async_wrapper(*args: Any, **kwargs: Any) -> Any:
        start, outcome = time.perf_counter(), "ok"
        try:
            return await function(*args, **kwargs)
        except BaseException as error:
            outcome = type(error).__name__
            raise
        finally:
            done(start, outcome)

    return async_wrapper if inspect.iscoroutinefunction(function) else wrapper
