"""What `otel-trading stack init` writes is the user's: it is brought up to date, and what he changed stays."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
import yaml

from otel_trading import ConfigurationError
from otel_trading.stack import directory as stack
from otel_trading.stack import secret_files
from otel_trading.stack.directory import Report, init, outdated, variable

ALERTMANAGER = "alertmanager/alertmanager.yml"
PROMETHEUS = "prometheus/prometheus.yml"
RULES = "prometheus/rules/otel-trading-alerts.yml"
SECRETS = {"secrets/bot.env", "secrets/grafana-admin-password"}
STALLED = "alerts: {TradingStrategyStalled: {threshold: 7}}\n"


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("written") / "stack"
    init(path)
    return path


@pytest.fixture
def directory(tmp_path, written) -> Path:
    """A copy of its own: to write the directory anew takes far longer."""
    return shutil.copytree(written, tmp_path / "stack")


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
    assert set(report.written) == written.keys() - {stack.MANIFEST} - SECRETS
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


def test_force_replaces_no_secret(directory):
    before = {path: (directory / path).read_text() for path in SECRETS}
    init(directory, force=True)
    assert {path: (directory / path).read_text() for path in SECRETS} == before
    assert not any(secret in (directory / stack.MANIFEST).read_text() for secret in before.values())


@pytest.mark.parametrize("path", [ALERTMANAGER, f"{ALERTMANAGER}.new"])
def test_what_may_have_tokens_in_it_is_for_the_owner_alone(path, directory, monkeypatch):
    """Before 0.26 Alertmanager reads some of them from nowhere else."""
    if path != ALERTMANAGER:
        (directory / ALERTMANAGER).write_text("mine")
    else:
        (directory / path).chmod(0o644)
    shipped_otherwise(monkeypatch, ALERTMANAGER, "theirs")
    init(directory)
    assert (directory / path).read_text() == "theirs"
    assert stat.S_IMODE((directory / path).stat().st_mode) == 0o600


def test_a_file_that_is_written_again_keeps_the_mode_that_the_user_gave_it(directory, monkeypatch):
    (directory / PROMETHEUS).chmod(0o640)
    shipped_otherwise(monkeypatch, PROMETHEUS, "theirs")
    init(directory)
    assert (directory / PROMETHEUS).read_text() == "theirs"
    assert stat.S_IMODE((directory / PROMETHEUS).stat().st_mode) == 0o640


def test_dashboards_link_to_the_runbooks_where_env_says_that_prometheus_is(directory):
    env = directory / ".env"
    env.write_text(env.read_text().replace("PROMETHEUS_EXTERNAL_URL=", "PROMETHEUS_EXTERNAL_URL=https://watch.example.org/p/"))
    assert "grafana/dashboards/trading-overview.json" in outdated(directory)
    init(directory)
    text = (directory / "grafana" / "dashboards" / "trading-overview.json").read_text()
    assert "https://watch.example.org/p/consoles/runbooks/TradingStrategyStalled.html" in text
    assert "127.0.0.1:9090" not in text


@pytest.mark.parametrize(
    "url", ["watch.example.org", "watch.example.org:9090/", "ftp://watch.example.org", "https://", "http://["]
)
def test_what_is_no_address_is_told_before_links_lead_nowhere(directory, url):
    env = directory / ".env"
    env.write_text(env.read_text().replace("GRAFANA_EXTERNAL_URL=", f"GRAFANA_EXTERNAL_URL={url}"))
    with pytest.raises(ConfigurationError, match=r"GRAFANA_EXTERNAL_URL = .*http:// or https://"):
        init(directory)


def linked(directory) -> set[str]:
    """What links to dashboards begin with in the rules."""
    texts = [path.read_text() for path in (directory / "prometheus" / "rules").iterdir()]
    return {found for text in texts for found in re.findall(r"dashboard_url: '?(\S+)/d/", text)}


def test_alerts_link_to_dashboards_where_env_says_that_grafana_is_unless_alerts_yaml_does(directory):
    assert linked(directory) == {"http://127.0.0.1:3000"}

    env = directory / ".env"
    env.write_text(env.read_text().replace("GRAFANA_PORT=3000", "GRAFANA_PORT=3003"))
    init(directory)
    assert linked(directory) == {"http://127.0.0.1:3003"}

    env.write_text(env.read_text().replace("GRAFANA_EXTERNAL_URL=", "GRAFANA_EXTERNAL_URL=https://watch.example.org/g/"))
    assert any(path.startswith("prometheus/rules/") for path in outdated(directory))
    init(directory)
    assert linked(directory) == {"https://watch.example.org/g"}

    (directory / "alerts.yaml").write_text("grafana_url: https://grafana.example.org\n")
    init(directory)
    assert linked(directory) == {"https://grafana.example.org"}


def test_git_takes_neither_secrets_nor_data(directory):
    subprocess.run(["git", "init", "--quiet", directory], check=True)
    (directory / "data" / "compose" / "bot" / "ledger.db").touch()
    (directory / "secrets" / "alertmanager" / "telegram-bot-token").touch()
    listed = subprocess.run(
        ["git", "-C", directory, "ls-files", "--others", "--exclude-standard"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert "compose.yaml" in listed
    assert not [path for path in listed if path.startswith(("secrets", "data", ".env"))]


def test_an_image_built_here_gets_neither_secrets_nor_data(directory):
    assert {"/secrets/", "/data/", "/.env"} <= set((directory / ".dockerignore").read_text().splitlines())
    assert {"**/.env*", ".git"} <= set((directory / "bot" / ".dockerignore").read_text().splitlines())


def test_the_containers_run_as_the_owner_of_the_directory(directory):
    status = directory.stat()
    assert f"STACK_USER={status.st_uid}:{status.st_gid}" in (directory / ".env").read_text().splitlines()


def test_all_that_root_writes_for_another_is_the_owners(tmp_path):
    """Else his containers could not read it. Who is not root has nothing to give away, and the same is true."""
    owner = (1234, 1234) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    directory = tmp_path / "stack"
    directory.mkdir()
    os.chown(directory, *owner)
    (directory / "compose.yaml").write_text("services: {}")
    init(directory)
    owners = {str(path): (path.stat().st_uid, path.stat().st_gid) for path in directory.rglob("*")}
    assert owners == dict.fromkeys(owners, owner)
    assert f"STACK_USER={owner[0]}:{owner[1]}" in (directory / ".env").read_text().splitlines()


def test_what_a_link_leads_to_is_not_given_away(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    before = (elsewhere.stat().st_uid, elsewhere.stat().st_gid)
    directory = tmp_path / "stack"
    directory.mkdir()
    if os.geteuid() == 0:
        os.chown(directory, 1234, 1234)
    (directory / "prometheus").symlink_to(elsewhere)
    init(directory)
    assert (elsewhere / "prometheus.yml").is_file()
    assert {(path.stat().st_uid, path.stat().st_gid) for path in (elsewhere, *elsewhere.rglob("*"))} == {before}


def test_a_directory_of_an_older_version_gets_what_is_new_and_keeps_what_was_changed(directory):
    """One that had neither limits nor a place for each one's secrets, and whose user had filled in a receiver and a port."""
    older = {
        "compose.yaml": "services: {}\n",
        ".gitignore": "/data/\n",
        ".env": "PROMETHEUS_PORT=9090\n",
        ALERTMANAGER: "receivers: []\n",
    }
    (directory / ".dockerignore").unlink()
    (directory / "bot" / ".dockerignore").unlink()
    (directory / "secrets" / "bot.env").unlink()
    for place in ("alertmanager", "bot"):
        (directory / "secrets" / place).rmdir()
    record = json.loads((directory / stack.MANIFEST).read_text())
    for path in (".dockerignore", "bot/.dockerignore"):
        del record["files"][path]
    for path, text in older.items():
        (directory / path).write_text(text)
        record["files"][path] = hashlib.sha256(text.encode()).hexdigest()
    (directory / stack.MANIFEST).write_text(json.dumps(record))
    (directory / ".env").write_text("PROMETHEUS_PORT=9190\n")
    receiver = "receivers: [{name: x, webhook_configs: [{url_file: ../secrets/hook}]}]\n"
    (directory / ALERTMANAGER).write_text(receiver)
    (directory / "secrets" / "hook").write_text("http://127.0.0.1:1/hook")

    report = init(directory)

    dashboards = {path for path in report.written if path.startswith("grafana/dashboards/")}
    assert "127.0.0.1:9190/consoles" in (directory / "grafana/dashboards/trading-overview.json").read_text(), (
        "links have the port"
    )
    assert set(report.written) - dashboards == {"compose.yaml", ".gitignore", ".dockerignore", "bot/.dockerignore"}
    assert set(report.offered) == {".env", ALERTMANAGER}
    assert (directory / ALERTMANAGER).read_text() == receiver
    assert (directory / "secrets" / "hook").exists()
    assert secret_files.unseen(directory) == ["secrets/hook"]
    assert variable(directory, "PROMETHEUS_PORT") == "9190"
    assert variable(directory, "PROMETHEUS_RETENTION_SIZE") == "10GB", "what his .env does not say is as it is written"
    assert all((directory / path).exists() for path in ("secrets/bot.env", "secrets/alertmanager", "secrets/bot"))


@pytest.mark.parametrize(
    ("line", "value"),
    [("30d", "30d"), ("'30d'", "30d"), ("30d   # a month", "30d"), ("", "90d"), ("${KEPT:-30d}", "90d")],
    ids=["plain", "quoted", "comment", "empty", "worked out"],
)
def test_a_variable_of_env_is_what_compose_takes_it_for(directory, line, value):
    """But what it works out from others."""
    (directory / ".env").write_text(f"PROMETHEUS_RETENTION={line}\n")
    assert variable(directory, "PROMETHEUS_RETENTION") == value


def test_without_env_a_variable_is_as_it_is_written(directory):
    (directory / ".env").unlink()
    assert variable(directory, "PROMETHEUS_RETENTION") == "90d"


def test_the_record_names_every_file_that_may_be_written_again(directory):
    recorded = json.loads((directory / stack.MANIFEST).read_text())["files"]
    assert recorded.keys() == files(directory).keys() - {stack.MANIFEST} - SECRETS
