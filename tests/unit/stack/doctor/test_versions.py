"""Installed versions, from metadata as pip writes it."""

from __future__ import annotations

import pytest

from otel_trading.pipeline.settings import Settings
from otel_trading.stack.doctor.versions import check

DEFAULTS = Settings()


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put packages before those that are installed: a name, a version and what it requires."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def installed(name: str, version: str, *lines: str) -> None:
        folder = tmp_path / f"{name.replace('-', '_')}-{version}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(
            "\n".join(["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *lines]) + "\n"
        )

    return installed


def of_sdk(*lines: str) -> tuple[str, ...]:
    return ("Requires-Python: >=3.10,<3.14", *lines)


def test_the_versions_that_these_tests_run_with_are_right():
    [finding] = check(DEFAULTS)

    assert finding.status == "ok", finding
    assert "Python 3." in finding.says


def test_an_opentelemetry_that_was_not_tested_is_wrong_and_pip_can_mend_it(install):
    install("otel-trading", "9", *of_sdk("Requires-Dist: opentelemetry-exporter-prometheus<0.67,>=0.64b0"))
    install("opentelemetry-exporter-prometheus", "0.48b0")

    finding = check(DEFAULTS)[0]

    assert finding.status == "wrong"
    assert finding.says == "opentelemetry-exporter-prometheus 0.48b0 is not among the tested ones (<0.67,>=0.64b0)"
    assert finding.mend == "pip install 'opentelemetry-exporter-prometheus<0.67,>=0.64b0'"


def test_a_beta_within_the_range_is_right(install):
    install("otel-trading", "9", *of_sdk("Requires-Dist: opentelemetry-exporter-prometheus<0.67,>=0.64b0"))
    install("opentelemetry-exporter-prometheus", "0.66b2")

    assert [each.status for each in check(DEFAULTS)] == ["ok"]


def test_what_is_missing_is_named(install):
    install("otel-trading", "9", *of_sdk("Requires-Dist: opentelemetry-of-nowhere>=1"))

    [finding] = check(DEFAULTS)

    assert finding.says == "opentelemetry-of-nowhere is not installed"


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({}, False),
        ({"exporters": "otlp"}, True),
        ({"exporters": "file"}, True),
        ({"traces": True}, True),
        ({"traces": True, "traces_exporters": "console"}, False),
    ],
    ids=["prometheus", "otlp", "file", "spans", "spans-on-the-console"],
)
def test_an_extra_is_missed_where_the_selected_exporters_need_it(settings, wanted, install):
    install("otel-trading", "9", *of_sdk('Requires-Dist: opentelemetry-of-nowhere>=1; extra == "otlp"'))

    findings = check(Settings.model_validate(settings))

    assert [each.mend for each in findings if each.status == "wrong"] == (
        ["pip install 'otel-trading[otlp]'"] if wanted else []
    )


def test_packages_of_opentelemetry_that_do_not_fit_each_other_are_wrong(install):
    install("otel-trading", "9", *of_sdk())
    install("opentelemetry-sdk", "1.45.0", "Requires-Dist: opentelemetry-api==1.45.0")
    install("opentelemetry-api", "1.44.0")

    assert "opentelemetry-sdk 1.45.0 needs opentelemetry-api==1.45.0, installed is 1.44.0" in [
        each.says for each in check(DEFAULTS)
    ]


@pytest.mark.parametrize(("python", "status"), [("3.9.19", "wrong"), ("3.10.0", "ok"), ("3.13.1", "ok"), ("3.14.0", "wrong")])
def test_a_python_that_was_not_tested_is_wrong(python, status, install):
    install("otel-trading", "9", *of_sdk())

    assert [each.status for each in check(None, python)] == [status]
