"""The one object that a configured bot holds: it starts everything, and stops it within a deadline."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import Future
from contextlib import ExitStack
from types import TracebackType
from weakref import WeakMethod

from opentelemetry.metrics import Meter, MeterProvider
from opentelemetry.trace import Tracer
from typing_extensions import Self

from otel_trading import recording, tracing
from otel_trading.metrics import catalog, exemplars, faults
from otel_trading.metrics import clock as clocks
from otel_trading.metrics.instruments import Limits
from otel_trading.metrics.worker import all_within
from otel_trading.orders import seen
from otel_trading.pipeline import route
from otel_trading.pipeline.exporters import Output, outputs
from otel_trading.pipeline.resource import resource as resource_of
from otel_trading.pipeline.self_telemetry import observe_self
from otel_trading.pipeline.settings import Settings
from otel_trading.pipeline.traces import Traces

_USER_SCOPE = "app"


class Telemetry:
    """A running pipeline. Made by `configure()`, ended by `shutdown()` or by leaving its `with` block."""

    def __init__(self, settings: Settings, origins: dict[str, str]) -> None:
        """Start what `settings` say. Raises `ConfigurationError` when that is not possible, with nothing left running."""
        self.settings = settings
        self.origins = origins
        """Where each setting that is not a default came from."""
        self._lock = threading.RLock()
        self._ending: list[Future[bool | None]] | None = None
        self._outputs: list[Output] = []
        self._route: route.Route | None = None
        self._traces: Traces | None = None
        self._undo = ExitStack()
        """What is undone at the end, last first."""
        with ExitStack() as on_failure:
            on_failure.callback(self._release)
            if settings.clock is not None:  # also where no metrics are wanted: accounts and breakers go by it
                self._undo.callback(clocks.process.set, clocks.WALL)
                clocks.process.set(settings.clock)
            if not settings.disabled:
                self._start()
            on_failure.pop_all()
        if not settings.disabled and hasattr(os, "register_at_fork"):
            # Here, to come after the hooks of the SDK, which starts its threads again in a process that forked.
            in_child = WeakMethod(self._begin_in_child)
            os.register_at_fork(after_in_child=lambda: (begin := in_child()) and begin())

    @property
    def meter(self) -> Meter:
        """A meter for the bot's own metrics, which come out of the same exporters."""
        return catalog.user_meter

    @property
    def tracer(self) -> Tracer:
        """A tracer for the bot's own spans; they go nowhere while traces are off."""
        return tracing.provider.get_tracer(_USER_SCOPE)

    @property
    def endpoint_url(self) -> str | None:
        """The address that Prometheus scrapes; None without the exporter `prometheus`."""
        urls = [url for output in self._outputs if (url := output.url)]
        return f"{urls[0]}/metrics" if urls and not self.ended else None

    @property
    def ended(self) -> bool:
        """Whether it has been shut down."""
        return self._ending is not None

    def flush(self, timeout: float = 2.0) -> bool:
        """Send everything now. Return whether all of it arrived within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        if self.ended:
            return True
        sending = [output.flush() for output in self._outputs]
        sending += self._route.flush() if self._route else []
        sending += [self._traces.flush()] if self._traces else []
        return all_within(sending, deadline)

    def shutdown(self, timeout: float | None = None) -> bool:
        """Send the last metrics, stop everything and free the port, within `timeout` seconds.

        The default is the setting `shutdown_timeout`. Return whether all of it arrived by then; a second call does nothing
        but wait for the first.
        """
        return self.end(timeout)

    def end(self, timeout: float | None = None, *, process_ends: bool = False) -> bool:
        """Do what `shutdown` does; where the process ends with it, let the application's exporters send, too."""
        deadline = time.monotonic() + (self.settings.shutdown_timeout if timeout is None else timeout)
        with self._lock:
            first = self._ending is None
            if self._ending is None:
                self._ending = self._route.flush() if self._route and process_ends else []
                self._ending += [output.stop() for output in self._outputs]
                self._ending += [self._traces.stop()] if self._traces else []
        try:
            return all_within(self._ending, deadline)
        finally:
            if first:
                self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.shutdown()

    def _start(self) -> None:
        settings = self.settings
        application = route.application_meter_provider()
        if settings.declarative_config and application is None:
            if not route.declare_from_file(settings.declarative_config):
                return
            application = route.application_meter_provider()
        resource = resource_of(settings)
        self._outputs = outputs(self._selected(application), self.origins, resource)
        readers = [output.reader for output in self._outputs]
        if application is None:
            self._route = route.OwnRoute(readers, resource, settings.exemplar_filter)
        else:
            self._route = route.ApplicationRoute(application, readers, self.origins.get("exporters", ""))
        if settings.tracing:
            tracer_provider = route.application_tracer_provider()
            if tracer_provider is None:
                self._traces = Traces(settings, resource)
                tracer_provider = self._traces.provider
            self._undo.callback(tracing.attach, None)
            tracing.attach(tracer_provider)
        recording.configure(recording.Options(symbol_on_durations=settings.symbol_on_durations))
        self._undo.callback(seen.clear)  # a next run counts from zero, too
        self._undo.callback(catalog.attach, "idle")
        self._route.attach(settings.histogram_buckets, Limits(settings.cardinality_limit, settings.cardinality_limits))
        self._undo.callback(observe_self(self._route.name))
        self._instrument(self._route.provider)
        for output in self._outputs:
            output.start()
        route.claim_globals(traces=settings.tracing)
        exemplars.refresh()

    def _selected(self, application: MeterProvider | None) -> Settings:
        """The settings with the exporters that are to be started: none unasked for beside an application's provider.

        The variable OTEL_METRICS_EXPORTER does not count as asking there, because it spoke to the application already.
        """
        asked = self.origins.get("exporters", "environment").startswith("environment")
        if application is None or not asked:
            return self.settings
        return self.settings.model_copy(update={"exporters": ("none",)})

    def _instrument(self, provider: MeterProvider) -> None:
        settings = self.settings
        if settings.system_metrics and settings.instruments("system_metrics"):
            from otel_trading.instrumentation import system

            self._undo.callback(system.watch(provider))
        if settings.venue_requests and settings.instruments("requests"):
            from otel_trading.instrumentation.requests import requests_instrumentation

            self._undo.callback(requests_instrumentation.stop)
            requests_instrumentation.start(catalog.provider, tracing.provider)

    @faults.contained("shutdown")
    def _release(self) -> None:
        """Leave nothing running or held, whether it has been stopped or has failed to start."""
        self._undo.close()
        for output in self._outputs:
            output.release()
        if self._traces:
            self._traces.release()
        if self._route:
            self._route.release()

    def _begin_in_child(self) -> None:
        """Be silent in a process that forked: its threads are not here, and what it holds is the parent's."""
        if not self.ended:
            self._lock, self._ending = threading.RLock(), []
            for output in self._outputs:
                output.begin_in_child()
            if self._traces:
                self._traces.begin_in_child()
            self._undo.close()
