"""`otel-trading dashboards` writes what Grafana reads when it starts, and takes nothing away from the user."""

from __future__ import annotations

import json
import subprocess
import sys

import yaml
from click.testing import CliRunner

from otel_trading.cli.commands import group
from otel_trading.stack.grafana.documents import UIDS, dashboards
from otel_trading.stack.grafana.provisioning import files


def run(*arguments, status=0) -> str:
    result = CliRunner().invoke(group, ["dashboards", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result.output


def test_it_writes_the_dashboards_and_what_lets_grafana_find_them(tmp_path):
    folder = tmp_path / "grafana"
    said = run("-o", folder, "--datasource", "http://prometheus:9090")
    written = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    assert written == {*(f"dashboards/{uid}.json" for uid in UIDS), *PROVISIONING}
    assert sorted(said.splitlines()) == sorted(str(folder / name) for name in written)
    assert {uid: json.loads((folder / f"dashboards/{uid}.json").read_text()) for uid in UIDS} == dashboards()

    [source] = yaml.safe_load((folder / PROVISIONING[0]).read_text())["datasources"]
    assert (source["type"], source["url"], source["access"]) == ("prometheus", "http://prometheus:9090", "proxy")
    [provider] = yaml.safe_load((folder / PROVISIONING[1]).read_text())["providers"]
    assert (provider["type"], provider["options"]["path"]) == ("file", str(folder / "dashboards"))


PROVISIONING = ("provisioning/datasources/otel-trading.yaml", "provisioning/dashboards/otel-trading.yaml")


def test_what_the_user_changed_is_not_overwritten_unasked(tmp_path):
    run("-o", tmp_path)
    run("-o", tmp_path)  # the same again: nothing is lost
    mine = tmp_path / "dashboards" / "trading-risk.json"
    mine.write_text("{}")
    said = run("-o", tmp_path, status=1)
    assert "dashboards/trading-risk.json" in said
    assert mine.read_text() == "{}"
    run("-o", tmp_path, "--force")
    assert json.loads(mine.read_text()) == dashboards()["trading-risk"]


def test_settings_are_read_and_wrong_ones_named(tmp_path):
    settings = tmp_path / "alerts.yaml"
    settings.write_text("runbook_url: https://pages.example.org/{alert}\n")
    run("-o", tmp_path, "--settings", settings)
    assert "https://pages.example.org/Trading" in (tmp_path / "dashboards" / "trading-venue.json").read_text()
    settings.write_text("alerts: {NoSuchAlert: {enabled: false}}\n")
    assert "NoSuchAlert" in run("-o", tmp_path, "--settings", settings, status=1)


def test_a_directory_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    said = run("-o", tmp_path / "file" / "below", status=1)
    assert "cannot write" in said
    assert str(tmp_path / "file") in said


def test_the_containers_find_everything_where_the_stack_puts_it():
    """The defaults are those of `otel-trading stack init`."""
    found = files()
    [source] = yaml.safe_load(found[PROVISIONING[0]])["datasources"]
    [provider] = yaml.safe_load(found[PROVISIONING[1]])["providers"]
    assert source["url"] == "http://prometheus:9090"
    assert provider["options"]["path"] == "/etc/grafana/dashboards"


def test_writing_dashboards_needs_nothing_that_builds_them():
    code = """
import sys
for name in ("grafana_foundation_sdk", "requests"):
    sys.modules[name] = None  # as if it were not installed
from otel_trading.stack.grafana.provisioning import files
print(len(files()))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"{len(UIDS) + 2}\n"
