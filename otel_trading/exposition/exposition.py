"""One exposition of everything: our cells by our own renderer, what else the MeterProvider holds by OpenTelemetry's reader."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Any

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.exposition import generate_latest as generate_text
from prometheus_client.openmetrics import exposition as openmetrics_exposition
from prometheus_client.parser import text_string_to_metric_families

from otel_trading.exposition.renderer import Renderer
from otel_trading.metrics import catalog, faults

_END = b"# EOF\n"


class Exposition:
    """What a scraper is shown."""

    def __init__(self, renderer: Renderer, foreign: CollectorRegistry) -> None:
        """`foreign` is where a `PrometheusMetricReader` has registered itself."""
        self._renderer = renderer
        self._foreign = foreign
        self._lock = threading.Lock()

    def render(self, *, openmetrics: bool) -> bytes:
        """All families, each of them once. One scrape at a time: OpenTelemetry's reader cannot answer two."""
        with self._lock, catalog.collection(self._renderer.reader):
            ours, names = self._renderer.render(openmetrics=openmetrics)
            others = _Others(self._foreign, names)
            if not openmetrics:
                return b"".join([*ours, generate_text(others)])
            untyped: Any = openmetrics_exposition
            theirs: bytes = untyped.generate_latest(others)
            return b"".join([*ours, theirs.removesuffix(_END), _END])

    def collect(self) -> Iterable[Metric]:
        """The same as prometheus_client's families, for what only takes those."""
        return text_string_to_metric_families(self.render(openmetrics=False).decode())


class _Others:
    """The foreign families whose names are not among ours."""

    def __init__(self, registry: CollectorRegistry, taken: AbstractSet[str]) -> None:
        self._registry = registry
        self._taken = taken

    def collect(self) -> Iterable[Metric]:
        for family in self._registry.collect():
            if not self._taken.isdisjoint({family.name, *(sample.name for sample in family.samples)}):
                faults.drop(
                    "duplicate_family",
                    "%s of another instrumentation has the name of one of ours: not shown",
                    family.name,
                    about=family.name,
                )
            else:
                yield family
