"""What `otel-trading stack init` writes is the user's: it is brought up to date, and what he changed stays."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
import yaml

from otel_trading import ConfigurationError
from otel_trading.stack import directory as stack
from otel_trading.stack.directory import Report, init, outdated

PROMETHEUS = "prometheus/prometheus.yml"
RULES = "prometheus/rules/otel-trading-alerts.yml"
STALLED = "alerts: {TradingStrategyStalled: {threshold: 7}}\n"


@pytest.fixture
def directory(tmp_path) -> Path:
    init(tmp_path / "stack")
    return tmp_path / "stack"


def files(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def shipped_otherwise(monkeypatch, path: str, text: str | None) -> None:
    """As a later version, which ships another text of a file, or none."""
    contents = stack.contents

    def later(*arguments):
        return {name: found for name, found in (contents(*arguments) | {path: text}).items() if found is not None}

    monkeypatch.setattr(stack, "contents", later)


def test_everything_is_written_once(tmp_path):
    report = init(tmp_path / "a" / "stack")
    written = files(tmp_path / "a" / "stack")
    assert set(report.written) == written.keys() - {".otel-trading-stack.json", "secrets/grafana-admin-password"}
    assert {"alerts.yaml", "compose.yaml", ".env", "README.md", PROMETHEUS, RULES, "collector/agent.yaml"} <= written.keys()


def test_a_second_time_nothing_is_touched(directory):
    before = {path: path.stat() for path in directory.rglob("*") if path.is_file()}
    report = init(directory)
    assert report == Report(same=report.same)
    after = {path: path.stat() for path in directory.rglob("*") if path.is_file()}
    assert {path: status.st_mtime_ns for path, status in after.items() if path.name != stack.MANIFEST} == {
        path: status.st_mtime_ns for path, status in before.items() if path.name != stack.MANIFEST
    }


def test_a_changed_threshold_gets_into_the_rules(directory):
    (directory / "alerts.yaml").write_text(STALLED)
    assert outdated(directory) == [RULES]
    report = init(directory)
    assert (report.written, report.kept) == ([RULES], ["alerts.yaml"])
    assert "> clamp_min(7 *" in (directory / RULES).read_text()
    assert (directory / "alerts.yaml").read_text() == STALLED
    assert outdated(directory) == []


def test_what_the_user_changed_stays_as_long_as_there_is_nothing_new(directory):
    (directory / PROMETHEUS).write_text("mine")
    assert init(directory) == Report(same=init(directory).same, kept=[PROMETHEUS])
    assert (directory / PROMETHEUS).read_text() == "mine"
    assert not list(directory.rglob("*.new"))


def test_what_is_new_is_put_beside_what_the_user_changed(directory, monkeypatch):
    (directory / PROMETHEUS).write_text("mine")
    shipped_otherwise(monkeypatch, PROMETHEUS, "theirs")
    assert outdated(directory) == [], "it would not be written"
    assert init(directory).offered == [PROMETHEUS]
    assert (directory / PROMETHEUS).read_text() == "mine"
    assert (directory / f"{PROMETHEUS}.new").read_text() == "theirs"
    assert init(directory).kept == [PROMETHEUS], "it is said once"


def test_what_is_new_can_be_taken_over_and_is_then_kept_up_to_date(directory, monkeypatch):
    (directory / PROMETHEUS).write_text("mine")
    shipped_otherwise(monkeypatch, PROMETHEUS, "theirs")
    init(directory)
    (directory / f"{PROMETHEUS}.new").replace(directory / PROMETHEUS)
    assert init(directory).kept == []
    shipped_otherwise(monkeypatch, PROMETHEUS, "newer")
    assert init(directory).written == [PROMETHEUS]
    assert (directory / PROMETHEUS).read_text() == "newer"


def test_what_nobody_changed_is_brought_up_to_date(directory, monkeypatch):
    shipped_otherwise(monkeypatch, PROMETHEUS, "theirs")
    assert outdated(directory) == [PROMETHEUS]
    assert init(directory).written == [PROMETHEUS]
    assert (directory / PROMETHEUS).read_text() == "theirs"


def test_files_that_were_there_before_are_the_users(tmp_path):
    (tmp_path / "compose.yaml").write_text("services: {}")
    assert init(tmp_path).offered == ["compose.yaml"]
    assert (tmp_path / "compose.yaml").read_text() == "services: {}"
    assert "prometheus" in yaml.safe_load((tmp_path / "compose.yaml.new").read_text())["services"]


def test_force_replaces_what_the_user_changed_and_says_so(directory):
    (directory / PROMETHEUS).write_text("mine")
    (directory / "alerts.yaml").write_text(STALLED)
    init(directory)
    assert init(directory, force=True).replaced == ["alerts.yaml", PROMETHEUS]
    assert "> clamp_min(3 *" in (directory / RULES).read_text()
    assert yaml.safe_load((directory / PROMETHEUS).read_text())["scrape_configs"]


def test_a_file_that_was_removed_is_written_again(directory):
    (directory / PROMETHEUS).unlink()
    assert outdated(directory) == [PROMETHEUS]
    assert init(directory).written == [PROMETHEUS]


def test_what_is_no_longer_shipped_goes_unless_it_was_changed(directory, monkeypatch):
    bots = "prometheus/targets/bots.yml"
    (directory / bots).write_text("- targets: [127.0.0.1:1]")
    for path in (bots, PROMETHEUS):
        shipped_otherwise(monkeypatch, path, None)
    assert init(directory).removed == [PROMETHEUS]
    assert not (directory / PROMETHEUS).exists()
    assert (directory / bots).exists()


def test_rules_of_the_users_own_stay(directory):
    mine = directory / "prometheus" / "rules" / "mine.yml"
    mine.write_text("groups: []")
    init(directory, force=True)
    assert mine.read_text() == "groups: []"


def test_a_link_stays_a_link(directory, tmp_path, monkeypatch):
    """Of one who keeps his configuration elsewhere."""
    kept = tmp_path / "kept.yml"
    (directory / PROMETHEUS).rename(kept)
    (directory / PROMETHEUS).symlink_to(kept)
    shipped_otherwise(monkeypatch, PROMETHEUS, "theirs")
    init(directory)
    assert (directory / PROMETHEUS).is_symlink()
    assert kept.read_text() == "theirs"


def test_wrong_settings_are_told_and_the_rules_stay(directory):
    before = (directory / RULES).read_bytes()
    (directory / "alerts.yaml").write_text("alerts: {TradingNothing: {for: 1m}}")
    with pytest.raises(ConfigurationError, match=r"alerts\.yaml: alerts\.TradingNothing: there is no such alert"):
        init(directory)
    assert (directory / RULES).read_bytes() == before


def test_a_directory_that_cannot_be_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=r"file/stack: it cannot be written: Not a directory"):
        init(tmp_path / "file" / "stack")


@pytest.mark.parametrize("text", ["{", "[]", '{"files": 1}', "{}"])
def test_a_malformed_record_of_what_was_written_is_told(directory, text):
    (directory / stack.MANIFEST).write_text(text)
    with pytest.raises(ConfigurationError, match=r"\.otel-trading-stack\.json: it is malformed; remove it"):
        init(directory)


def test_without_the_record_nothing_is_lost(directory):
    (directory / PROMETHEUS).write_text("mine")
    (directory / stack.MANIFEST).unlink()
    assert init(directory).offered == [PROMETHEUS]
    assert (directory / PROMETHEUS).read_text() == "mine"


def test_secrets_are_made_once_for_the_owner_alone(directory):
    password = directory / "secrets" / "grafana-admin-password"
    first = password.read_text()
    assert len(first) >= 32
    assert stat.S_IMODE(password.stat().st_mode) == 0o600
    assert stat.S_IMODE(password.parent.stat().st_mode) == 0o700
    init(directory, force=True)
    assert password.read_text() == first
    assert first not in (directory / stack.MANIFEST).read_text()


def test_the_password_is_another_one_each_time(directory, tmp_path):
    init(tmp_path / "other")
    password = Path("secrets") / "grafana-admin-password"
    assert (directory / password).read_text() != (tmp_path / "other" / password).read_text()


def test_git_takes_neither_secrets_nor_data(directory):
    assert {"/secrets/", "/data/", "/.env"} <= set((directory / ".gitignore").read_text().splitlines())


def test_the_containers_run_as_the_owner_of_the_directory(directory):
    status = directory.stat()
    assert f"STACK_USER={status.st_uid}:{status.st_gid}" in (directory / ".env").read_text().splitlines()


def test_the_record_names_every_file_that_may_be_written_again(directory):
    recorded = json.loads((directory / stack.MANIFEST).read_text())["files"]
    assert recorded.keys() == files(directory).keys() - {stack.MANIFEST, "secrets/grafana-admin-password"}
