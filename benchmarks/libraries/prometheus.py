"""prometheus_client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from benchmarks.exposition import fetch
from benchmarks.libraries import BOUNDS, KEYS, Count, Decorator, Record


class Library:
    """A registry with the metrics, whose children are looked up once."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        keys = list(map(_name, KEYS))
        self._counter_of = cache(lambda name: Counter(name, "A counter.", keys, registry=registry))
        self._gauge_of = cache(lambda name: Gauge(name, "A gauge.", keys, registry=registry))
        self._histogram_of = cache(lambda name: Histogram(name, "A histogram.", keys, registry=registry, buckets=BOUNDS))

    def counter(self, name: str, attributes: Mapping[str, str]) -> Record:
        return self._counter_of(_name(name)).labels(*attributes.values()).inc

    def histogram(self, name: str, attributes: Mapping[str, str]) -> Record:
        return self._histogram_of(_name(name)).labels(*attributes.values()).observe

    def gauge(self, name: str, attributes: Mapping[str, str]) -> Record:
        return self._gauge_of(_name(name)).labels(*attributes.values()).set

    @cache  # noqa: B019 - one library lives as long as its process
    def url(self) -> str:
        server, _ = start_http_server(0, "127.0.0.1", self._registry)
        return f"http://127.0.0.1:{server.server_port}/metrics"

    def nothing_url(self) -> str:
        return self.url().replace("/metrics", "/favicon.ico")

    def text(self) -> str:
        return fetch(self.url())[0]

    def time(self, place: int) -> Decorator:
        """Return `@hist.time()` of a child with three labels: a histogram, without any outcome."""
        return self._call_histogram().labels(f"model-{place}", "3", "sma_cross").time()

    def time_and_count(self, place: int) -> Decorator:
        """Return `@hist.time()` and a counter of what was predicted, by hand: a label that is known with the result."""
        timed, predictions, model = self.time(place), self._predictions(), f"model-{place}"

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            predict = timed(function)

            def counted(*args: Any, **kwargs: Any) -> Any:
                result = predict(*args, **kwargs)
                predictions.labels(model, "3", "sma_cross", result).inc()
                return result

            return counted

        return decorate

    def time_and_count_counts(self) -> list[Count]:
        """Where these calls are counted."""
        return [*self.time_counts(), Count("bench_predictions", "_total", "", "successes")]

    @cache  # noqa: B019 - one library lives as long as its process
    def _predictions(self) -> Counter:
        return Counter("bench_predictions", "Predictions.", ["model", "version", "strategy", "label"], registry=self._registry)

    @cache  # noqa: B019 - one library lives as long as its process
    def _call_histogram(self) -> Histogram:
        labels = ["model", "version", "strategy"]
        return Histogram("bench_call_duration_seconds", "Duration.", labels, registry=self._registry, buckets=BOUNDS)

    def time_counts(self) -> list[Count]:
        """Where these calls are counted."""
        return [Count("bench_call_duration_seconds", "_count", "", "calls")]


def _name(dotted: str) -> str:
    return dotted.replace(".", "_")
