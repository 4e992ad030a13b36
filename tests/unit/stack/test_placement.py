"""The ports of one run get into Prometheus' configuration, and the user's files stay as they are."""

from __future__ import annotations

import pytest
import yaml

from otel_trading import ConfigurationError
from otel_trading.stack import placement


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "prometheus"
    (folder / "targets").mkdir(parents=True)
    (folder / "rules").mkdir()
    (folder / "prometheus.yml").write_text("global: {}")
    (folder / "rules" / "mine.yml").write_text("groups: []")
    (folder / "targets" / "bots.yml").write_text("# None yet.\n[]\n")
    (folder / "targets" / "stack.yml").write_text(
        "- targets: ['127.0.0.1:9090', 'elsewhere:9090']\n  labels: {job: prometheus}\n- targets: ['127.0.0.1:9093']\n"
    )
    return folder


@pytest.fixture
def place(tmp_path):
    return tmp_path / "data" / "placed"


def read(path):
    return yaml.safe_load(path.read_text())


def test_an_address_becomes_that_of_this_run_and_others_stay(source, place):
    placement.place(source, place, {"127.0.0.1:9090": "127.0.0.1:1234", "127.0.0.1:9093": "127.0.0.1:9093"})
    assert read(place / "targets" / "stack.yml") == [
        {"targets": ["127.0.0.1:1234", "elsewhere:9090"], "labels": {"job": "prometheus"}},
        {"targets": ["127.0.0.1:9093"]},
    ]
    assert "1234" not in (source / "targets" / "stack.yml").read_text()


def test_what_does_not_run_is_no_target(source, place):
    placement.place(source, place, {"127.0.0.1:9090": "127.0.0.1:9090", "127.0.0.1:9093": None})
    assert [group["targets"] for group in read(place / "targets" / "stack.yml")] == [["127.0.0.1:9090", "elsewhere:9090"]]


def test_everything_else_is_the_users_own_file(source, place):
    """What he changes while it runs, Prometheus reads."""
    placement.place(source, place, {"127.0.0.1:9090": "127.0.0.1:1234"})
    (source / "rules" / "mine.yml").write_text("groups: [1]")
    (source / "prometheus.yml").write_text("global: {scrape_interval: 5s}")
    (source / "targets" / "bots.yml").write_text("- targets: [bot:1]")
    assert read(place / "rules" / "mine.yml") == {"groups": [1]}
    assert read(place / "prometheus.yml") == {"global": {"scrape_interval": "5s"}}
    assert read(place / "targets" / "bots.yml") == [{"targets": ["bot:1"]}]


def test_nothing_of_the_run_before_is_left(source, place):
    placement.place(source, place, {})
    placement.found(place, "127.0.0.1:9464")
    assert read(place / "targets" / "bots-found.yml") == [{"targets": ["127.0.0.1:9464"]}]
    (source / "rules").rename(source / "other")
    placement.place(source, place, {})
    assert {path.name for path in place.rglob("*.yml")} == {"prometheus.yml", "bots.yml", "stack.yml"}
    assert (source / "other" / "mine.yml").exists(), "a link was followed"


@pytest.mark.parametrize(("text", "named"), [("- targets: ['127.0.0.1:9464']", True), ("- targets: [a:1]", False), ("", False)])
def test_a_bot_that_the_user_named_is_known(tmp_path, text, named):
    (tmp_path / "bots.yml").write_text(text)
    assert placement.named(tmp_path / "bots.yml", "127.0.0.1:9464") is named


def test_without_a_file_no_bot_is_named(tmp_path):
    assert not placement.named(tmp_path / "bots.yml", "127.0.0.1:9464")


@pytest.mark.parametrize("text", ["{", "1", "[1]", "- labels: {}", "- targets: 1", "- targets: [a]\n  - b"])
def test_a_malformed_file_of_targets_is_told(source, place, text):
    (source / "targets" / "bots.yml").write_text(text)
    with pytest.raises(ConfigurationError, match=r"targets/bots\.yml: it is malformed; it should be a list of groups"):
        placement.place(source, place, {})
