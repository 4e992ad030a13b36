"""Reads `registry/*.yaml` (weaver's v1 syntax) and resolves its references. Only the generator and the tests need it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from otel_trading.semconv.spec import Kind

REGISTRY = Path(__file__).parent / "registry"
FOREIGN = Path(__file__).parent / "foreign.yaml"
MANIFEST = "manifest.yaml"

Group = dict[str, Any]

AREAS = {
    "orders": "Orders",
    "fills": "Fills",
    "inference": "Inference",
    "strategy": "Strategies",
    "portfolio": "Portfolio",
    "pnl": "Profit and loss",
    "risk": "Risk",
    "venue": "Venues and market data",
    "reconciliation": "Reconciliation",
    "operations": "Operations",
}
"""The files that hold metrics, in the order of the reference page, and their titles there."""


@dataclass(frozen=True, slots=True)
class Member:
    value: str
    brief: str


@dataclass(frozen=True, slots=True)
class Attribute:
    key: str
    type: str
    brief: str
    note: str
    examples: tuple[object, ...]
    members: tuple[Member, ...]
    open: bool
    """Whether values that are no member are allowed too."""

    @property
    def constant(self) -> str:
        return constant(self.key)

    @property
    def alias(self) -> str:
        return "".join(word.capitalize() for word in self.constant.split("_"))


@dataclass(frozen=True, slots=True)
class Use:
    """An attribute as a metric, a span or the resource carries it."""

    attribute: Attribute
    level: str
    condition: str

    @property
    def key(self) -> str:
        return self.attribute.key


@dataclass(frozen=True, slots=True)
class MetricGroup:
    area: str
    name: str
    kind: Kind
    unit: str
    brief: str
    note: str
    attributes: tuple[Use, ...]
    bounds: tuple[float, ...]
    ends_at_zero: bool

    @property
    def constant(self) -> str:
        return constant(self.name)

    @property
    def opt_in(self) -> tuple[str, ...]:
        return tuple(use.key for use in self.attributes if use.level == "opt_in")


@dataclass(frozen=True, slots=True)
class SpanGroup:
    kind: str
    brief: str
    note: str
    attributes: tuple[Use, ...]


@dataclass(frozen=True, slots=True)
class Registry:
    attributes: tuple[Attribute, ...]
    metrics: tuple[MetricGroup, ...]
    spans: tuple[SpanGroup, ...]
    resource: tuple[Use, ...]


def constant(name: str) -> str:
    """Return the Python constant of a metric's or attribute's name: `trading.order.duration` is `ORDER_DURATION`."""
    return name.removeprefix("trading.").replace(".", "_").upper()


def read_groups(directory: Path = REGISTRY) -> dict[str, list[Group]]:
    """Return the groups of each file of the registry by the file's stem, as they are written."""
    files = sorted(path for path in directory.glob("*.yaml") if path.name != MANIFEST)
    return {path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))["groups"] for path in files}


def load_foreign() -> list[Group]:
    """Return the metrics of other instrumentations that the same endpoint shows, by source."""
    return yaml.safe_load(FOREIGN.read_text(encoding="utf-8"))


def load(directory: Path = REGISTRY) -> Registry:
    """Return the registry with references resolved, in the order of the reference page.

    Raises `KeyError` with the missing name when an attribute or group that is referred to does not exist.
    """
    files = read_groups(directory)
    groups = {group["id"]: group for file in files.values() for group in file}
    attributes = {
        entry["id"]: _attribute(entry) for group in groups.values() for entry in group.get("attributes", ()) if "id" in entry
    }

    def uses(group: Group) -> tuple[Use, ...]:
        inherited = uses(groups[group["extends"]]) if "extends" in group else ()
        return inherited + tuple(_use(entry, attributes) for entry in group.get("attributes", ()))

    def of_type(kind: str, file: str) -> list[Group]:
        return [group for group in files.get(file, ()) if group["type"] == kind]

    return Registry(
        attributes=tuple(attributes.values()),
        metrics=tuple(_metric(area, group, uses(group)) for area in AREAS for group in of_type("metric", area)),
        spans=tuple(
            SpanGroup(group["span_kind"], group["brief"], _text(group), uses(group)) for group in of_type("span", "spans")
        ),
        resource=tuple(use for group in of_type("entity", "attributes") for use in uses(group)),
    )


def _attribute(entry: Group) -> Attribute:
    kind: str | dict[str, list[Group]] = entry["type"]
    members = [] if isinstance(kind, str) else kind["members"]
    return Attribute(
        key=entry["id"],
        type=kind if isinstance(kind, str) else "string",
        brief=entry["brief"],
        note=_text(entry),
        examples=tuple(entry.get("examples", ())),
        members=tuple(Member(member["value"], member["brief"]) for member in members),
        open=bool(_hints(entry).get("open", False)),
    )


def _use(entry: Group, attributes: dict[str, Attribute]) -> Use:
    level: str | dict[str, str] = entry.get("requirement_level", "recommended")
    if isinstance(level, dict):
        ((name, condition),) = level.items()
        return Use(attributes[entry["ref"]], name, condition)
    return Use(attributes[entry["ref"]], level, "")


def _metric(area: str, group: Group, uses: tuple[Use, ...]) -> MetricGroup:
    hints = _hints(group)
    return MetricGroup(
        area=area,
        name=group["metric_name"],
        kind=group["instrument"],
        unit=group["unit"],
        brief=group["brief"],
        note=_text(group),
        attributes=uses,
        bounds=tuple(hints.get("bounds", ())),
        ends_at_zero=bool(hints.get("ends_at_zero", False)),
    )


def _hints(entry: Group) -> Group:
    return entry.get("annotations", {}).get("otel_trading", {})


def _text(entry: Group) -> str:
    return entry.get("note", "").strip()
