"""Whatever is wrong with the settings is one error that names each setting, its source and what is allowed."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest

import otel_trading as ot
from otel_trading.pipeline.loading import load
from otel_trading.pipeline.settings import Settings


@pytest.fixture
def refused(loaded):
    """The message of the error that `load` raises."""

    def of(*arguments, **settings):
        with pytest.raises(ot.ConfigurationError) as error:
            loaded(*arguments, **settings)
        return str(error.value)

    return of


WRONG = [
    ("exporters", "prometheus,statsd", "there is no exporter 'statsd'"),
    ("exporters", "none,otlp", "'none' stands alone"),
    ("exporters", "", "no exporter is named"),
    ("exporters", [], "no exporter is named"),
    ("exporters", 5, "tuple"),
    ("prometheus_port", -1, "greater than or equal to 0"),
    ("prometheus_port", 65536, "less than or equal to 65535"),
    ("prometheus_port", "web", "valid integer"),
    ("prometheus_port", True, "not a number"),
    ("prometheus_host", "0.0.0.0", "without authentication"),  # noqa: S104 - the address that is refused
    ("prometheus_host", "::", "without authentication"),
    ("prometheus_host", "bot.example.com", "without authentication"),
    ("prometheus_host", "127.0.0.1.example.com", "without authentication"),
    ("prometheus_host", "  ", "at least 1 character"),
    ("export_interval", -5, "greater than or equal to 0.001"),
    ("export_interval", 0, "greater than or equal to 0.001"),
    ("export_interval", math.nan, "greater than or equal to 0.001"),
    ("export_interval", math.inf, "less than or equal to 86400"),
    ("export_interval", "soon", "valid number"),
    ("export_interval", True, "not a number"),
    ("export_timeout", 1e9, "less than or equal to 86400"),
    ("shutdown_timeout", 0, "greater than or equal to 0.001"),
    ("otlp_endpoint", "http://", "not an http:// or https:// address"),
    ("otlp_endpoint", "http://c:port", "Port could not be cast"),
    ("otlp_endpoint", "http://c:99999", "Port out of range"),
    ("otlp_endpoint", "http://[::1", "Invalid IPv6"),
    ("otlp_endpoint", "a b", "match"),
    ("otlp_protocol", "http/json", "'grpc' or 'http/protobuf'"),
    ("otlp_headers", "authorization", "not in the form key=value"),
    ("otlp_headers", {"a": 5}, "valid string"),
    ("trading_mode", "real", "'live', 'paper' or 'backtest'"),
    ("traces", "perhaps", "boolean"),
    ("resource_attributes", "a=1,=2", "not in the form key=value"),
    ("resource_attributes", {"team": 7}, "valid string"),
    ("service_name", "", "at least 1 character"),
    ("service_name", "x" * 256, "at most 255 characters"),
    ("service_name", "bot\udcff", "valid string"),
    ("pushgateway_url", "push:9091", "not an http:// or https:// address"),
    ("histogram_buckets", {"m": []}, "not all numbers from 0 upwards"),
    ("histogram_buckets", {"m": [-1, 2]}, "not all numbers from 0 upwards"),
    ("histogram_buckets", {"m": [1, math.inf]}, "not all numbers from 0 upwards"),
    ("histogram_buckets", {"m": [2, 1]}, "do not ascend"),
    ("histogram_buckets", {"m": [1, 1]}, "do not ascend"),
    ("histogram_buckets", [1, 2], "valid dictionary"),
]


@pytest.mark.parametrize(("setting", "value", "why"), WRONG, ids=lambda case: repr(case)[:24])
def test_a_wrong_argument_is_named_with_what_is_allowed(refused, setting, value, why):
    message = refused(**{setting: value})
    assert message.startswith(setting)
    assert f"(from argument {setting}=)" in message
    assert why in message
    assert "; allowed: " in message
    assert "\n" not in message, "one fault is one line"


@pytest.mark.parametrize(
    ("variable", "text", "setting"),
    [
        ("OTEL_METRICS_EXPORTER", "prometeus", "exporters"),
        ("OTEL_EXPORTER_PROMETHEUS_PORT", "http", "prometheus_port"),
        ("METRICS_PORT", "http", "prometheus_port"),
        ("METRICS_ENABLED", "perhaps", "disabled"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "-1", "export_interval"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "5s", "export_interval"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "ten", "otlp_timeout"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http", "otlp_protocol"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "brotli", "otlp_compression"),
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "both", "otlp_temporality"),
        ("OTEL_METRICS_EXEMPLAR_FILTER", "some", "exemplar_filter"),
        ("OTEL_TRACES_EXPORTER", "zipkin", "traces_exporters"),
        ("OTEL_RESOURCE_ATTRIBUTES", "nonsense", "resource_attributes"),
        ("OTEL_TRADING_MODE", "real", "trading_mode"),
    ],
)
def test_a_wrong_variable_is_named(refused, variable, text, setting):
    message = refused({variable: text})
    assert message.startswith(setting)
    assert f"(from environment variable {variable})" in message


def test_a_wrong_attribute_of_the_resource_is_named_within_its_source(refused):
    message = refused({"OTEL_RESOURCE_ATTRIBUTES": "trading.mode=real"})
    assert message.startswith("trading_mode = 'real' (from trading.mode in environment variable OTEL_RESOURCE_ATTRIBUTES)")


def test_every_wrong_setting_is_in_the_one_error_each_with_its_own_source(refused, tmp_path):
    file = tmp_path / "otel-trading.yaml"
    file.write_text("export_interval: never\nprometheus_prt: 1\n")
    lines = refused({"OTEL_TRADING_MODE": "real"}, exporters="nowhere", prometheus_host="10.0.0.1").splitlines()
    # The host is checked against exporters that are known: here they are not.
    assert [line.split(" ")[0] for line in lines] == ["trading_mode", "exporters", "export_interval", "prometheus_prt"]
    assert "(from argument exporters=)" in lines[1]
    assert f"(from config file {file})" in lines[2]
    assert lines[3] == f"prometheus_prt (from config file {file}) is no setting; did you mean prometheus_port?"


def test_a_host_that_others_reach_is_refused_together_with_all_else(refused):
    lines = refused(prometheus_host="10.0.0.1", export_interval=-1).splitlines()
    assert [line.split(" ")[0] for line in lines] == ["prometheus_host", "export_interval"]


@pytest.mark.parametrize(
    "arguments",
    [
        {"prometheus_host": "10.0.0.1", "allow_unauthenticated": True},
        {"prometheus_host": "10.0.0.1", "exporters": "otlp"},
        {"prometheus_host": "10.0.0.1", "disabled": True},
        {"prometheus_host": "127.3.2.1"},
        {"prometheus_host": "localhost"},
        {"prometheus_host": "::1"},
        {"prometheus_host": "[::1]"},
    ],
    ids=str,
)
def test_a_host_is_refused_only_where_others_could_read_what_is_served(loaded, arguments):
    assert loaded(**arguments).settings.prometheus_host == arguments["prometheus_host"].strip("[]")


def test_http_needs_an_address_with_a_scheme_but_only_where_it_is_used(loaded, refused):
    assert "http/protobuf needs an http:// or https:// address" in refused(otlp_endpoint="collector:4317", exporters="otlp")
    assert loaded(otlp_endpoint="collector:4317", exporters="prometheus").settings.otlp_endpoint == "collector:4317"
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4317", "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": "grpc"}
    assert loaded(environ, exporters="otlp").settings.otlp_endpoint == "collector:4317"
    assert refused(environ, exporters="otlp", traces=True).startswith("otlp_traces_endpoint = 'collector:4317'")


@pytest.mark.parametrize(
    "arguments",
    [
        {"otlp_headers": {"authorization": "Bearer s3cr3t", "b": 5}},
        {"otlp_headers": "s3cr3t"},
        {"otlp_endpoint": "http://user:s3cr3t@c:port"},
        {"otlp_endpoint": "http://user:s3cr3t@"},
        {"otlp_endpoint": "user:s3cr3t@host:1", "exporters": "otlp"},
        {"pushgateway_url": "ftp://user:s3cr3t@push"},
        {"pushgateway_url": "ftp://push?token=s3cr3t"},
    ],
    ids=str,
)
def test_no_secret_is_in_an_error(refused, arguments):
    assert "s3cr3t" not in refused(**arguments)


def test_a_huge_value_does_not_make_a_huge_error(refused):
    assert len(refused(trading_mode="x" * 1_000_000)) < 1000


class TestFile:
    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("otel-trading.yaml", "service_name: bot\nexporters: [otlp, console]\nexport_interval: 2.5\n"),
            ("otel-trading.yml", "service_name: bot\nexporters: otlp,console\nexport_interval: 2.5\n"),
            ("otel-trading.toml", 'service_name = "bot"\nexporters = ["otlp", "console"]\nexport_interval = 2.5\n'),
            (
                "pyproject.toml",
                '[tool.otel_trading]\nservice_name = "bot"\nexporters = "otlp,console"\nexport_interval = 2.5\n',
            ),
        ],
    )
    def test_a_file_in_the_working_directory_is_found(self, loaded, tmp_path, name, text):
        (tmp_path / name).write_text(text)
        found = loaded()
        settings = found.settings
        assert (settings.service_name, settings.exporters, settings.export_interval) == ("bot", ("otlp", "console"), 2.5)
        assert found.origins["service_name"] == f"config file {tmp_path / name}"

    def test_the_first_file_that_is_there_counts(self, loaded, tmp_path):
        names = ["otel-trading.yaml", "otel-trading.yml", "otel-trading.toml", "pyproject.toml"]
        for name in names:
            text = "service_name: NAME\n" if name.endswith("ml") and not name.endswith("toml") else 'service_name = "NAME"\n'
            head = "[tool.otel_trading]\n" if name == "pyproject.toml" else ""
            (tmp_path / name).write_text(head + text.replace("NAME", name))
        for name in names:
            assert loaded().settings.service_name == name
            (tmp_path / name).unlink()
        assert loaded().settings.service_name is None

    def test_a_pyproject_of_others_is_left_alone(self, loaded, tmp_path):
        (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\nthis is not even toml")
        assert loaded().origins == {}

    @pytest.mark.parametrize("by", ["argument", "variable"])
    def test_a_named_file_is_read_instead_of_the_one_in_the_directory(self, loaded, tmp_path, by):
        (tmp_path / "otel-trading.yaml").write_text("service_name: here\n")
        named = tmp_path / "sub" / "mine.toml"
        named.parent.mkdir()
        named.write_text('service_name = "named"\n')
        environ = {"OTEL_TRADING_CONFIG_FILE": str(named)} if by == "variable" else {"OTEL_TRADING_CONFIG_FILE": "no"}
        assert loaded(environ, named if by == "argument" else None).settings.service_name == "named"

    @pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "service_name:\n", "service_name: null\nexporters: ~\n"])
    def test_an_empty_file_and_an_empty_setting_say_nothing(self, loaded, tmp_path, text):
        (tmp_path / "otel-trading.yaml").write_text(text)
        assert loaded().settings == Settings()

    @pytest.mark.parametrize(
        ("name", "content", "why"),
        [
            ("a.yaml", b"service_name: [", "it is malformed"),
            ("a.yaml", b"\xff\xfe\x00bin\x80", "it is malformed"),
            ("a.yaml", b"\x00\x01\x02", "it is malformed"),
            ("a.yaml", b"- service_name\n- bot\n", "it "),
            ("a.yaml", b"just a text\n", "it "),
            ("a.yaml", b"42\n", "it "),
            ("a.toml", b"service_name = ", "it is malformed"),
            ("a.toml", b"\xff\xfe", "it is malformed"),
            ("pyproject.toml", b"[tool]\notel_trading = 5\n", "it holds no settings by name"),
            ("pyproject.toml", b"tool = 'x'\n", "it holds no settings by name"),
            ("a.json", b"{}", "it ends neither in .yaml, .yml nor .toml"),
            ("settings", b"{}", "it ends neither in .yaml, .yml nor .toml"),
        ],
    )
    @pytest.mark.parametrize("by", ["argument", "variable"])
    def test_a_file_that_cannot_be_used_is_named_and_by_whom(self, refused, tmp_path, name, content, why, by):
        file = tmp_path / name
        file.write_bytes(content)
        environ = {"OTEL_TRADING_CONFIG_FILE": str(file)} if by == "variable" else {}
        message = refused(environ, file if by == "argument" else None)
        source = "environment variable OTEL_TRADING_CONFIG_FILE" if by == "variable" else "argument config_file="
        assert message.startswith(f"config file {file} ({source}): {why}")

    def test_a_missing_file_and_a_directory_are_errors_that_say_so(self, refused, tmp_path):
        (tmp_path / "directory.yaml").mkdir()
        assert "it cannot be read: No such file or directory" in refused(None, tmp_path / "none.yaml")
        assert "it cannot be read: No such file or directory" in refused({"OTEL_TRADING_CONFIG_FILE": "none.yaml"})
        assert "it cannot be read: Is a directory" in refused(None, tmp_path / "directory.yaml")

    def test_a_file_that_may_not_be_read_is_an_error_that_says_so(self, tmp_path):
        """As another user: the superuser may read everything."""
        file = tmp_path / "secret.yaml"
        file.write_text("service_name: bot\n")
        file.chmod(0)
        program = f"""
import os, pathlib
from otel_trading.pipeline.loading import load
if os.geteuid() == 0:
    os.seteuid(65534)
try:
    load({{}}, {{}}, pathlib.Path(), {str(file)!r})
except ValueError as error:
    print(error)
"""
        run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert run.stdout == f"config file {file} (argument config_file=): it cannot be read: Permission denied\n"

    def test_a_directory_of_that_name_is_no_file(self, loaded, tmp_path):
        (tmp_path / "otel-trading.yaml").mkdir()
        assert loaded().origins == {}

    def test_a_key_that_is_no_setting_gets_a_hint_or_the_list(self, refused, tmp_path):
        (tmp_path / "otel-trading.yaml").write_text("exporter: otlp\nservice-name: x\nqqq: 1\n7: 8\n")
        message = refused()
        assert "exporter (from" in message
        assert "did you mean exporters?" in message
        assert "did you mean service_name?" in message
        assert "qqq (from" in message
        assert "is no setting; allowed: allow_unauthenticated, " in message
        assert "7 (from" in message

    def test_a_wrong_value_in_a_file_is_named_with_the_file(self, refused, tmp_path):
        (tmp_path / "otel-trading.toml").write_text("prometheus_port = 99999\n")
        assert f"prometheus_port = 99999 (from config file {tmp_path / 'otel-trading.toml'})" in refused()

    def test_yaml_words_that_are_truth_values_are_not_numbers(self, refused, tmp_path):
        (tmp_path / "otel-trading.yaml").write_text("prometheus_port: yes\nexport_interval: on\n")
        assert [line.split(" ")[0] for line in refused().splitlines()] == ["prometheus_port", "export_interval"]

    def test_a_malformed_file_does_not_show_its_lines(self, refused, tmp_path):
        (tmp_path / "otel-trading.yaml").write_text("otlp_headers: {authorization: s3cr3t\nservice_name: x: y\n")
        assert "s3cr3t" not in refused()

    def test_an_unreachable_working_directory_has_no_file(self):
        assert load({}, {}, Path("/proc/self/mem"))[1] == {}


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("OTEL_TRADING_ENVIROMENT", "OTEL_TRADING_ENVIRONMENT"),
        ("OTEL_TRADING_TRADING_MODE", "OTEL_TRADING_MODE"),
        ("OTEL_TRADING_SERVICE_NAME", "OTEL_SERVICE_NAME"),
        ("OTEL_TRADING_PROMETHEUS_PORT", "OTEL_EXPORTER_PROMETHEUS_PORT"),
        ("OTEL_TRADING_CONFIG_FLIE", "OTEL_TRADING_CONFIG_FILE"),
    ],
)
def test_a_variable_that_looks_like_one_of_ours_is_logged_once(tmp_path, caplog, given, meant):
    for _ in range(2):
        load({}, {given: "9"}, tmp_path)
    assert caplog.messages == [
        f"otel_trading: environment variable {given} is no setting and does nothing; did you mean {meant}?"
    ]


def test_variables_of_the_bot_and_those_of_the_settings_are_not_logged(tmp_path, caplog):
    variables = ["OTEL_TRADING_MY_DESK", "OTEL_TRADING_CLOCK", "OTEL_TRADING_MODE", "OTEL_TRADING_TRACES", "OTEL_SERVICE_NAME"]
    load({}, dict.fromkeys(variables, "") | {"OTEL_TRADING_REQUIRE_PROGRAMS": "1"}, tmp_path)
    assert caplog.messages == []
