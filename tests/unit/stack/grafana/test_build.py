"""The dashboards that come with the package are those that its code builds."""

from __future__ import annotations

import pytest


@pytest.mark.filterwarnings("ignore:Prefer using dashboardv2:DeprecationWarning")  # which Grafana before 12 cannot read
def test_the_files_are_as_they_are_built():
    """After a change of otel_trading/stack/grafana/build: `python -m otel_trading.stack.grafana.build`."""
    from otel_trading.stack.grafana.build.__main__ import FOLDER, texts

    assert {file.name: file.read_text(encoding="utf-8") for file in FOLDER.iterdir()} == texts()
