"""HTTP requests made with `requests`: OpenTelemetry's own instrumentation, applied once the bot imports the library."""

from __future__ import annotations

import importlib
import sys
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
        if not self._hooked:
            self._hooked = True
            wrapt.register_post_import_hook(self._apply, "requests.sessions")  # which applies it at once if it is there
        elif "requests.sessions" in sys.modules:
            self._apply(sys.modules["requests.sessions"])

    def stop(self) -> None:
        """Leave `requests` as it was."""
        self._providers = None
        applied, self._applied = self._applied, None
        if applied is not None and applied.is_instrumented_by_opentelemetry:
            applied.uninstrument()

    @faults.contained("requests")
    def _apply(self, _: object) -> None:
        if self._providers is None:
            return
        meter_provider, tracer_provider = self._providers
        instrumentor = importlib.import_module("opentelemetry.instrumentation.requests").RequestsInstrumentor()
        if not instrumentor.is_instrumented_by_opentelemetry:
            instrumentor.instrument(meter_provider=meter_provider, tracer_provider=tracer_provider)
            self._applied = instrumentor


requests_instrumentation = RequestsInstrumentation()
