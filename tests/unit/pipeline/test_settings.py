"""Where each setting comes from, what wins, and what a variable means."""

from __future__ import annotations

import inspect
import itertools
from pathlib import Path

import pytest
from pydantic import SecretStr

import otel_trading as ot
from otel_trading.pipeline.loading import OF_TRACES
from otel_trading.pipeline.settings import Settings, source_of

VARIABLES = [(field, variable) for field in Settings.model_fields for variable in source_of(field).variables]

SAMPLES = {
    "OTEL_SDK_DISABLED": ("true", True),
    "METRICS_ENABLED": ("false", True),
    "OTEL_SERVICE_NAME": ("bot", "bot"),
    "OTEL_TRADING_MODE": ("paper", "paper"),
    "OTEL_RESOURCE_ATTRIBUTES": ("team=a%20b,desk=x%2Cy", {"team": "a b", "desk": "x,y"}),
    "OTEL_METRICS_EXPORTER": ("otlp, console", ("otlp", "console")),
    "OTEL_EXPORTER_PROMETHEUS_HOST": ("127.0.0.2", "127.0.0.2"),
    "METRICS_HOST": ("localhost", "localhost"),
    "OTEL_EXPORTER_PROMETHEUS_PORT": ("9000", 9000),
    "METRICS_PORT": ("8000", 8000),
    "OTEL_METRIC_EXPORT_INTERVAL": ("1500", 1.5),
    "OTEL_METRIC_EXPORT_TIMEOUT": ("250", 0.25),
    "OTEL_EXPORTER_OTLP_TIMEOUT": ("2000", 2.0),
    "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT": ("3000", 3.0),
    "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": ("3000", 3.0),
    "OTEL_TRADING_SHUTDOWN_TIMEOUT": ("1.5", 1.5),
    "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": ("DELTA", "delta"),
    "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION": (
        "BASE2_EXPONENTIAL_BUCKET_HISTOGRAM",
        "base2_exponential_bucket_histogram",
    ),
    "OTEL_METRICS_EXEMPLAR_FILTER": ("always_off", "always_off"),
    "OTEL_TRACES_EXPORTER": ("console", ("console",)),
    "OTEL_TRADING_FILE_PATH": ("a/b.jsonl", Path("a/b.jsonl")),
    "OTEL_CONFIG_FILE": ("otel.yaml", Path("otel.yaml")),
    "OTEL_TRADING_PUSHGATEWAY_URL": ("https://push:9091", "https://push:9091"),
    "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": ("requests, system_metrics", ("requests", "system_metrics")),
}


def sample(variable, field):
    """A text for `variable` and what the setting is then."""
    if variable in SAMPLES:
        return SAMPLES[variable]
    annotation = str(Settings.model_fields[field].annotation)
    if "_PROTOCOL" in variable:
        return "GRPC", "grpc"
    if "_COMPRESSION" in variable:
        return "gzip", "gzip"
    if "_ENDPOINT" in variable:
        path = f"/v1/{'traces' if 'traces' in field else 'metrics'}" if variable == "OTEL_EXPORTER_OTLP_ENDPOINT" else ""
        return "http://collector:4318", f"http://collector:4318{path}"
    if "_HEADERS" in variable:
        return "authorization=Bearer%20x,k=v", {"authorization": "Bearer x", "k": "v"}
    if "bool" in annotation:
        return ("false", False) if Settings.model_fields[field].default is True else ("true", True)
    if annotation == "<class 'int'>":
        return "7", 7
    return "some text", "some text"


def plain(value):
    """`value`, with secrets as what they are."""
    if not isinstance(value, dict):
        return value
    return {key: part.get_secret_value() if isinstance(part, SecretStr) else part for key, part in value.items()}


@pytest.mark.parametrize(("field", "variable"), VARIABLES)
def test_each_variable_sets_its_setting_and_is_its_origin(loaded, field, variable):
    text, expected = sample(variable, field)
    found = loaded({variable: text})
    assert plain(getattr(found.settings, field)) == expected
    assert found.origins[field] == f"environment variable {variable}"


@pytest.mark.parametrize(("field", "variable"), VARIABLES)
@pytest.mark.parametrize("empty", ["", "   "])
def test_an_empty_variable_is_one_that_is_unset(loaded, field, variable, empty):
    found = loaded({variable: empty})
    assert getattr(found.settings, field) == getattr(Settings(), field)
    assert found.origins == {}


@pytest.mark.parametrize(
    ("field", "first", "then"),
    [(field, *pair) for field in Settings.model_fields for pair in itertools.pairwise(source_of(field).variables)],
)
def test_of_several_variables_the_first_in_the_list_wins(loaded, field, first, then):
    text, expected = sample(first, field)
    found = loaded({then: sample(then, field)[0], first: text})
    assert plain(getattr(found.settings, field)) == expected
    assert found.origins[field].endswith(first)


def test_the_familiar_aliases_are_below_the_variables_of_opentelemetry(loaded):
    environ = {
        "METRICS_PORT": "8000",
        "METRICS_HOST": "localhost",
        "METRICS_ENABLED": "false",
        "OTEL_EXPORTER_PROMETHEUS_PORT": "9000",
        "OTEL_EXPORTER_PROMETHEUS_HOST": "127.0.0.3",
        "OTEL_SDK_DISABLED": "false",
    }
    settings = loaded(environ).settings
    assert (settings.prometheus_port, settings.prometheus_host, settings.disabled) == (9000, "127.0.0.3", False)


def test_argument_before_environment_before_file_before_default(loaded, tmp_path):
    (tmp_path / "otel-trading.yaml").write_text("prometheus_port: 3\nservice_name: file\nenvironment: file\ntraces: true\n")
    environ = {"OTEL_EXPORTER_PROMETHEUS_PORT": "2", "OTEL_SERVICE_NAME": "variable"}
    found = loaded(environ, prometheus_port=1)
    settings, origins = found.settings, found.origins
    assert (settings.prometheus_port, origins["prometheus_port"]) == (1, "argument prometheus_port=")
    assert (settings.service_name, origins["service_name"]) == ("variable", "environment variable OTEL_SERVICE_NAME")
    assert (settings.environment, origins["environment"]) == ("file", f"config file {tmp_path / 'otel-trading.yaml'}")
    assert (settings.export_interval, origins.get("export_interval")) == (5.0, None)


def test_a_setting_of_false_or_zero_is_set(loaded):
    found = loaded({"OTEL_TRADING_SYSTEM_METRICS": "true"}, system_metrics=False, prometheus_port=0, resource_attributes={})
    assert (found.settings.system_metrics, found.settings.prometheus_port) == (False, 0)


def test_two_defaults_differ_from_the_specification_and_only_when_the_variable_is_unset(loaded):
    assert (loaded().settings.exporters, loaded().settings.export_interval) == (("prometheus",), 5.0)
    environ = {"OTEL_METRICS_EXPORTER": "otlp", "OTEL_METRIC_EXPORT_INTERVAL": "60000"}
    assert (loaded(environ).settings.exporters, loaded(environ).settings.export_interval) == (("otlp",), 60.0)


@pytest.mark.parametrize(
    ("text", "disabled"), [("true", True), ("TRUE", True), ("1", False), ("yes", False), ("nonsense", False)]
)
def test_the_sdk_is_disabled_by_true_and_by_nothing_else(loaded, text, disabled):
    """Specification: any value that is not `true` is false."""
    assert loaded({"OTEL_SDK_DISABLED": text}).settings.disabled is disabled


def test_the_switch_of_opentelemetry_is_final(loaded):
    """OpenTelemetry's own SDK obeys the variable whatever we are told: half a pipeline would be worse than none."""
    found = loaded({"OTEL_SDK_DISABLED": "true"}, disabled=False)
    assert found.settings.disabled
    assert found.origins["disabled"] == "environment variable OTEL_SDK_DISABLED"


@pytest.mark.parametrize(
    ("text", "disabled"),
    [("1", False), ("True", False), ("yes", False), ("on", False), ("0", True), ("FALSE", True), ("no", True), ("off", True)],
)
def test_metrics_enabled_means_the_opposite_of_disabled(loaded, text, disabled):
    assert loaded({"METRICS_ENABLED": text}).settings.disabled is disabled


def test_exporters_are_named_in_any_way(loaded):
    for given in ("prometheus,otlp", " OTLP , prometheus,,otlp", ["prometheus", "otlp"], ("otlp", "prometheus")):
        assert set(loaded(exporters=given).settings.exporters) == {"prometheus", "otlp"}


@pytest.mark.parametrize(
    "name", ["service.name", "service.version", "service.instance.id", "deployment.environment.name", "trading.mode"]
)
def test_resource_attributes_that_are_settings_become_them(loaded, name):
    field = {
        "service.name": "service_name",
        "service.version": "service_version",
        "service.instance.id": "service_instance_id",
        "deployment.environment.name": "environment",
        "trading.mode": "trading_mode",
    }[name]
    found = loaded({"OTEL_RESOURCE_ATTRIBUTES": f"{name}=live,team=a"})
    assert getattr(found.settings, field) == "live"
    assert found.settings.resource_attributes == {"team": "a"}
    assert found.origins[field] == f"{name} in environment variable OTEL_RESOURCE_ATTRIBUTES"


def test_the_variable_of_the_service_name_wins_over_the_one_of_all_attributes(loaded):
    environ = {"OTEL_RESOURCE_ATTRIBUTES": "service.name=a", "OTEL_SERVICE_NAME": "b"}
    assert loaded(environ).settings.service_name == "b"
    assert loaded(environ, resource_attributes={"service.name": "c"}).settings.service_name == "c"
    assert loaded(environ, resource_attributes={"service.name": "c"}, service_name="d").settings.service_name == "d"


def test_resource_attributes_of_all_sources_are_merged(loaded, tmp_path):
    (tmp_path / "otel-trading.yaml").write_text("resource_attributes: {a: file, b: file, c: file}\n")
    found = loaded({"OTEL_RESOURCE_ATTRIBUTES": "b=variable,c=variable"}, resource_attributes={"c": "argument"})
    assert found.settings.resource_attributes == {"a": "file", "b": "variable", "c": "argument"}


def test_headers_of_a_stronger_source_replace_all_of_a_weaker_one(loaded):
    found = loaded({"OTEL_EXPORTER_OTLP_HEADERS": "a=1,b=2"}, otlp_headers={"c": "3"})
    assert plain(found.settings.otlp_headers) == {"c": "3"}


class TestOtlpForEachSignal:
    """Specification, "OTLP Exporter": what is said for one signal wins over what is said for all; and so do stronger sources."""

    @pytest.mark.parametrize("general", OF_TRACES)
    def test_what_is_said_of_otlp_holds_for_both_signals(self, loaded, general):
        value = {
            "otlp_protocol": "grpc",
            "otlp_endpoint": "http://c:4317",
            "otlp_headers": {"k": "v"},
            "otlp_timeout": 3.0,
        }.get(general, "gzip")
        settings = loaded(**{general: value}).settings
        if general != "otlp_endpoint":
            assert plain(getattr(settings, general)) == plain(getattr(settings, OF_TRACES[general])) == value
        else:
            assert (settings.otlp_endpoint, settings.otlp_traces_endpoint) == (
                "http://c:4317/v1/metrics",
                "http://c:4317/v1/traces",
            )

    def test_a_base_address_gets_the_path_and_that_of_a_signal_is_taken_as_it_is(self, loaded):
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318/base/", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t:1/"}
        settings = loaded(environ).settings
        assert (settings.otlp_endpoint, settings.otlp_traces_endpoint) == ("http://c:4318/base/v1/metrics", "http://t:1/")
        settings = loaded({**environ, "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://m:2"}).settings
        assert (settings.otlp_endpoint, settings.otlp_traces_endpoint) == ("http://m:2", "http://t:1/")

    def test_over_grpc_an_address_is_taken_as_it_is(self, loaded):
        for address in ("http://c:4317", "c:4317", "dns:///c:4317", "unix:/run/otel.sock"):
            settings = loaded(otlp_protocol="grpc", otlp_endpoint=address, exporters="otlp", traces=True).settings
            assert settings.otlp_endpoint == settings.otlp_traces_endpoint == address

    def test_what_a_variable_says_of_metrics_says_nothing_of_spans(self, loaded, tmp_path):
        (tmp_path / "otel-trading.yaml").write_text("otlp_endpoint: http://file:4318\notlp_headers: {k: file}\n")
        environ = {
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://m:4317",
            "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": "grpc",
            "OTEL_EXPORTER_OTLP_METRICS_HEADERS": "k=m",
        }
        settings = loaded(environ).settings
        assert (settings.otlp_endpoint, settings.otlp_protocol, plain(settings.otlp_headers)) == (
            "http://m:4317",
            "grpc",
            {"k": "m"},
        )
        assert settings.otlp_traces_endpoint == "http://file:4318/v1/traces"
        assert (settings.otlp_traces_protocol, plain(settings.otlp_traces_headers)) == ("http/protobuf", {"k": "file"})

    def test_an_argument_wins_over_the_variable_of_a_signal(self, loaded):
        environ = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t:1", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://m:1"}
        settings = loaded(environ, otlp_endpoint="http://c:4318").settings
        assert (settings.otlp_endpoint, settings.otlp_traces_endpoint) == (
            "http://c:4318/v1/metrics",
            "http://c:4318/v1/traces",
        )

    def test_a_file_may_say_something_else_of_spans(self, loaded, tmp_path):
        (tmp_path / "otel-trading.yaml").write_text(
            "otlp_endpoint: http://c:4318\notlp_timeout: 3\notlp_traces_endpoint: http://t:1/x\notlp_traces_timeout: 4\n"
        )
        settings = loaded().settings
        assert (settings.otlp_endpoint, settings.otlp_timeout) == ("http://c:4318/v1/metrics", 3.0)
        assert (settings.otlp_traces_endpoint, settings.otlp_traces_timeout) == ("http://t:1/x", 4.0)


@pytest.mark.parametrize(
    ("arguments", "environ", "tracing"),
    [
        ({}, {}, False),
        ({"traces": True}, {}, True),
        ({}, {"OTEL_TRADING_TRACES": "true"}, True),
        ({}, {"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({}, {"OTEL_TRACES_EXPORTER": "none"}, False),
        ({"traces": False}, {"OTEL_TRACES_EXPORTER": "otlp"}, False),
        ({"traces": True}, {"OTEL_TRACES_EXPORTER": "none"}, True),
    ],
)
def test_traces_are_on_when_asked_for_or_when_an_exporter_is_named(loaded, arguments, environ, tracing):
    assert loaded(environ, **arguments).settings.tracing is tracing


@pytest.mark.parametrize(
    ("names", "wanted"), [("", True), ("requests", False), ("other", True), ("*", False), ("other,requests", False)]
)
def test_instrumentations_are_left_out_by_name(loaded, names, wanted):
    assert loaded({"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": names}).settings.instruments("requests") is wanted


def test_every_argument_of_configure_is_a_setting_with_the_same_name():
    arguments = set(inspect.signature(ot.configure).parameters) - {"config_file"}
    assert arguments <= set(Settings.model_fields)
    assert all(
        parameter.kind is parameter.KEYWORD_ONLY and parameter.default is None
        for parameter in inspect.signature(ot.configure).parameters.values()
    )
    by_variable_and_file_only = set(Settings.model_fields) - arguments
    assert by_variable_and_file_only == {
        *OF_TRACES.values(),
        "otlp_timeout",
        "otlp_compression",
        "otlp_temporality",
        "otlp_histograms",
        "exemplar_filter",
        "traces_exporters",
        "disabled_instrumentations",
        "declarative_config",
    }


def test_secrets_are_not_in_the_text_of_the_settings(loaded):
    settings = loaded(
        otlp_headers={"authorization": "Bearer s3cr3t"},
        otlp_endpoint="http://user:pw1@c:4318?key=k1",
        pushgateway_url="https://user:pw2@push:9091",
    ).settings
    for text in (repr(settings), str(settings)):
        assert "c:4318" in text
        for secret in ("s3cr3t", "pw1", "pw2", "k1"):
            assert secret not in text
