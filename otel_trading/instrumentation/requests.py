"""HTTP requests made with `requests`: OpenTelemetry's own instrumentation, applied once the bot imports the library."""

from __future__ import annotations

import importlib
from typing import Any

import wrapt
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import TracerProvider

from otel_trading.instrumentation.venue_spans import VenueTracerProvider
from otel_trading.metrics import faults


class RequestsInstrumentation:
    """Watches `requests` between `start` and `stop`; without the library, or when another has instrumented it, does nothing.

    The metric carries method, host and status, never a path.
    """

    def __init__(self) -> None:
        self._providers: tuple[MeterProvider, TracerProvider] | None = None
        self._applied: Any = None
        self._hooked = False

    def start(self, meter_provider: MeterProvider, tracer_provider: TracerProvider) -> None:
        """Apply the instrumentation now if `requests` is imported, else when it is."""
        self._providers = (meter_provider, VenueTracerProvider(tracer_provider))
        if self._hooked:
            self._apply_if_imported()
        else:
            self._hooked = True
            wrapt.register_post_import_hook(self._apply, "requests.sessions")

    def stop(self) -> None:
        """Leave `requests` as it was."""
        self._providers = None
        if self._applied is not None:
            self._applied.uninstrument()
            self._applied = None

    def _apply_if_imported(self) -> None:
        import sys

        if "requests.sessions" in sys.modules:
            self._apply(sys.modules["requests.sessions"])

    @faults.contained("requests instrumentation")
    def _apply(self, _: object) -> None:
        if self._providers is None:
            return
        meter_provider, tracer_provider = self._providers
        instrumentor = importlib.import_module("opentelemetry.instrumentation.requests").RequestsInstrumentor()
        if not instrumentor.is_instrumented_by_opentelemetry:
            instrumentor.instrument(meter_provider=meter_provider, tracer_provider=tracer_provider)
            self._applied = instrumentor


requests_instrumentation = RequestsInstrumentation()
