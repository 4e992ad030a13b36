"""Writes docs/reference/configuration.md from the settings: `python -m otel_trading.pipeline.reference [--check]`."""

from __future__ import annotations

import ast
import inspect
import sys
from pathlib import Path
from typing import cast

from otel_trading.pipeline import settings
from otel_trading.pipeline.configure import configure
from otel_trading.pipeline.kinds import From
from otel_trading.pipeline.loading import FILE_NAMES
from otel_trading.pipeline.settings import Settings, source_of

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "configuration.md"

_HEAD = f"""\
# Configuration

<!-- Written by `make generate` from otel_trading/pipeline/settings.py; edit that. -->

Every setting is a key of the configuration file and an argument of `ot.configure()` (those marked † are not arguments), and
has the environment variables that the table names. Times are in seconds, except in variables marked ms. Precedence:

1. the argument,
2. the environment: of several variables the first that is set, so the familiar `METRICS_PORT`, `METRICS_HOST` and
   `METRICS_ENABLED` come after OpenTelemetry's own; an empty variable is one that is unset, as the specification says,
3. the file: `config_file=`, else `OTEL_TRADING_CONFIG_FILE`, else the first of {", ".join(f"`{each}`" for each in FILE_NAMES)}
   in the working directory (of `pyproject.toml` the table `[tool.otel_trading]`),
4. the default.

What a source says of OTLP holds for spans, too, unless the same source says something else of spans. `telemetry.origins` says
where each value came from. Anything that is wrong in any source is a `ConfigurationError` that names each wrong setting, where
its value came from and what is allowed, before anything starts.

OpenTelemetry's own parts read their other standard variables themselves, such as `OTEL_EXPORTER_OTLP_CERTIFICATE`,
`…_CLIENT_KEY`, `…_CLIENT_CERTIFICATE` and `…_INSECURE` and their forms for one signal, `OTEL_TRACES_SAMPLER`, `OTEL_BSP_*`,
`OTEL_SPAN_*`, `OTEL_PROPAGATORS`, `OTEL_EXPERIMENTAL_RESOURCE_DETECTORS`, `OTEL_SEMCONV_STABILITY_OPT_IN`,
`OTEL_PYTHON_EXCLUDED_URLS`.

| setting | what it says | allowed | variables | default |
|---|---|---|---|---|
"""


def page() -> str:
    """Return the page."""
    described = _descriptions()
    return _HEAD + "".join(_row(name, described[name]) for name in Settings.model_fields)


def _row(name: str, description: str) -> str:
    source = source_of(name)
    variables = "<br>".join(f"`{variable}`{_meaning(variable, source)}" for variable in source.variables)
    default = _shown(Settings.model_fields[name].default)
    mark = "" if name in inspect.signature(configure).parameters else " †"
    cells = (f"`{name}`{mark}", description, source.allowed, variables, f"`{default}`" if default else "")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _meaning(variable: str, source: From) -> str:
    if variable in source.negated:
        return " (the opposite)"
    return "" if source.unit == 1.0 else " (ms)"


def _shown(default: object) -> str:
    if default is None or default == {}:
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return ", ".join(map(str, cast("tuple[object, ...]", default)))
    return str(default)


def _descriptions() -> dict[str, str]:
    """The docstring below each field, on one line."""
    (settings_class,) = (
        node
        for node in ast.parse(inspect.getsource(settings)).body
        if isinstance(node, ast.ClassDef) and node.name == Settings.__name__
    )
    found: dict[str, str] = {}
    for field, text in zip(settings_class.body, settings_class.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
        ):
            found[field.target.id] = " ".join(str(text.value.value).split())
    return found


def main() -> int:
    """Write the page, or with `--check` say whether it is stale; returns the exit status."""
    if "--check" in sys.argv[1:]:
        if PAGE.read_text(encoding="utf-8") == page():
            return 0
        sys.stderr.write(f"{PAGE.name} is stale: run make generate\n")
        return 1
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
