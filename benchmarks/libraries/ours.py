"""otel_trading, with everything on that it has on by default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import otel_trading as ot
from benchmarks.exposition import fetch
from benchmarks.libraries import BOUNDS, KEYS, Count, Decorator, Record
from otel_trading import metrics
from otel_trading.semconv.spec import Kind, Metric


class Library:
    """The SDK, serving Prometheus or pushing to `otlp_endpoint`."""

    def __init__(self, *, otlp_endpoint: str | None = None, system_metrics: bool = True) -> None:
        pushed: dict[str, Any] = {
            "exporters": "otlp",
            "otlp_endpoint": otlp_endpoint,
            "export_interval": 3600.0,  # only when it is told to, as long as it is measured
        }
        self._telemetry = ot.configure(
            service_name="benchmark",
            system_metrics=system_metrics,
            **pushed if otlp_endpoint else {"exporters": "prometheus", "prometheus_port": 0},
        )

    def counter(self, name: str, attributes: Mapping[str, str]) -> Record:
        return metrics.counter(_metric(name, "counter")).bind(attributes).add

    def histogram(self, name: str, attributes: Mapping[str, str]) -> Record:
        return metrics.histogram(_metric(name, "histogram")).bind(attributes).record

    def gauge(self, name: str, attributes: Mapping[str, str]) -> Record:
        return metrics.gauge(_metric(name, "gauge")).bind(attributes).set

    def url(self) -> str:
        return str(self._telemetry.endpoint_url)

    def nothing_url(self) -> str:
        return self.url().replace("/metrics", "/healthz")

    def text(self) -> str:
        return fetch(self.url())[0]

    def flush(self) -> None:
        """Export now, and wait until it has arrived."""
        if not self._telemetry.flush(timeout=60):
            raise RuntimeError("the export did not arrive")

    def timed(self, place: int) -> Decorator:
        """Return `@timed` with three attributes."""
        model = f"model-{place}"
        return ot.timed("bench.call.duration", attributes={"model": model, "version": "3", "strategy": "sma_cross"})

    def timed_counts(self) -> list[Count]:
        """Where the calls of `timed` are counted."""
        name = "bench_call_duration_seconds"
        return [Count(name, "_count", "", "calls"), Count(name, "_count", 'error_type="ValueError"', "failures")]

    def inference(self, place: int) -> Decorator:
        """Return `@inference` with three attributes; what the function returns is the label that was predicted."""
        return ot.inference(model=f"model-{place}", version="3", strategy="sma_cross")

    def inference_counts(self) -> list[Count]:
        """Where the calls of `inference` are counted."""
        name = "trading_inference_duration_seconds"
        return [
            Count(name, "_count", "", "calls"),
            Count(name, "_count", 'error_type="ValueError"', "failures"),
            Count("trading_predictions", "_total", "", "successes"),
        ]

    def order_execution(self) -> Decorator:
        """Return `@order_execution`."""
        return ot.order_execution(venue="kraken", strategy="sma_cross")


def _metric(name: str, kind: Kind) -> Metric:
    bounds = BOUNDS if kind == "histogram" else ()
    return Metric(name=name, kind=kind, unit="", description=f"A {kind}.", attributes=KEYS, bounds=bounds)
