"""A program of the stack is handed what it needs of the environment, and none of the keys that are in it."""

from __future__ import annotations

import pytest

from otel_trading.stack.environment import handed_over

SHELL = {
    "PATH": "/usr/bin",
    "HOME": "/home/trader",
    "LC_ALL": "C.UTF-8",
    "https_proxy": "http://proxy:3128",
    "SSL_CERT_FILE": "/etc/ca.pem",
    "GOMAXPROCS": "2",
    "EXCHANGE_API_KEY": "key",
    "EXCHANGE_API_SECRET": "secret",
    "OTEL_EXPORTER_OTLP_HEADERS": "authorization=token",
}
NEEDED = {"PATH", "HOME", "LC_ALL", "https_proxy", "SSL_CERT_FILE", "GOMAXPROCS"}


def test_what_no_configuration_names_stays_here(tmp_path):
    (tmp_path / "agent.yaml").write_text("exporters: {}\n")
    assert handed_over([tmp_path / "agent.yaml"], SHELL) == {name: SHELL[name] for name in NEEDED}


@pytest.mark.parametrize(
    "text",
    ["${env:EXCHANGE_API_KEY}", "${env:EXCHANGE_API_KEY:-none}", "${env:OTHER:-${env:EXCHANGE_API_KEY}}", "${EXCHANGE_API_KEY}", "$EXCHANGE_API_KEY", "# ${env:EXCHANGE_API_KEY}"],
    ids=["Collector", "default", "nested", "braces", "Prometheus", "comment"],
)  # fmt: skip
def test_what_a_configuration_names_is_handed_over(tmp_path, text):
    (tmp_path / "one.yaml").write_text("a: b\n")
    (tmp_path / "two.yaml").write_text(f"token: {text}\n")
    handed = handed_over([tmp_path / "one.yaml", tmp_path / "two.yaml"], SHELL)
    assert handed.keys() == NEEDED | {"EXCHANGE_API_KEY"}


def test_what_is_not_set_is_not_made_up(tmp_path):
    (tmp_path / "agent.yaml").write_text("${env:NOT_SET}")
    assert handed_over([tmp_path / "agent.yaml"], {}) == {}
