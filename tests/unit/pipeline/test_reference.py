"""The page of the settings says what the settings are."""

import inspect

import otel_trading as ot
from otel_trading.pipeline import reference
from otel_trading.pipeline.settings import Settings, source_of


def test_the_page_is_not_stale():
    assert reference.PAGE.read_text(encoding="utf-8") == reference.page()


def test_every_setting_is_described_with_its_variables():
    rows = {line.split("`")[1]: line for line in reference.page().splitlines() if line.startswith("| `")}
    assert list(rows) == list(Settings.model_fields)
    arguments = inspect.signature(ot.configure).parameters
    for name, row in rows.items():
        assert all(f"`{variable}`" in row for variable in source_of(name).variables)
        assert row.startswith(f"| `{name}` |" if name in arguments else f"| `{name}` † |")
    assert "`OTEL_METRIC_EXPORT_INTERVAL` (ms)" in rows["export_interval"]
    assert "`METRICS_ENABLED` (the opposite)" in rows["disabled"]
