"""Loading settings from an empty directory, and the application's global providers for one test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from opentelemetry.metrics import _internal as metrics_api
from opentelemetry.util._once import Once

from otel_trading.pipeline.loading import load
from otel_trading.pipeline.settings import Settings


class Loaded:
    """Settings, and where each came from."""

    def __init__(self, settings: Settings, origins: dict[str, str]) -> None:
        self.settings = settings
        self.origins = origins


@pytest.fixture
def loaded(tmp_path: Path) -> Callable[..., Loaded]:
    """`load` with these variables and arguments, in a directory of its own."""

    def of(environ: dict[str, str] | None = None, config_file: object = None, **arguments: object) -> Loaded:
        return Loaded(*load(arguments, environ or {}, tmp_path, config_file))

    return of


@pytest.fixture
def no_global_meter_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process in which nobody has set one; the API has no public way to be put back."""
    monkeypatch.setattr(metrics_api, "_METER_PROVIDER", None)
    monkeypatch.setattr(metrics_api, "_PROXY_METER_PROVIDER", metrics_api._ProxyMeterProvider())
    monkeypatch.setattr(metrics_api, "_METER_PROVIDER_SET_ONCE", Once())
