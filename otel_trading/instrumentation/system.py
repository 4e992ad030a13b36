"""CPU, memory, threads, file descriptors and network of the process, from OpenTelemetry's own instrumentation.

Only what means the same on both paths: its `*.utilization` gauges would get another name in a Collector.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable

from opentelemetry.instrumentation.system_metrics import SystemMetricsInstrumentor
from opentelemetry.metrics import MeterProvider

CONFIG: dict[str, list[str] | None] = {
    "process.cpu.time": ["user", "system"],
    "process.memory.usage": None,
    "process.thread.count": None,
    "process.open_file_descriptor.count": None,
    "system.network.io": ["transmit", "receive"],
}

_watched: weakref.WeakSet[MeterProvider] = weakref.WeakSet()


def watch(provider: MeterProvider) -> Callable[[], None]:
    """Observe the process on `provider`, once; call what is returned before another provider is watched.

    An application that runs the instrumentation itself keeps its own.
    """
    instrumentor = SystemMetricsInstrumentor(config=CONFIG)
    if provider in _watched or instrumentor.is_instrumented_by_opentelemetry:
        return lambda: None
    _watched.add(provider)
    instrumentor.instrument(meter_provider=provider)
    return instrumentor.uninstrument
