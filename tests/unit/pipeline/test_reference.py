"""The page of the settings says what the settings are."""

from otel_trading.pipeline import reference
from otel_trading.pipeline.settings import Settings, source_of


def test_the_page_is_not_stale():
    assert reference.PAGE.read_text(encoding="utf-8") == reference.page()


def test_every_setting_is_described_with_its_variables():
    rows = {line.split("|")[1].strip().strip("`"): line for line in reference.page().splitlines() if line.startswith("| `")}
    assert list(rows) == list(Settings.model_fields)
    for name, row in rows.items():
        assert all(f"`{variable}`" in row for variable in source_of(name).variables)
