"""Writes what derives from the registry: `python -m otel_trading.semconv.generate [--check]` in a checkout."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from otel_trading.semconv import registry as reg

CHECKOUT = Path(__file__).parents[2]

LINE_LENGTH = 120

OUTPUTS = {
    "attributes.py.j2": "otel_trading/semconv/attributes.py",
    "metrics.py.j2": "otel_trading/semconv/metrics.py",
    "metrics.md.j2": "docs/reference/metrics.md",
}


def prometheus_name(metric: reg.MetricGroup) -> str:
    """Return the name of the metric's family in Prometheus, without the suffixes of a histogram's samples."""
    name = metric.name.replace(".", "_")
    if metric.unit == "s":
        name += "_seconds"
    return name + "_total" if metric.kind == "counter" else name


def sequence(items: Iterable[object], opening: str, closing: str = ")", *, indent: int = 0) -> str:
    """Return Python's text of `items` between brackets as `ruff format` would leave it, `opening` being all before them."""
    texts = [json.dumps(item) for item in items]
    single = "," if closing == ")" and len(texts) == 1 else ""
    line = f"{opening}{', '.join(texts)}{single}{closing}"
    if indent + len(line) + 1 <= LINE_LENGTH:
        return line
    return "\n".join([opening, *(f"{' ' * (indent + 4)}{text}," for text in texts), f"{' ' * indent}{closing}"])


def render() -> dict[str, str]:
    """Return the content of every generated file by its path in the checkout."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=False,  # noqa: S701 -- the output is Python and Markdown, not HTML
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    registry = reg.load()
    context = {
        "prometheus_name": prometheus_name,
        "sequence": sequence,
        "attributes": registry.attributes,
        "metrics": registry.metrics,
        "spans": registry.spans,
        "resource": registry.resource,
        "areas": reg.AREAS,
        "foreign": yaml.safe_load(reg.FOREIGN.read_text(encoding="utf-8")),
    }
    return {path: environment.get_template(template).render(context) for template, path in OUTPUTS.items()}


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
