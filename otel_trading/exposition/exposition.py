"""One exposition of everything: our cells by our own renderer, what else the MeterProvider holds by OpenTelemetry's reader."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

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
            return b"".join([*ours, *self._others(names, openmetrics=openmetrics), _END * openmetrics])

    def collect(self) -> Iterable[Metric]:
        """The same as prometheus_client's families, for what only takes those."""
        return text_string_to_metric_families(self.render(openmetrics=False).decode())

    def _others(self, taken: AbstractSet[str], *, openmetrics: bool) -> list[bytes]:
        """The foreign families whose names are not taken by ours. What cannot be written costs itself, and not our own."""
        untyped: Any = openmetrics_exposition
        generate: Callable[[_One], bytes] = untyped.generate_latest if openmetrics else generate_text
        written: list[bytes] = []
        with faults.containing("endpoint"):
            for family in self._foreign.collect():
                if not taken.isdisjoint({family.name, *(sample.name for sample in family.samples)}):
                    faults.drop(
                        "duplicate_family",
                        "%s of another instrumentation has the name of one of ours: not shown",
                        family.name,
                        about=family.name,
                    )
                    continue
                with faults.containing("endpoint"):
                    written.append(generate(_One(family)).removesuffix(_END))
        return written


class _One(NamedTuple):
    """What prometheus_client writes: something to collect from."""

    family: Metric

    def collect(self) -> Iterable[Metric]:
        return (self.family,)
