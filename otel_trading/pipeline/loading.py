"""Gathers the settings from arguments, environment and file, and says of each wrong one where it came from."""

from __future__ import annotations

import contextlib
import difflib
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from pydantic import ValidationError

from otel_trading.errors import ConfigurationError
from otel_trading.metrics import faults
from otel_trading.pipeline.kinds import From, pairs, shown
from otel_trading.pipeline.settings import Settings, source_of

_tomllib: Any = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")  # the same, before it was in the library

CONFIG_FILE_VARIABLE = "OTEL_TRADING_CONFIG_FILE"
_PREFIX = "OTEL_TRADING_"
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

OF_TRACES = {f"otlp_{name}": f"otlp_traces_{name}" for name in ("protocol", "endpoint", "headers", "timeout", "compression")}
"""Settings that hold for spans too where the same source says nothing of spans."""

SECRET = {"otlp_headers", "otlp_traces_headers"}
"""Settings whose values are never shown."""


class Given(NamedTuple):
    """A value as it was given, and where it came from."""

    value: Any
    origin: str
    whole: bool = False
    """Whether it is an address with the path that OTLP over HTTP needs."""


_LONGEST = 200
"""Characters of a wrong value that are shown."""

Layer = dict[str, Given]
"""What one source gives, by setting."""


def load(
    arguments: Mapping[str, Any],
    environ: Mapping[str, str],
    directory: Path,
    config_file: str | Path | None = None,
) -> tuple[Settings, dict[str, str]]:
    """Return the settings, and where each that is not a default came from.

    Raises `ConfigurationError` that names every wrong setting, its source and what is allowed. A variable that is none, but
    looks like one of ours, is logged once.
    """
    _warn_of_misspelt(environ)
    file, named_by = _config_file(config_file, environ, directory)
    merged: Layer = {}
    for layer in (_from_file(file, named_by) if file else {}, _from_environment(environ), _from_arguments(arguments)):
        _promote(layer)
        attributes = merged.get("resource_attributes")
        merged.update(layer)
        _merge_attributes(merged, attributes)
    if _switched_off(environ):  # OpenTelemetry's own SDK obeys it too, whatever we are told
        merged["disabled"] = Given(value=True, origin="environment variable OTEL_SDK_DISABLED")
    _complete(merged)
    try:
        settings = Settings.model_validate({name: given.value for name, given in merged.items()})
    except ValidationError as error:
        raise ConfigurationError(_explain(error, merged)) from None
    return settings, {name: given.origin for name, given in merged.items()}


def _from_arguments(arguments: Mapping[str, Any]) -> Layer:
    layer = {name: Given(value, f"argument {name}=") for name, value in arguments.items() if value is not None}
    return layer | _for_traces(layer)


def _from_environment(environ: Mapping[str, str]) -> Layer:
    layer: Layer = {}
    for field in Settings.model_fields:
        source = source_of(field)
        for variable in source.variables:
            text = environ.get(variable, "").strip()
            if text:  # an empty variable is one that is unset: specification, "Environment Variable Specification"
                whole = variable.endswith(("_METRICS_ENDPOINT", "_TRACES_ENDPOINT"))
                layer[field] = Given(_converted(text, variable, source), f"environment variable {variable}", whole)
                break
    return layer


def _warn_of_misspelt(environ: Mapping[str, str]) -> None:
    """Only where it is clear what was meant: a variable of that prefix may be the bot's own."""
    variables = {field: source_of(field).variables for field in Settings.model_fields}
    ours = {CONFIG_FILE_VARIABLE, *(name for names in variables.values() for name in names if name.startswith(_PREFIX))}
    for given in environ:
        if given.startswith(_PREFIX) and given not in ours:
            rest = given.removeprefix(_PREFIX)
            near = difflib.get_close_matches(rest, [name.removeprefix(_PREFIX) for name in ours], n=1, cutoff=0.8)
            meant = (*variables.get(rest.lower(), ()), *(_PREFIX + name for name in near))
            if meant:
                message = "otel_trading: environment variable %s is no setting and does nothing; did you mean %s?"
                faults.log_once(("variable", given), message, given, meant[0])


def _switched_off(environ: Mapping[str, str]) -> bool:
    return environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"  # the specification: any other value is false


def _converted(text: str, variable: str, source: From) -> object:
    if variable == "OTEL_SDK_DISABLED":
        return text.lower() == "true"
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
        if name != "pyproject.toml" or "tool.otel_trading" in _text(directory / name):
            file = directory / name
            with contextlib.suppress(OSError):  # a directory that may not be looked into has no file for us
                if file.is_file():
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

    if file.suffix not in {".toml", ".yaml", ".yml"}:
        raise wrong("it ends neither in .yaml, .yml nor .toml")
    try:
        with file.open("rb") as stream:
            values: Any = _tomllib.load(stream) if file.suffix == ".toml" else _yaml(stream)
    except OSError as error:
        raise wrong(f"it cannot be read: {error.strerror}") from None
    except ValueError as error:  # malformed, or not UTF-8
        raise wrong(f"it is malformed: {error}") from None
    for table in ("tool", "otel_trading") if file.name == "pyproject.toml" else ():
        values = cast("dict[object, Any]", values).get(table) if isinstance(values, dict) else values
    if values is None:  # empty
        values = {}
    if not isinstance(values, dict):
        raise wrong("it holds no settings by name")
    given = cast("dict[object, Any]", values)
    layer = {str(name): Given(value, f"config file {file}") for name, value in given.items() if value is not None}
    return layer | _for_traces(layer)


def _yaml(stream: BinaryIO) -> Any:
    import yaml  # only where there is such a file: it takes as long to import as all of ours

    try:
        return yaml.safe_load(stream)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def _for_traces(layer: Layer) -> Layer:
    """What `layer` says of spans: what it says of them alone, else what it says of OTLP."""
    found = {of_traces: layer[name] for name, of_traces in OF_TRACES.items() if name in layer and of_traces not in layer}
    if (own := layer.get("otlp_traces_endpoint")) is not None:
        found["otlp_traces_endpoint"] = own._replace(whole=True)
    return found


def _complete(merged: Layer) -> None:
    """Give base addresses the path of their signal, as the specification of the OTLP exporter says."""
    for signal, endpoint, protocol in (
        ("metrics", "otlp_endpoint", "otlp_protocol"),
        ("traces", "otlp_traces_endpoint", "otlp_traces_protocol"),
    ):
        given = merged.get(endpoint)
        grpc = protocol in merged and str(merged[protocol].value).lower() == "grpc"
        if given is None or given.whole or grpc or not isinstance(given.value, str):
            continue
        if given.value.lower().startswith(("http://", "https://")):
            merged[endpoint] = given._replace(value=f"{given.value.rstrip('/')}/v1/{signal}")


def _promote(layer: Layer) -> None:
    """Make settings of the resource attributes that have one, where the layer does not set it itself."""
    given = layer.get("resource_attributes")
    if given is None or (attributes := _mapping(given.value)) is None:
        return
    for attribute, field in PROMOTED.items():
        if attribute in attributes:
            layer.setdefault(field, Given(attributes.pop(attribute), f"{attribute} in {given.origin}"))
    layer["resource_attributes"] = given._replace(value=attributes)


def _merge_attributes(merged: Layer, before: Given | None) -> None:
    """Keep resource attributes of weaker sources that the stronger one does not have, as OpenTelemetry merges resources."""
    given = merged.get("resource_attributes")
    if given is None or before is None:
        return
    attributes, weaker = _mapping(given.value), _mapping(before.value)
    if attributes is not None and weaker is not None:
        merged["resource_attributes"] = given._replace(value=weaker | attributes)


def _mapping(value: object) -> dict[str, Any] | None:
    try:
        attributes = pairs(value)
    except ValueError:
        return None  # validation says what is wrong with it
    return dict(cast("Mapping[str, Any]", attributes)) if isinstance(attributes, Mapping) else None


def _explain(error: ValidationError, given: Layer) -> str:
    lines: list[str] = []
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    wrong = {problem["loc"][0] for problem in problems if problem["loc"]}
    repeated = {copy for name, copy in OF_TRACES.items() if {name, copy} <= wrong and given[name].origin == given[copy].origin}
    for problem in problems:
        field = str(problem["loc"][0]) if problem["loc"] else ""
        if field in repeated:
            continue
        value, origin, _ = given.get(field, Given(None, "the settings"))
        if field not in Settings.model_fields:
            near = difflib.get_close_matches(field, Settings.model_fields, n=1)
            hint = f"; did you mean {near[0]}?" if near else "; allowed: " + ", ".join(sorted(Settings.model_fields))
            line = f"{field} (from {origin}) is no setting{hint}"
        else:
            seen = "" if field in SECRET else f" = {_short(repr(shown(value)))}"
            why = problem["msg"].removeprefix("Value error, ")
            line = f"{field}{seen} (from {origin}): {why}; allowed: {source_of(field).allowed}"
        if line not in lines:
            lines.append(line)
    return "\n".join(lines)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
