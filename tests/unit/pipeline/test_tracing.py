"""Tracers follow the configuration as instruments do, and cost nothing while traces are off."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from opentelemetry import trace as api
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from opentelemetry.util._once import Once

from otel_trading import tracing
from otel_trading.pipeline import traces


class Spans:
    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    @property
    def names(self) -> list[str]:
        return [span.name for span in self.all]

    @property
    def all(self):
        return self._exporter.get_finished_spans()


@pytest.fixture
def attach():
    yield tracing.attach
    tracing.attach(None)


@pytest.fixture
def no_global_tracer_provider(monkeypatch):
    """As in a process in which nobody has set one; the API has no public way to be put back."""
    monkeypatch.setattr(api, "_TRACER_PROVIDER", None)
    monkeypatch.setattr(api, "_TRACER_PROVIDER_SET_ONCE", Once())


def test_spans_go_to_whoever_is_attached(attach):
    first, second = Spans(), Spans()
    tracer = tracing.provider.get_tracer("test", "1")
    for delegate, name in ((None, "a"), (first.provider, "b"), (None, "c"), (second.provider, "d")):
        attach(delegate)
        assert tracing.enabled() is (delegate is not None)
        tracer.start_span(name).end()
        with tracer.start_as_current_span(f"{name}-block"):
            pass
    assert (first.names, second.names) == (["b", "b-block"], ["d", "d-block"])
    assert (first.all[0].instrumentation_scope.name, first.all[0].instrumentation_scope.version) == ("test", "1")


def test_a_function_that_was_decorated_before_is_traced_from_then_on(attach):
    tracer = tracing.provider.get_tracer("test")

    @tracer.start_as_current_span("sync")
    def add(a: int, b: int = 1) -> int:
        """Add."""
        return a + b

    @tracer.start_as_current_span("async")
    async def wait(a: int) -> int:
        await asyncio.sleep(0)
        return a

    assert (add(1), asyncio.run(wait(2))) == (2, 2)
    spans = Spans()
    attach(spans.provider)
    assert (add(1, b=2), asyncio.run(wait(3))) == (3, 3)
    assert (add.__name__, add.__doc__) == ("add", "Add.")
    assert asyncio.iscoroutinefunction(wait)
    assert spans.names == ["sync", "async"]


def test_a_block_nests_and_its_exception_passes(attach):
    spans, tracer = Spans(), tracing.provider.get_tracer("test")
    attach(spans.provider)
    error = LookupError("x")

    def nested() -> None:
        with tracer.start_as_current_span("outer") as outer:
            assert api.get_current_span() is outer
            with tracer.start_as_current_span("inner"):
                raise error

    with pytest.raises(LookupError) as raised:
        nested()
    assert raised.value is error
    inner, outer = spans.all
    assert inner.parent.span_id == outer.context.span_id
    assert outer.status.status_code is StatusCode.ERROR
    assert not api.get_current_span().is_recording()


def test_without_a_delegate_a_span_records_nothing():
    with tracing.tracer.start_as_current_span("x") as span:
        assert not span.is_recording()
    assert not tracing.enabled()


@pytest.mark.usefixtures("no_global_tracer_provider")
def test_where_nobody_has_set_one_ours_is_the_global_one_but_only_with_traces(configured, monkeypatch):
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
    with configured(traces=False):
        assert api.get_tracer_provider() is not tracing.provider
    with configured(traces=True) as telemetry, telemetry.tracer.start_as_current_span("x") as span:
        assert api.get_tracer_provider() is tracing.provider
        assert span.resource.attributes["service.name"] == "test-bot"
        assert api.get_tracer("theirs").start_span("y").is_recording()


@pytest.mark.usefixtures("no_global_tracer_provider")
def test_an_application_that_has_set_one_keeps_it(configured):
    theirs = Spans()
    api.set_tracer_provider(theirs.provider)
    with configured(traces=True) as telemetry:
        telemetry.tracer.start_span("ours").end()
    assert theirs.names == ["ours"]
    assert api.get_tracer_provider() is theirs.provider
    api.get_tracer("theirs").start_span("after").end()
    assert theirs.names == ["ours", "after"]
    tracing.tracer.start_span("silent").end()
    assert theirs.names == ["ours", "after"]


@pytest.mark.usefixtures("no_global_tracer_provider")
def test_spans_of_a_second_configuration_come_out_of_it(configured, monkeypatch, capsys):
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console")
    for name in ("first", "second"):
        with configured(exporters="none") as telemetry:
            telemetry.tracer.start_span(f"span-{name}").end()
            assert telemetry.flush()
        out = capsys.readouterr().out
        assert f'"name": "span-{name}"' in out
        assert out.count('"name": "span-') == 1


class Answering(SpanExporter):
    """Answers as it is told, and remembers how many were counted as lost meanwhile."""

    def __init__(self, answer) -> None:
        self.answer = answer
        self.watched = traces._Watched(self)
        self.meanwhile = None

    def export(self, spans):
        self.meanwhile = self.watched.lost
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("answer", "lost"), [(SpanExportResult.SUCCESS, 0), (SpanExportResult.FAILURE, 1), (LookupError("x"), 1)], ids=str
)
def test_a_batch_is_lost_when_it_has_not_arrived_and_not_while_it_is_on_its_way(answer, lost):
    exporter = Answering(answer)
    with contextlib.suppress(LookupError):
        exporter.watched.export([])
    assert (exporter.meanwhile, exporter.watched.lost) == (0, lost)
