"""What a user sets about objectives is what Prometheus reads, and what cannot be watched is refused."""

from __future__ import annotations

import pytest

from otel_trading import ConfigurationError
from otel_trading.stack.prometheus.rules import alerts, texts
from otel_trading.stack.prometheus.settings import RuleSettings, load


@pytest.fixture
def read(tmp_path):
    def settings(written: str) -> RuleSettings:
        file = tmp_path / "alerts.yaml"
        file.write_text(written)
        return load(file, alerts())

    return settings


def test_an_objective_and_a_bound_are_in_the_rules(read):
    rules = texts(read("slos: {order_latency: {objective: 0.98, seconds: 2.5}}"))["otel-trading-slos.yml"]
    assert rules.count('le="2.5"') == 7
    assert 'slo="order-latency"} > 0.288' in " ".join(rules.split())  # 14.4 times 2 %
    assert 'slo="order-errors"} > 0.72' in " ".join(rules.split())


def test_a_time_between_two_buckets_is_refused_with_those_that_there_are(read):
    with pytest.raises(ConfigurationError) as refused:
        read("slos: {order_latency: {seconds: 2}, inference_latency: {seconds: 0.2}}")
    said = str(refused.value)
    assert "alerts.yaml: slos.order_latency.seconds = 2" in said
    assert "trading.order.duration, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60" in said
    assert "slos.inference_latency.seconds = 0.2" in said


@pytest.mark.parametrize("share", [0.5, 1, 99, "most"])
def test_an_objective_that_no_rate_of_errors_would_miss_fast_or_that_allows_none_is_refused(read, share):
    with pytest.raises(ConfigurationError, match=r"slos\.order_errors\.objective = "):
        read(f"slos: {{order_errors: {{objective: {share}}}}}")


def test_what_is_not_known_of_objectives_is_refused_with_what_there_is(read):
    with pytest.raises(ConfigurationError) as refused:
        read("slos: {latency: {objective: 0.99}, order_errors: {seconds: 1}}")
    said = str(refused.value)
    assert "slos.latency: there is no such setting; there are order_latency, order_errors, inference_latency" in said
    assert "slos.order_errors.seconds: there is no such setting; there are objective" in said
