"""The SDK says what it dropped, what of its own went wrong, and which way measurements take, in exact numbers."""

from __future__ import annotations

import ast
import math
from pathlib import Path

import otel_trading
from otel_trading.metrics import catalog, faults
from otel_trading.semconv.attributes import SDK_DROP_REASON_VALUES
from otel_trading.semconv.spec import Metric
from tests.harness import find, one, scrape

JOBS = Metric("my.self.jobs", "counter", "{job}", "Jobs.")
SECONDS = Metric("my.self.seconds", "histogram", "s", "Seconds.", bounds=(1.0,))
OBSERVED = Metric("my.self.observed", "counter", "1", "Observed.")


class Hostile:
    def __str__(self) -> str:
        raise RuntimeError("no")


def test_drops_and_faults_are_exact(configured):
    with configured() as telemetry:
        jobs, seconds = catalog.counter(JOBS), catalog.histogram(SECONDS)
        for value in (math.nan, math.inf, "x", None, -1):
            jobs.add(value)
            seconds.record(value)
        jobs.add(1, {"kind": "x" * 1000})
        stop = catalog.counter(OBSERVED).observe(lambda: 1)
        catalog.counter(OBSERVED).add(1)
        jobs.add(1, {"kind": Hostile()})
        for _ in range(2):
            samples = scrape(telemetry.endpoint_url)
            dropped = {s.labels["trading_sdk_drop_reason"]: s.value for s in find(samples, "trading_sdk_dropped_total")}
            assert dropped == {"non_finite": 4, "not_a_number": 4, "negative": 2, "label_too_long": 1, "observed": 1}
            (error,) = find(samples, "trading_sdk_errors_total")
            assert error.value == 1
            assert error.labels == {"trading_component_name": "attributes", "error_type": "RuntimeError"}
        stop()


def test_nothing_is_said_where_nothing_is_wrong(configured):
    with configured(system_metrics=True, venue_requests=True) as telemetry:
        catalog.counter(JOBS).add(1)
        scrape(telemetry.endpoint_url)
        samples = scrape(telemetry.endpoint_url, openmetrics=True)
    assert not find(samples, "trading_sdk_dropped_total")
    assert not find(samples, "trading_sdk_errors_total")
    assert not faults.errors


def test_a_callback_that_fails_is_counted_at_each_scrape_and_the_rest_is_whole(configured):
    def fail() -> float:
        raise ValueError("signature=s3cr3t")

    with configured() as telemetry:
        stop = catalog.gauge(Metric("my.self.failing", "gauge", "1", "")).observe(fail)
        for count in (1, 2):
            scrape(telemetry.endpoint_url)
            assert faults.errors["observe", "ValueError"] == count
        catalog.counter(JOBS).add(5)
        assert find(scrape(telemetry.endpoint_url), "my_self_jobs_total")
        stop()


def test_the_way_is_a_metric(configured):
    with configured() as telemetry:
        (sample,) = find(scrape(telemetry.endpoint_url), "trading_sdk_route")
    assert (sample.labels, sample.value) == ({"trading_sdk_route_name": "core"}, 1)


def test_the_reasons_in_the_registry_are_those_in_the_code():
    """Each is given somewhere, and none is given that the registry does not have (which the type checker sees, too)."""
    package = Path(otel_trading.__file__).parent
    texts = {
        node.value
        for file in package.rglob("*.py")
        if "semconv" not in file.parts
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert set(SDK_DROP_REASON_VALUES) <= texts
    given = {
        call.args[0].value
        for file in package.rglob("*.py")
        for call in ast.walk(ast.parse(file.read_text()))
        if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "drop" and isinstance(call.args[0], ast.Constant)
    }
    assert given <= set(SDK_DROP_REASON_VALUES)


def test_the_uptime_grows(configured):
    with configured() as telemetry:
        first = one(scrape(telemetry.endpoint_url), "process_uptime_seconds")
        assert one(scrape(telemetry.endpoint_url), "process_uptime_seconds") >= first > 0
