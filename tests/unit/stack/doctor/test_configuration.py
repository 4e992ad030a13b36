"""Settings: their values, where each came from, and that nothing secret is among them."""

from __future__ import annotations

import pytest

from otel_trading.stack.doctor.configuration import check


def test_each_setting_that_is_given_says_where_it_came_from(tmp_path):
    (tmp_path / "otel-trading.yaml").write_text("service_name: sma-bot\nprometheus_port: 9500\n")

    settings, given, findings = check({"OTEL_METRICS_EXPORTER": "prometheus,otlp"}, tmp_path, None)

    assert settings is not None
    assert {(each.name, each.value, each.origin) for each in given} == {
        ("service_name", "sma-bot", f"config file {tmp_path}/otel-trading.yaml"),
        ("prometheus_port", "9500", f"config file {tmp_path}/otel-trading.yaml"),
        ("exporters", "prometheus, otlp", "environment variable OTEL_METRICS_EXPORTER"),
    }
    assert [each.status for each in findings] == ["ok"]


def test_the_file_that_is_named_is_read(tmp_path):
    (tmp_path / "mine.toml").write_text("[trading]\n")

    _, _, [finding] = check({}, tmp_path, tmp_path / "mine.toml")

    assert finding.status == "wrong"
    assert "mine.toml" in finding.says


def test_each_wrong_setting_is_a_line_of_its_own_with_what_is_allowed(tmp_path):
    settings, _, findings = check({"OTEL_METRICS_EXPORTER": "pigeon", "METRICS_PORT": "http"}, tmp_path, None)

    assert settings is None
    assert [each.status for each in findings] == ["wrong", "wrong"]
    assert "OTEL_METRICS_EXPORTER" in findings[0].says
    assert "allowed: one or more of prometheus, otlp" in findings[0].says
    assert "METRICS_PORT" in findings[1].says


def test_no_secret_is_shown(tmp_path):
    environ = {
        "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20hush,x-scope=hush",
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_TRADING_PUSHGATEWAY_URL": "http://me:hush@127.0.0.1:9091",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://me:hush@127.0.0.1:4318?key=hush",
    }

    _, given, findings = check(environ, tmp_path, None)

    assert "hush" not in f"{given}{findings}"
    assert "authorization=**********, x-scope=**********" in [each.value for each in given]


def test_what_is_set_for_spans_is_shown_only_where_there_are_spans(tmp_path):
    environ = {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}

    assert [each.name for each in check(environ, tmp_path, None)[1]] == ["otlp_protocol"]
    assert "otlp_traces_protocol" in [
        each.name for each in check({**environ, "OTEL_TRADING_TRACES": "true"}, tmp_path, None)[1]
    ]


@pytest.mark.parametrize(
    ("variable", "value", "status"),
    [
        ("OTEL_SDK_DISABLED", "true", "wrong"),
        ("METRICS_ENABLED", "false", "wrong"),
        ("OTEL_METRICS_EXPORTER", "none", "warning"),
    ],
)
def test_what_switches_the_metrics_off_is_named(variable, value, status, tmp_path):
    _, given, findings = check({variable: value}, tmp_path, None)

    assert variable in given[0].origin
    assert findings[-1].status == status
