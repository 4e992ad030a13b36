"""CPU, memory, threads, file descriptors and network of the process, from OpenTelemetry's own instrumentation.

Only what means the same on both paths: its `*.utilization` gauges would get another name in a Collector.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opentelemetry.instrumentation.system_metrics import SystemMetricsInstrumentor
from opentelemetry.metrics import MeterProvider

from otel_trading.metrics.delegate import DelegatingMeterProvider

CONFIG: dict[str, list[str] | None] = {
    "process.cpu.time": ["user", "system"],
    "process.memory.usage": None,
    "process.thread.count": None,
    "process.open_file_descriptor.count": None,
    "system.network.io": ["transmit", "receive"],
}

# The instrumentation cannot be taken back, so it is applied once, to a provider that can be detached.
_provider = DelegatingMeterProvider()
_applied = False


def watch(provider: MeterProvider) -> Callable[[], None]:
    """Observe the process on `provider`; call what is returned to stop.

    An application that runs the instrumentation itself keeps its own.
    """
    global _applied  # noqa: PLW0603 - the instrumentation is one object a process, too
    # The one instance without its constructor, which would overwrite the application's configuration of it.
    instrumentor: Any = SystemMetricsInstrumentor
    if instrumentor.__new__(instrumentor).is_instrumented_by_opentelemetry and not _applied:
        return lambda: None
    instrumentation = SystemMetricsInstrumentor(config=CONFIG)  # each time: a process that forked has another id
    if not _applied:
        instrumentation.instrument(meter_provider=_provider)
        _applied = True
    _provider.attach(provider)
    return lambda: _provider.attach(None)
