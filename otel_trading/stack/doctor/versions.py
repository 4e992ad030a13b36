"""Whether the installed versions are among those that otel_trading was tested with, and fit each other."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib import metadata

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from otel_trading.pipeline.settings import Settings
from otel_trading.stack.doctor.finding import Finding, ok, warning, wrong
from otel_trading.version import __version__

CHECK = "versions"
_DISTRIBUTION = "otel-trading"
_SHOWN = ("opentelemetry-api", "opentelemetry-sdk", "opentelemetry-exporter-prometheus")


def check(settings: Settings | None, python: str | None = None) -> list[Finding]:
    """Compare with what the package itself declares; `python` is the running version unless it is said."""
    python = python or platform.python_version()
    try:
        declared = metadata.metadata(_DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return [warning(CHECK, f"{_DISTRIBUTION} is not installed as a package, so nothing says what it needs")]
    requirements = [Requirement(text) for text in declared.get_all("Requires-Dist") or ()]
    found = list(_python(python, declared["Requires-Python"]))
    found += [
        finding
        for requirement in requirements
        if requirement.name.startswith(("opentelemetry-", "prometheus-client")) and _applies(requirement)
        for finding in _missing_or_other(requirement, str(requirement))
    ]
    for extra in _extras(settings) if settings else ():
        of_extra = [each for each in requirements if not _applies(each) and _applies(each, extra)]
        for requirement in of_extra:
            found += _missing_or_other(requirement, f"{_DISTRIBUTION}[{extra}]")
    found += _combination()
    return found or [ok(CHECK, f"otel-trading {__version__}, Python {python}, {_opentelemetry()}")]


def _extras(settings: Settings) -> Iterator[str]:
    """The extras that the selected exporters need."""
    spans = settings.tracing and "otlp" in (settings.traces_exporters or ("otlp",))
    if spans or {"otlp", "file"}.intersection(settings.exporters):
        yield "otlp"
    if settings.declarative_config is not None:
        yield "declarative"


def _python(python: str, allowed: str | None) -> Iterator[Finding]:
    if allowed and not SpecifierSet(allowed).contains(python, prereleases=True):
        yield wrong(CHECK, f"Python {python} is not among the tested ones ({allowed})", "run the bot with one of those")


def _missing_or_other(requirement: Requirement, install: str) -> Iterator[Finding]:
    version = _installed(requirement.name)
    if version is None:
        yield wrong(CHECK, f"{requirement.name} is not installed", f"pip install '{install}'")
    elif not requirement.specifier.contains(version, prereleases=True):
        yield wrong(
            CHECK,
            f"{requirement.name} {version} is not among the tested ones ({requirement.specifier})",
            f"pip install '{requirement.name}{requirement.specifier}'",
        )


def _combination() -> Iterator[Finding]:
    """OpenTelemetry's own packages pin each other: one that was upgraded alone does not fit any more."""
    for distribution in metadata.distributions():
        name = distribution.metadata["Name"]
        if not name.startswith("opentelemetry-"):
            continue
        for requirement in map(Requirement, distribution.requires or ()):
            other = _installed(requirement.name) if requirement.name.startswith("opentelemetry-") else None
            if other and _applies(requirement) and not requirement.specifier.contains(other, prereleases=True):
                yield wrong(
                    CHECK,
                    f"{name} {distribution.version} needs {requirement.name}{requirement.specifier}, installed is {other}",
                    f"pip install --upgrade '{_DISTRIBUTION}' '{name}' '{requirement.name}'",
                )


def _applies(requirement: Requirement, extra: str = "") -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _opentelemetry() -> str:
    return "OpenTelemetry " + ", ".join(f"{name.removeprefix('opentelemetry-')} {_installed(name)}" for name in _SHOWN)
