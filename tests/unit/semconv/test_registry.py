"""The registry is valid in weaver's v1 syntax (schemas/semconv.schema.json of open-telemetry/weaver), file by file."""

from __future__ import annotations

import itertools
import math
import re

import pytest
import yaml

from otel_trading.semconv import reader

FILES = reader.read_groups()
GROUPS = {group["id"]: group for groups in FILES.values() for group in groups}
METRICS = {group["metric_name"]: group for group in GROUPS.values() if group["type"] == "metric"}
ATTRIBUTES = {entry["id"]: entry for group in GROUPS.values() for entry in group.get("attributes", ()) if "id" in entry}

COMMON = {"id", "type", "brief", "note", "extends", "attributes", "display_name", "stability", "deprecated", "annotations"}
GROUP_KEYS = {
    "attribute_group": COMMON,
    "entity": COMMON | {"name"},
    "metric": COMMON | {"metric_name", "instrument", "unit", "entity_associations"},
    "span": COMMON | {"span_kind", "entity_associations"},
}
REQUIRED_KEYS = {
    "attribute_group": {"id", "type", "brief"},
    "entity": {"id", "type", "brief", "stability", "name"},
    "metric": {"id", "type", "brief", "stability", "metric_name", "instrument", "unit"},
    "span": {"id", "type", "brief", "stability", "span_kind"},
}
DEFINITION_KEYS = {"id", "type", "brief", "note", "stability", "examples", "annotations"}
REFERENCE_KEYS = {"ref", "requirement_level", "role", "brief", "note", "examples"}
MEMBER_KEYS = {"id", "value", "stability", "brief", "note"}
TYPES = {"string", "int", "double", "boolean"}
LEVELS = {"required", "recommended", "opt_in"}
HINTS = {"bounds", "ends_at_zero", "open"}

NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*(\.[a-z][a-z0-9]*(_[a-z0-9]+)*)+")


def test_every_file_holds_groups_and_nothing_else():
    for path in reader.REGISTRY.glob("*.yaml"):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        if path.name == reader.MANIFEST:
            assert set(document) == {"name", "description", "semconv_version", "schema_base_url"}
        else:
            assert set(document) == {"groups"}, path


def test_every_file_is_short_enough_to_be_read():
    for path in reader.REGISTRY.glob("*.yaml"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, path


def test_a_key_is_never_given_twice():
    """YAML readers disagree on what a repeated key means."""

    class Strict(yaml.SafeLoader):
        pass

    def mapping(loader, node, deep=False):
        keys = [loader.construct_object(key, deep=deep) for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"{node.start_mark}: {keys}"
        return yaml.SafeLoader.construct_mapping(loader, node, deep)

    Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    for path in [*reader.REGISTRY.glob("*.yaml"), reader.FOREIGN]:
        yaml.load(path.read_text(encoding="utf-8"), Strict)  # noqa: S506 - a subclass of the safe loader


def test_every_id_is_there_once():
    ids = [group["id"] for groups in FILES.values() for group in groups]
    assert len(ids) == len(set(ids))
    keys = [entry["id"] for group in GROUPS.values() for entry in group.get("attributes", ()) if "id" in entry]
    assert len(keys) == len(set(keys))
    names = [group["metric_name"] for group in GROUPS.values() if group["type"] == "metric"]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("group", GROUPS.values(), ids=GROUPS)
def test_a_group_has_the_keys_of_its_type(group):
    assert set(group) <= GROUP_KEYS[group["type"]]
    assert set(group) >= REQUIRED_KEYS[group["type"]]
    assert group.get("stability", "development") == "development"
    if group["type"] != "metric":
        assert {"attributes", "extends"} & set(group)
    if group["type"] in {"metric", "span"}:
        assert group["id"].startswith(f"{group['type']}.")
    if group["type"] == "metric":
        assert group["id"] == f"metric.{group['metric_name']}"
        assert group["instrument"] in {"counter", "updowncounter", "gauge", "histogram"}
    if group["type"] == "span":
        assert group["span_kind"] in {"client", "server", "producer", "consumer", "internal"}
    assert_text(group)
    assert_hints(group)


@pytest.mark.parametrize("entry", ATTRIBUTES.values(), ids=ATTRIBUTES)
def test_an_attribute_is_defined_as_the_schema_says(entry):
    assert set(entry) <= DEFINITION_KEYS
    assert set(entry) >= {"id", "type", "brief", "stability"}
    assert entry["stability"] == "development"
    assert_text(entry)
    assert_hints(entry)
    kind = entry["type"]
    if isinstance(kind, dict):
        assert set(kind) == {"members"}
        for member in kind["members"]:
            assert set(member) <= MEMBER_KEYS, member
            assert set(member) >= {"id", "value", "stability", "brief"}, member
            assert isinstance(member["value"], str), "a value such as `no` needs quotes"
            assert re.fullmatch(r"[a-z_]+", member["id"])
            assert_text(member)
        assert len({member["value"] for member in kind["members"]}) == len(kind["members"])
    else:
        assert kind in TYPES
        if kind == "string":
            assert entry["examples"]
    for example in entry.get("examples", ()):
        assert isinstance(example, {"double": float, "int": int}.get(kind, str) if isinstance(kind, str) else str)


def test_every_reference_resolves():
    for group in GROUPS.values():
        assert group.get("extends", group["id"]) in GROUPS, group["id"]
        for entry in group.get("attributes", ()):
            if "ref" in entry:
                assert set(entry) <= REFERENCE_KEYS, group["id"]
                assert entry["ref"] in ATTRIBUTES, group["id"]
                assert_level(entry["requirement_level"])
            else:
                assert group["id"].startswith("registry."), "attributes are defined in groups named registry.*"


def test_no_metric_refers_to_an_attribute_twice():
    for metric in reader.load().metrics:
        keys = [use.key for use in metric.attributes]
        assert len(keys) == len(set(keys)), metric.name


def test_every_attribute_is_carried_by_something():
    loaded = reader.load()
    carried = {use.key for carrier in (*loaded.metrics, *loaded.spans) for use in carrier.attributes}
    assert carried | {use.key for use in loaded.resource} == set(ATTRIBUTES)


def test_every_metric_is_in_a_file_of_the_reference_page():
    assert {metric.name for metric in reader.load().metrics} == set(METRICS)


@pytest.mark.parametrize("group", METRICS.values(), ids=METRICS)
def test_hints_fit_the_instrument(group):
    hints = group.get("annotations", {}).get("otel_trading", {})
    assert ("bounds" in hints) == (group["instrument"] == "histogram"), "every histogram has bounds, nothing else has"
    bounds = hints.get("bounds", [])
    assert all(isinstance(bound, float) and math.isfinite(bound) and bound >= 0 for bound in bounds)
    assert all(lower < upper for lower, upper in itertools.pairwise(bounds))
    if "ends_at_zero" in hints:
        assert hints["ends_at_zero"] is True
        assert group["instrument"] == "gauge"


@pytest.mark.parametrize("key", [*ATTRIBUTES, *METRICS])
def test_a_name_is_lower_case_words_in_namespaces(key):
    assert NAME.fullmatch(key)


def assert_text(entry):
    assert isinstance(entry["brief"], str)
    assert entry["brief"].endswith(".")
    assert "\n" not in entry["brief"]
    assert '"' not in entry["brief"], "it is copied into a Python string"
    assert isinstance(entry.get("note", ""), str)


def assert_hints(entry):
    annotations = entry.get("annotations", {})
    assert set(annotations) <= {"otel_trading"}
    assert set(annotations.get("otel_trading", {})) <= HINTS


def assert_level(level):
    if isinstance(level, dict):
        ((name, condition),) = level.items()
        assert name == "conditionally_required"
        assert condition.startswith("If ")
        assert condition.endswith(".")
    else:
        assert level in LEVELS
