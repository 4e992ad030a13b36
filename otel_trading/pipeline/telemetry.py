"""The one object that a configured bot holds: it starts everything, and stops it within a deadline."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from types import TracebackType
from typing import cast

from opentelemetry.metrics import Meter, MeterProvider
from opentelemetry.sdk.metrics import MeterProvider as SdkMeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider as SdkTracerProvider
from opentelemetry.trace import Tracer
from typing_extensions import Self

from otel_trading import tracing
from otel_trading.errors import ConfigurationError
from otel_trading.metrics import catalog
from otel_trading.pipeline import route
from otel_trading.pipeline.deadline import Worker, all_within
from otel_trading.pipeline.exporters import Output, outputs, shut
from otel_trading.pipeline.resource import resource as resource_of
from otel_trading.pipeline.self_telemetry import observe_self
from otel_trading.pipeline.settings import Settings
from otel_trading.pipeline.traces import tracer_provider as sdk_tracer_provider

_USER_SCOPE = "app"


class Telemetry:
    """A running pipeline. Made by `configure()`, ended by `shutdown()` or by leaving its `with` block."""

    def __init__(self, settings: Settings, origins: dict[str, str]) -> None:
        """Start what `settings` say. Raises `ConfigurationError` when that is not possible, with nothing left running."""
        self.settings = settings
        self.origins = origins
        """Where each setting that is not a default came from."""
        self._lock = threading.RLock()
        self._ended = False
        self._outputs: list[Output] = []
        self._meter_provider: SdkMeterProvider | None = None
        self._tracer_provider: SdkTracerProvider | None = None
        self._undo = ExitStack()
        """What is undone at the end, last first."""
        if not settings.disabled:
            with ExitStack() as on_failure:
                on_failure.callback(self._abandon)
                self._start()
                on_failure.pop_all()

    @property
    def meter(self) -> Meter:
        """A meter for the bot's own metrics, which come out of the same exporters."""
        return catalog.provider.get_meter(self.settings.service_name or _USER_SCOPE, self.settings.service_version)

    @property
    def tracer(self) -> Tracer:
        """A tracer for the bot's own spans; they go nowhere while traces are off."""
        return tracing.provider.get_tracer(self.settings.service_name or _USER_SCOPE, self.settings.service_version)

    @property
    def endpoint_url(self) -> str | None:
        """The address that Prometheus scrapes; None without the exporter `prometheus`."""
        if self._ended:
            return None
        urls = [url for output in self._outputs if (url := output.url())]
        return f"{urls[0]}/metrics" if urls else None

    @property
    def ended(self) -> bool:
        """Whether it has been shut down."""
        return self._ended

    def flush(self, timeout: float = 2.0) -> bool:
        """Send everything now. Return whether all of it arrived within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        if self._ended or self.settings.disabled:
            return True
        milliseconds = int(timeout * 1e3)
        jobs = [self._metrics_worker.submit(lambda: self._flush_metrics(milliseconds))]
        if (tracer_provider := self._tracer_provider) is not None:
            jobs.append(self._traces_worker.submit(lambda: tracer_provider.force_flush(milliseconds)))
        return all_within(jobs, deadline)

    def shutdown(self, timeout: float | None = None) -> bool:
        """Send the last metrics, stop everything and free the port, within `timeout` seconds.

        The default is the setting `shutdown_timeout`. Return whether all of it arrived by then; a second call does nothing.
        """
        timeout = self.settings.shutdown_timeout if timeout is None else timeout
        deadline = time.monotonic() + timeout
        if not self._lock.acquire(timeout=timeout):
            return False
        try:
            if self._ended:
                return True
            self._ended = True
            if self.settings.disabled:
                return True
            return self._stop(timeout, deadline)
        finally:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.shutdown()

    def _start(self) -> None:
        settings = self.settings
        if settings.declarative_config and route.application_meter_provider() is None:
            route.declare_from_file(settings.declarative_config)
        resource = resource_of(settings)
        application = route.application_meter_provider()
        self._outputs = outputs(self._selected(application), self.origins, resource)
        for output in self._outputs:
            output.start()
        provider = self._meters_of(application, resource)
        self._traces(resource)
        catalog.provider.attach(provider, settings.histogram_buckets)
        self._undo.callback(catalog.provider.attach, None)
        if application is None:
            route.claim_globals(traces=settings.tracing)
        self._undo.callback(observe_self("stock" if application is None else "application"))
        self._instrument(provider)
        self._metrics_worker = Worker("otel-trading-metrics")
        self._traces_worker = Worker("otel-trading-traces")

    def _selected(self, application: MeterProvider | None) -> Settings:
        """The settings with the exporters that are to be started: none unasked for beside an application's provider.

        The variable OTEL_METRICS_EXPORTER does not count as asking there, because it spoke to the application already.
        """
        asked = self.origins.get("exporters", "environment").startswith("environment")
        if application is None or not asked:
            return self.settings
        return self.settings.model_copy(update={"exporters": ("none",)})

    def _meters_of(self, application: MeterProvider | None, resource: Resource) -> MeterProvider:
        readers = [output.reader for output in self._outputs]
        if application is None:
            self._meter_provider = SdkMeterProvider(readers, resource, shutdown_on_exit=False)
            return self._meter_provider
        if readers and not isinstance(application, SdkMeterProvider):
            raise ConfigurationError(
                f"exporters (from {self.origins['exporters']}): the application has set a {type(application).__name__}, "
                "to which no exporter can be added; leave the exporters to the application"
            )
        for reader in readers:
            cast("SdkMeterProvider", application).add_metric_reader(reader)
        return application

    def _traces(self, resource: Resource) -> None:
        if not self.settings.tracing:
            return
        delegate = route.application_tracer_provider()
        if delegate is None:
            delegate = self._tracer_provider = sdk_tracer_provider(self.settings, self.origins, resource)
        tracing.provider.delegate = delegate
        self._undo.callback(setattr, tracing.provider, "delegate", None)

    def _instrument(self, provider: MeterProvider) -> None:
        settings = self.settings
        if settings.system_metrics and "system_metrics" not in settings.disabled_instrumentations:
            from otel_trading.instrumentation import system

            self._undo.callback(system.watch(provider))
        if settings.venue_requests and "requests" not in settings.disabled_instrumentations:
            from otel_trading.instrumentation.requests import requests_instrumentation

            requests_instrumentation.start(catalog.provider, tracing.provider)
            self._undo.callback(requests_instrumentation.stop)

    def _abandon(self) -> None:
        """Leave nothing running of a start that failed."""
        self._ended = True
        self._undo.close()
        for output in self._outputs:
            output.stop(1.0)
            if self._meter_provider is None:
                shut(output.reader, 100)
        if self._meter_provider is not None:
            self._meter_provider.shutdown(timeout_millis=100)

    def _flush_metrics(self, milliseconds: int) -> bool:
        for output in self._outputs:
            output.flush()
            output.reader.force_flush(milliseconds)
        return self._delivered()

    def _delivered(self) -> bool:
        return all(output.delivered() for output in self._outputs)

    def _stop(self, timeout: float, deadline: float) -> bool:
        milliseconds = int(timeout * 1e3)
        jobs = [self._metrics_worker.submit(lambda: self._stop_metrics(milliseconds))]
        if (tracer_provider := self._tracer_provider) is not None:
            jobs.append(self._traces_worker.submit(lambda: tracer_provider.shutdown() is None))
        arrived = all_within(jobs, deadline)
        self._undo.close()
        self._metrics_worker.stop()
        self._traces_worker.stop()
        return arrived

    def _stop_metrics(self, milliseconds: int) -> bool:
        for output in self._outputs:
            output.stop(milliseconds / 1e3)
        if self._meter_provider is not None:
            self._meter_provider.shutdown(milliseconds)
        else:
            for output in self._outputs:
                shut(output.reader, milliseconds)
        return self._delivered()
