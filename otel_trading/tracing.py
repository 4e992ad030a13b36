"""The tracer of this package: nothing until `configure(traces=True)`, and whatever it was given from then on.

Like the meters of `otel_trading.metrics.delegate`, for the same reason: the global provider can be set once, and tracers
that were taken from it must follow when a new configuration takes over.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from types import TracebackType
from typing import Any

from opentelemetry.trace import NoOpTracer, Span, Tracer, TracerProvider
from opentelemetry.util.types import Attributes

from otel_trading.version import __version__

_NOTHING = NoOpTracer()


class _DelegatingTracer(Tracer):
    def __init__(
        self,
        provider: DelegatingTracerProvider,
        name: str,
        version: str | None,
        schema_url: str | None,
        attributes: Attributes | None,
    ) -> None:
        self._provider = provider
        self._scope = (name, version, schema_url, attributes)
        self._source: TracerProvider | None = None
        self._tracer: Tracer = _NOTHING

    def _current(self) -> Tracer:
        delegate = self._provider.delegate
        if delegate is not self._source:
            self._tracer = _NOTHING if delegate is None else delegate.get_tracer(*self._scope)
            self._source = delegate
        return self._tracer

    def start_span(self, *args: Any, **kwargs: Any) -> Span:
        return self._current().start_span(*args, **kwargs)

    def start_as_current_span(self, *args: Any, **kwargs: Any) -> Any:
        return _CurrentSpan(lambda: self._current().start_as_current_span(*args, **kwargs))


class _CurrentSpan(AbstractContextManager[Span]):
    """A span around a block, or around each call of the function that it decorates, on the provider of that moment."""

    def __init__(self, start: Callable[[], AbstractContextManager[Span]]) -> None:
        self._start = start
        self._block: AbstractContextManager[Span] | None = None

    def __enter__(self) -> Span:
        self._block = self._start()
        return self._block.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        block, self._block = self._block, None
        return block.__exit__(kind, error, trace) if block else None

    def __call__(self, function: Any) -> Any:
        async def traced_coroutine(*args: Any, **kwargs: Any) -> Any:
            with self._start():
                return await function(*args, **kwargs)

        def traced(*args: Any, **kwargs: Any) -> Any:
            with self._start():
                return function(*args, **kwargs)

        return wraps(function)(traced_coroutine if inspect.iscoroutinefunction(function) else traced)


class DelegatingTracerProvider(TracerProvider):
    """The process' global tracer provider where traces are on and the application has set none."""

    def __init__(self) -> None:
        self.delegate: TracerProvider | None = None

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes | None = None,
    ) -> Tracer:
        return _DelegatingTracer(self, instrumenting_module_name, instrumenting_library_version, schema_url, attributes)


provider = DelegatingTracerProvider()
tracer = provider.get_tracer("otel_trading", __version__)


def attach(delegate: TracerProvider | None) -> None:
    """Send spans to `delegate` from now on (nowhere if None)."""
    provider.delegate = delegate


def enabled() -> bool:
    """Whether spans go anywhere just now."""
    return provider.delegate is not None
