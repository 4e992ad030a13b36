"""What is secret is made once, for the owner alone, and each part has a place of its own."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from dotenv import dotenv_values

from otel_trading.stack.secret_files import empty, make, unseen

GRAFANA = "secrets/grafana-admin-password"
PLACES = ["secrets", "secrets/alertmanager", "secrets/bot"]
FILES = [GRAFANA, "secrets/bot.env"]


@pytest.fixture
def directory(tmp_path) -> Path:
    make(tmp_path)
    return tmp_path


def alertmanager(directory: Path, text: str) -> None:
    (directory / "alertmanager").mkdir()
    (directory / "alertmanager" / "alertmanager.yml").write_text(text)


@pytest.mark.parametrize(("path", "mode"), [*((place, 0o700) for place in PLACES), *((file, 0o600) for file in FILES)])
def test_only_the_owner_gets_at_it(directory, path, mode):
    assert stat.S_IMODE((directory / path).stat().st_mode) == mode


def test_what_is_there_stays(directory):
    for file in FILES:
        (directory / file).write_text("mine")
    make(directory)
    assert [(directory / file).read_text() for file in FILES] == ["mine", "mine"]


def test_what_is_missing_of_a_directory_that_an_older_version_made_is_added(tmp_path):
    (tmp_path / "secrets").mkdir(mode=0o700)
    (tmp_path / GRAFANA).write_text("old")
    make(tmp_path)
    assert all((tmp_path / place).is_dir() for place in PLACES)
    assert (tmp_path / "secrets" / "bot.env").exists()
    assert (tmp_path / GRAFANA).read_text() == "old"


def test_the_password_is_long_and_another_one_each_time(directory, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    make(other)
    assert len((directory / GRAFANA).read_text()) >= 32
    assert (directory / GRAFANA).read_text() != (other / GRAFANA).read_text()


def test_the_bot_is_given_nothing_until_the_user_fills_it_in(directory):
    """What its examples are once their `# ` is gone is read as an environment file is."""
    file = directory / "secrets" / "bot.env"
    assert dotenv_values(file) == {}
    file.write_text(file.read_text().replace("# EXCHANGE", "EXCHANGE").replace("…", "a$b#c"))
    assert dotenv_values(file) == {"EXCHANGE_API_KEY": "a$b#c", "EXCHANGE_API_SECRET": "a$b#c"}


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("url_file: ../secrets/webhook-url", ["secrets/webhook-url"]),
        ("- url_file: '../secrets/webhook-url' # mine", ["secrets/webhook-url"]),
        ("- {url_file: ../secrets/webhook-url}", ["secrets/webhook-url"]),
        (
            "- {channel: '#X', api_url_file: ../secrets/b, http_config: {proxy_url_file: ../secrets/a}}",
            ["secrets/a", "secrets/b"],
        ),
        ("url_file: './../secrets/my hook'", ["secrets/my hook"]),
        ("url_file: ../secrets/alertmanager/webhook-url", []),
        ("# url_file: ../secrets/webhook-url", []),
        ("url_file: /run/secrets/webhook-url", []),
        ("url_file: [../secrets/webhook-url", []),
    ],
    ids=["old", "quoted", "flow", "two on a line", "blank", "new", "comment", "elsewhere", "malformed"],
)
def test_a_file_that_the_container_of_alertmanager_does_not_see_is_found(directory, line, names):
    alertmanager(directory, f"receivers:\n  {line}\n")
    assert unseen(directory) == names


def test_a_file_that_alertmanager_reads_and_that_holds_nothing_is_found(directory):
    """A channel was filled in and its token forgotten: Alertmanager starts all the same, and tells nobody."""
    folder = directory / "secrets" / "alertmanager"
    (folder / "full").write_text("token")
    (folder / "forgotten").touch()
    named = [*(f"../secrets/alertmanager/{name}" for name in ("forgotten", "full", "missing")), "/run/secrets/of-a-container"]
    alertmanager(directory, "".join(f"- {{url_file: {path}, text: ../secrets/none}}\n" for path in named))
    assert empty(directory) == [named[0], named[2]]


def test_without_a_configuration_there_is_nothing_that_is_not_seen(directory):
    assert unseen(directory) == empty(directory) == []
