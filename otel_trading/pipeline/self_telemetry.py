"""What the SDK says of itself: its route, its contained faults, what it dropped, and how long the process runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack

import psutil
from opentelemetry.metrics import Observation

from otel_trading.metrics import catalog, faults
from otel_trading.metrics.values import Attributes
from otel_trading.semconv import attributes, metrics
from otel_trading.version import __version__

Pairs = list[tuple[object, Attributes]]


def observe_self(route: attributes.SdkRouteName) -> Callable[[], None]:
    """Export it from now on; call what is returned to stop."""
    started = psutil.Process().create_time()
    observing = ExitStack()
    observing.callback(_show_route(route))
    observing.callback(catalog.counter(metrics.SDK_ERRORS).observe(_errors))
    observing.callback(catalog.counter(metrics.SDK_DROPPED).observe(_dropped))
    observing.callback(catalog.gauge(metrics.PROCESS_UPTIME).observe(lambda: time.time() - started))
    return observing.close


def _show_route(route: attributes.SdkRouteName) -> Callable[[], None]:
    """Through the MeterProvider itself, whosever it is: an SDK that holds nothing at all calls no exporter."""
    metric = metrics.SDK_ROUTE
    observed = [Observation(1, {attributes.SDK_ROUTE_NAME: route})]
    meter = catalog.provider.get_meter(catalog.SCOPE, __version__)
    meter.create_observable_gauge(metric.name, [lambda _: observed], metric.unit, metric.description)
    catalog.provider.settle()
    return observed.clear


def _errors() -> Pairs:
    return [
        (count, {attributes.COMPONENT_NAME: component, attributes.ERROR_TYPE: kind})
        for (component, kind), count in faults.errors.copy().items()
    ]


def _dropped() -> Pairs:
    return [(count, {attributes.SDK_DROP_REASON: reason}) for reason, count in faults.dropped.copy().items()]
