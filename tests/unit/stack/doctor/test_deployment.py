"""The directory of a stack: whole, up to date, its secrets kept."""

from __future__ import annotations

import shlex
import subprocess

import pytest

from otel_trading.stack import directory as stack
from otel_trading.stack.doctor.deployment import check


@pytest.fixture
def written(tmp_path):
    stack.init(tmp_path)
    return tmp_path


def test_a_directory_as_it_was_written_is_right(written):
    _, [finding] = check(written)

    assert finding.status == "ok"


def test_a_directory_of_something_else_is_named(tmp_path):
    _, [finding] = check(tmp_path)

    assert finding.status == "wrong"
    assert finding.mend == f"otel-trading stack init {tmp_path}"


def test_thresholds_that_were_edited_count_and_the_rules_are_out_of_date(written):
    (written / "alerts.yaml").write_text("alerts: {TradingClockOffset: {threshold: 2.5}}\n")

    chosen, [finding] = check(written)

    assert chosen.alerts["TradingClockOffset"].threshold == 2.5
    assert finding.status == "warning"
    assert "prometheus/rules/otel-trading-alerts.yml" in finding.says


def test_a_file_that_is_missing_is_named(written):
    (written / "prometheus" / "prometheus.yml").unlink()

    assert "prometheus/prometheus.yml" in check(written)[1][0].says


def test_a_file_that_cannot_be_read_is_named_and_the_rest_is_looked_at(written):
    """As one that is another user's; a directory is what Docker makes where a file that it should mount is missing."""
    (written / "compose.yaml").unlink()
    (written / "compose.yaml").mkdir()
    (written / "prometheus" / "prometheus.yml.new").write_text("{}\n")

    _, found = check(written)

    assert [finding.status for finding in found] == ["warning", "warning"]
    assert f"{written / 'compose.yaml'} cannot be read" in found[0].says
    assert "prometheus.yml.new" in found[1].says


def test_wrong_thresholds_are_told_of_and_the_defaults_are_compared_with(written):
    (written / "alerts.yaml").write_text("alerts: {TradingNothing: {threshold: 1}}\n")

    chosen, [finding] = check(written)

    assert chosen.alerts == {}
    assert finding.status == "wrong"
    assert "TradingNothing" in finding.says


def test_a_new_text_beside_a_file_that_was_changed_is_told_of(tmp_path):
    """But not of what the programs keep in `data`, wherever the directory is."""
    written = tmp_path / "data" / "stack"
    stack.init(written)
    (written / "data" / "compose" / "bot" / "ledger.new").touch()
    assert check(written)[1][0].status == "ok"
    (written / "compose.yaml.new").write_text("services: {}\n")

    assert "compose.yaml.new" in check(written)[1][0].says


@pytest.mark.parametrize("name", ["grafana-admin-password", "bot.env", "alertmanager/telegram-bot-token"])
def test_a_secret_that_others_can_read_is_wrong(tmp_path, name):
    """What mends it can be copied as it is, also for a directory with a blank in its name."""
    written = tmp_path / "my stack"
    stack.init(written)
    secret = written / "secrets" / name
    secret.touch()
    secret.chmod(0o644)

    _, [finding] = check(written)

    assert finding.status == "wrong"
    assert name in finding.says
    subprocess.run(shlex.split(finding.mend), check=True)
    assert [finding.status for finding in check(written)[1]] == ["ok"]


def test_a_secret_where_the_container_of_alertmanager_does_not_see_it_is_told_of(written):
    config = written / "alertmanager" / "alertmanager.yml"
    config.write_text("receivers: [{name: x, webhook_configs: [{url_file: ../secrets/webhook-url}]}]\n")
    secret = written / "secrets" / "webhook-url"
    secret.touch(mode=0o600)
    assert [(each.status, "where nothing is" in each.says) for each in check(written)[1]] == [
        ("warning", False),
        ("wrong", True),
    ]
    secret.write_text("http://127.0.0.1:1/")

    _, [finding] = check(written)

    assert finding.status == "warning"
    assert "secrets/webhook-url" in finding.says
    assert "secrets/alertmanager" in finding.mend


def test_a_token_in_a_configuration_that_others_can_read_is_wrong(written):
    config = written / "alertmanager" / "alertmanager.yml"
    text = config.read_text()
    config.write_text(
        text.replace("  - name: critical\n", "  - name: critical\n    webhook_configs: [{url: http://hook/hush}]\n")
    )
    assert check(written)[1][0].status == "ok", "nobody else reads it"
    config.chmod(0o644)

    _, [finding] = check(written)

    assert finding.status == "wrong"
    assert finding.says == "other users of this machine can read alertmanager/alertmanager.yml, and url stands in it"
    assert finding.mend.startswith(f"chmod 600 {config}")


def test_a_configuration_that_names_files_of_secrets_may_be_read(written):
    config = written / "alertmanager" / "alertmanager.yml"
    named = "  - name: critical\n    webhook_configs: [{url_file: ../secrets/alertmanager/webhook-url}]\n"
    config.write_text(config.read_text().replace("  - name: critical\n", named))
    (written / "secrets" / "alertmanager" / "webhook-url").write_text("http://127.0.0.1:1/")
    (written / "secrets" / "alertmanager" / "webhook-url").chmod(0o600)
    config.chmod(0o644)

    assert check(written)[1][0].status == "ok"
