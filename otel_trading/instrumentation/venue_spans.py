"""A tracer for HTTP client instrumentations that cannot leak what a signed exchange API carries in its addresses.

The instrumentations put the full address on the span and let the exception, whose message quotes the address, be recorded
as an event. Here the attributes are cleaned before the span starts, so that samplers do not see them either, and of an
exception only its type is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, TracerProvider

from otel_trading import redaction
from otel_trading.semconv.attributes import ERROR_TYPE

_ADDRESSES = frozenset({"http.url", "url.full"})
_PATHS = frozenset({"http.target", "url.path"})
_DROPPED = frozenset({"url.query"})


class VenueTracerProvider(TracerProvider):
    """Gives tracers that clean what they are given, over those of another provider."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider

    def get_tracer(self, *args: Any, **kwargs: Any) -> Tracer:
        return _VenueTracer(self._provider.get_tracer(*args, **kwargs))


class _VenueTracer(Tracer):
    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def start_span(self, name: str, context: Any = None, kind: SpanKind = SpanKind.INTERNAL, *args: Any, **kwargs: Any) -> Span:
        kwargs.update(attributes=clean(kwargs.get("attributes")), record_exception=False)
        return self._tracer.start_span(name, context, kind, *args, **kwargs)

    def start_as_current_span(self, *args: Any, **kwargs: Any) -> Any:
        return self._current_span(*args, **kwargs)

    @contextmanager
    def _current_span(
        self, name: str, context: Any = None, kind: SpanKind = SpanKind.INTERNAL, attributes: Any = None, **kwargs: Any
    ) -> Iterator[Span]:
        kwargs.update(record_exception=False, set_status_on_exception=False)
        with self._tracer.start_as_current_span(name, context, kind, clean(attributes), **kwargs) as span:
            try:
                yield span
            except BaseException as error:
                span.set_attribute(ERROR_TYPE, type(error).__qualname__)
                span.set_status(Status(StatusCode.ERROR))
                raise


def clean(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    """`attributes` without query, user information, signature and identifiers in the path."""
    cleaned: dict[str, Any] = {}
    for key, value in (attributes or {}).items():
        if key in _ADDRESSES:
            cleaned[key] = redaction.url(str(value))
        elif key in _PATHS:
            cleaned[key] = redaction.path(str(value).partition("?")[0])
        elif key not in _DROPPED:
            cleaned[key] = value
    return cleaned
