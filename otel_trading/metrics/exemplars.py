"""Whether a histogram should look for a span, and which one is current.

Looking costs more than recording, so it is switched on only where some tracer provider could have made a span, or where the
settings want an exemplar of everything.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from opentelemetry import trace

Filter = Literal["trace_based", "always_on", "always_off"]
"""Specification, "ExemplarFilter"."""

on = False
"""Kept up to date by `refresh()`; read on the hot path."""

_filter: Filter = "trace_based"


class SpanIds(NamedTuple):
    """Where a measurement was made; zeros for outside of any span."""

    trace_id: int
    span_id: int


def choose(which: Filter) -> None:
    """Let the measurements that pass this filter be exemplars from now on."""
    global _filter  # noqa: PLW0603 - as below
    _filter = which
    refresh()


def refresh() -> None:
    """Look again whether anybody makes spans: called when a pipeline starts and at each collection."""
    global on  # noqa: PLW0603 - a module's flag is the cheapest thing that the hot path can ask
    provider = trace.get_tracer_provider()
    spans = not type(provider).__module__.startswith("opentelemetry.trace")
    on = _filter == "always_on" or (_filter == "trace_based" and spans)


def current() -> SpanIds | None:
    """The span that is current here, if the filter lets it pass: by default a sampled one."""
    context = trace.get_current_span().get_span_context()
    passes = context.trace_flags.sampled or _filter == "always_on"
    return SpanIds(context.trace_id, context.span_id) if passes else None
