"""Writes what derives from the registry: `python -m otel_trading.semconv.generate [--check]` in a checkout."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from otel_trading.semconv import reader

CHECKOUT = Path(__file__).parents[2]

LINE_LENGTH = 120

OUTPUTS = {
    "attributes.py.j2": "otel_trading/semconv/attributes.py",
    "metrics.py.j2": "otel_trading/semconv/metrics.py",
    "metrics.md.j2": "docs/reference/metrics.md",
}

UNIT_SUFFIXES = {"s": "_seconds", "ms": "_milliseconds", "By": "_bytes"}


def prometheus_name(name: str, kind: str, unit: str) -> str:
    """Return the name of a metric's family in Prometheus: a histogram's samples append `_bucket`, `_sum` and `_count`."""
    family = name.replace(".", "_") + UNIT_SUFFIXES.get(unit, "")
    return family + "_total" if kind == "counter" else family


def render() -> dict[str, str]:
    """Return the content of every generated file by its path in the checkout."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=False,  # noqa: S701 - the output is Python and Markdown, not HTML
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    registry = reader.load()
    context = {
        "prometheus_name": prometheus_name,
        "sequence": sequence,
        "bounds": bounds,
        "anchor": anchor,
        "cell": cell,
        "areas": reader.AREAS,
        "attributes": registry.attributes,
        "carriers": {attribute.key: carriers(registry, attribute.key) for attribute in registry.attributes},
        "metrics": registry.metrics,
        "spans": registry.spans,
        "foreign": reader.load_foreign(),
    }
    return {path: environment.get_template(template).render(context) for template, path in OUTPUTS.items()}


def sequence(items: Iterable[object], opening: str, closing: str = ")", *, indent: int = 0) -> str:
    """Return Python's text of `items` as `ruff format` would leave it, `opening` being all that is before them."""
    texts = [json.dumps(item) for item in items]
    single = "," if closing == ")" and len(texts) == 1 else ""
    line = f"{opening}{', '.join(texts)}{single}{closing}"
    if indent + len(line) < LINE_LENGTH:
        return line
    return "\n".join([opening, *(f"{' ' * (indent + 4)}{text}," for text in texts), f"{' ' * indent}{closing}"])


def bounds(values: Iterable[float]) -> str:
    return ", ".join(f"{value:.6f}".rstrip("0").rstrip(".") for value in values)


def anchor(key: str) -> str:
    return key.replace(".", "-").replace("_", "-")


def cell(text: str) -> str:
    """Return `text` for a cell of a Markdown table."""
    return " ".join(text.split()).replace("|", "\\|")


def carriers(registry: reader.Registry, key: str) -> list[str]:
    """Return what carries the attribute."""
    signals: dict[str, Iterable[reader.Use]] = {
        "metrics": (use for metric in registry.metrics for use in metric.attributes),
        "spans": (use for span in registry.spans for use in span.attributes),
        "resource": registry.resource,
    }
    return [signal for signal, uses in signals.items() if any(use.key == key for use in uses)]


def main(argv: list[str] | None = None) -> None:
    """Write the generated files, or with `--check` exit with 1 and the names of those that are stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file is not what it should be")
    check: bool = parser.parse_args(argv).check
    if not (CHECKOUT / "pyproject.toml").is_file():
        sys.exit("the generated files belong to a checkout of the project, and this is an installed copy")
    stale = {path: text for path, text in render().items() if _current(CHECKOUT / path) != text}
    if check and stale:
        sys.exit(f"stale, run `python -m otel_trading.semconv.generate`: {', '.join(stale)}")
    for path, text in stale.items():
        target = CHECKOUT / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def _current(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


if __name__ == "__main__":
    main()
