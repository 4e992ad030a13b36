"""The settings that a bot started here would have, where each came from, and whether a bot can start with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from otel_trading.errors import ConfigurationError
from otel_trading.pipeline.kinds import shown
from otel_trading.pipeline.loading import load
from otel_trading.pipeline.settings import Settings
from otel_trading.stack.doctor.finding import Finding, ok, times, warning, wrong

CHECK = "configuration"


@dataclass(frozen=True)
class Setting:
    """A setting as it may be shown: a SecretStr, as the values of headers are, masks itself."""

    name: str
    value: str
    origin: str


def check(
    environ: Mapping[str, str], directory: Path, config_file: Path | None
) -> tuple[Settings | None, list[Setting], list[Finding]]:
    """Return the settings (None when they are wrong), those that are not defaults, and what there is to say of them."""
    try:
        settings, origins = load({}, environ, directory, config_file)
    except ConfigurationError as error:
        mend = "correct it where it came from; docs/reference/configuration.md lists every setting"
        return None, [], [wrong(CHECK, line, mend) for line in str(error).splitlines()]
    given = [
        Setting(name, _shown(name, settings), origins[name])
        for name in Settings.model_fields
        if name in origins and (settings.tracing or not name.startswith("otlp_traces_"))  # the copies for spans, without spans
    ]
    return settings, given, list(_findings(settings, given))


def _findings(settings: Settings, given: list[Setting]) -> list[Finding]:
    if settings.disabled:
        origin = next((each.origin for each in given if each.name == "disabled"), "the default")
        return [wrong(CHECK, f"everything is switched off (from {origin})", "take that setting away")]
    found = [ok(CHECK, f"valid: {times(len(given), 'setting')} given, the others are the defaults")]
    if settings.exporters == ("none",):
        found.append(warning(CHECK, "no exporter: the metrics go nowhere", "set OTEL_METRICS_EXPORTER=prometheus or otlp"))
    return found


def _shown(name: str, settings: Settings) -> str:
    value: Any = getattr(settings, name)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        entries = cast("Mapping[str, object]", value).items()
        return ", ".join(f"{key}={shown(each)}" for key, each in entries)
    return ", ".join(map(str, cast("tuple[object, ...]", value))) if isinstance(value, tuple) else str(shown(value))
