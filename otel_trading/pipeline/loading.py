"""Gathers the settings from arguments, environment and file, and says of each wrong one where it came from."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError
from pydantic_settings import TomlConfigSettingsSource, YamlConfigSettingsSource
from yaml import YAMLError

from otel_trading.errors import ConfigurationError
from otel_trading.pipeline.settings import From, Settings, pairs, source_of

CONFIG_FILE_VARIABLE = "OTEL_TRADING_CONFIG_FILE"
FILE_NAMES = ("otel-trading.yaml", "otel-trading.yml", "otel-trading.toml", "pyproject.toml")
"""Looked for in the working directory, the first that is there (and, of pyproject.toml, has the table) counts."""

PROMOTED = {
    "service.name": "service_name",
    "service.version": "service_version",
    "service.instance.id": "service_instance_id",
    "deployment.environment.name": "environment",
    "trading.mode": "trading_mode",
}
"""Resource attributes that are settings of their own."""

SECRET = {"otlp_headers"}
"""Settings whose values are never shown."""

Layer = dict[str, tuple[Any, str]]
"""Values by setting, each with where it came from."""


def load(
    arguments: Mapping[str, Any],
    environ: Mapping[str, str],
    directory: Path,
    config_file: str | Path | None = None,
) -> tuple[Settings, dict[str, str]]:
    """Return the settings, and where each that is not a default came from.

    Raises `ConfigurationError` that names every wrong setting, its source and what is allowed.
    """
    file, named_by = _config_file(config_file, environ, directory)
    merged: Layer = {}
    for layer in (
        _from_file(file, named_by) if file else {},
        _from_environment(environ),
        {name: (value, f"argument {name}=") for name, value in arguments.items() if value is not None},
    ):
        _promote(layer)
        merged.update(layer)
    try:
        settings = Settings.model_validate({name: value for name, (value, _) in merged.items()})
    except ValidationError as error:
        raise ConfigurationError(_explain(error, merged)) from None
    return settings, {name: origin for name, (_, origin) in merged.items()}


def _from_environment(environ: Mapping[str, str]) -> Layer:
    layer: Layer = {}
    for field in Settings.model_fields:
        source = source_of(field)
        for variable in source.variables:
            text = environ.get(variable, "").strip()
            if text:  # an empty variable is one that is unset: specification, "Environment Variable Specification"
                layer[field] = (_converted(text, variable, source), f"environment variable {variable}")
                break
    return layer


def _converted(text: str, variable: str, source: From) -> object:
    if variable == "OTEL_SDK_DISABLED":
        return text.lower() == "true"  # the specification: any other value is false
    if variable in source.negated:
        known = {"1": False, "true": False, "yes": False, "on": False, "0": True, "false": True, "no": True, "off": True}
        return known.get(text.lower(), text)
    if source.unit != 1.0:
        with contextlib.suppress(ValueError):
            return float(text) * source.unit
    return text


def _config_file(named: str | Path | None, environ: Mapping[str, str], directory: Path) -> tuple[Path | None, str]:
    if named is not None:
        return Path(named), "argument config_file="
    if variable := environ.get(CONFIG_FILE_VARIABLE, "").strip():
        return Path(variable), f"environment variable {CONFIG_FILE_VARIABLE}"
    for name in FILE_NAMES:
        if (file := directory / name).is_file() and (name != "pyproject.toml" or "tool.otel_trading" in _text(file)):
            return file, "found in the working directory"
    return None, ""


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _from_file(file: Path, named_by: str) -> Layer:
    def wrong(why: object) -> ConfigurationError:
        return ConfigurationError(f"config file {file} ({named_by}): {why}")

    if not file.is_file():
        raise wrong("there is no such file")
    try:
        if file.name == "pyproject.toml":
            values = TomlConfigSettingsSource(Settings, file).toml_data.get("tool", {}).get("otel_trading", {})
        elif file.suffix == ".toml":
            values = TomlConfigSettingsSource(Settings, file).toml_data
        elif file.suffix in {".yaml", ".yml"}:
            values = YamlConfigSettingsSource(Settings, file).yaml_data
        else:
            raise wrong("it ends neither in .yaml, .yml nor .toml")
    except OSError as error:
        raise wrong(f"it cannot be read: {error.strerror}") from None
    except ConfigurationError:
        raise
    except (ValueError, TypeError, YAMLError) as error:  # malformed, not UTF-8, or something other than a mapping
        raise wrong(f"it is malformed: {error}") from None
    return {str(name): (value, f"config file {file}") for name, value in values.items()}


def _promote(layer: Layer) -> None:
    """Make settings of the resource attributes that have one, where the layer does not set it itself."""
    if "resource_attributes" not in layer:
        return
    given, origin = layer["resource_attributes"]
    try:
        attributes = pairs(given)
    except ValueError:
        return  # validation says what is wrong with it
    if not isinstance(attributes, Mapping):
        return
    rest = dict(cast("Mapping[str, Any]", attributes))
    for attribute, field in PROMOTED.items():
        if attribute in rest:
            layer.setdefault(field, (rest.pop(attribute), f"{attribute} in {origin}"))
    layer["resource_attributes"] = (rest, origin)


def _explain(error: ValidationError, given: Layer) -> str:
    lines: list[str] = []
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        field = str(problem["loc"][0]) if problem["loc"] else ""
        value, origin = given.get(field, (None, "the settings"))
        if field not in Settings.model_fields:
            near = difflib.get_close_matches(field, Settings.model_fields, n=1)
            hint = f"; did you mean {near[0]}?" if near else "; allowed: " + ", ".join(sorted(Settings.model_fields))
            line = f"{field} (from {origin}) is no setting{hint}"
        else:
            shown = "" if field in SECRET else f" = {value!r}"
            why = problem["msg"].removeprefix("Value error, ")
            line = f"{field}{shown} (from {origin}): {why}; allowed: {source_of(field).allowed}"
        if line not in lines:
            lines.append(line)
    return "\n".join(lines)
