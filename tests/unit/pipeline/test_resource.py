"""Who a bot is, on everything that leaves it; a bot that is started again is the same one."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid

import pytest

from otel_trading.pipeline import resource
from tests.harness import find, one, scrape

PROGRAM = """
import sys
from otel_trading.pipeline.resource import instance_id
print(instance_id(sys.argv[1]))
"""


def info(telemetry):
    (sample,) = find(scrape(telemetry.endpoint_url), "target_info")
    return sample.labels


def test_what_is_known_of_the_bot_is_on_target_info(configured):
    with configured(
        service_name="bot",
        service_version="1.2",
        service_instance_id="i-1",
        environment="staging",
        trading_mode="paper",
        resource_attributes={"team": "a b", "service.namespace": "desk"},
    ) as telemetry:
        labels = info(telemetry)
    expected = {
        "service_name": "bot",
        "service_version": "1.2",
        "service_instance_id": "i-1",
        "deployment_environment_name": "staging",
        "trading_mode": "paper",
        "team": "a b",
        "service_namespace": "desk",
    }
    assert expected.items() <= labels.items()
    assert labels["telemetry_sdk_language"] == "python"


def test_what_is_not_known_is_absent(configured):
    with configured() as telemetry:
        assert not {"service_version", "trading_mode", "deployment_environment_name"} & info(telemetry).keys()


def test_a_bot_without_a_name_has_opentelemetrys(configured):
    with configured(service_name=None) as telemetry:
        assert info(telemetry)["service_name"].startswith("unknown_service")


def test_a_variable_in_another_encoding_does_not_fail_the_scrape(configured, monkeypatch):
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", os.fsdecode(b"team=a\xff,d\xffesk=b"))
    with configured() as telemetry:
        assert {"team": "a?", "d_esk": "b"}.items() <= info(telemetry).items()


def test_the_variable_of_attributes_is_heard_once(configured, monkeypatch):
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=variable,team=a,desk=x%2Cy")
    with configured(service_name="argument", resource_attributes={"team": "b"}) as telemetry:
        labels = info(telemetry)
    assert (labels["service_name"], labels["team"], labels["desk"]) == ("argument", "b", "x,y")


def test_a_command_that_is_no_utf8_has_an_id(tmp_path):
    uuid.UUID(run(tmp_path, "bot", b"caf\xe9"))


def run(directory, *arguments):
    command = [sys.executable, "-c", PROGRAM, *arguments]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=True).stdout.strip()


def test_the_instance_is_the_same_after_a_restart_and_another_elsewhere(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    first = run(here, "bot")
    assert first == run(here, "bot")
    assert len({first, run(there, "bot"), run(here, "other"), run(here, "bot", "--dry-run")}) == 4
    assert uuid.UUID(first).version == 5


def test_the_instance_says_nothing_of_where_it_came_from(tmp_path):
    assert tmp_path.name not in resource.instance_id("bot")


def test_a_given_instance_is_kept(configured):
    with configured(resource_attributes={"service.instance.id": "mine"}) as telemetry:
        assert info(telemetry)["service_instance_id"] == "mine"
        assert one(scrape(telemetry.endpoint_url), "target_info") == 1


@pytest.mark.parametrize("name", ["bot\nname", 'a"b\\c', "ключ"])
def test_a_name_of_any_letters_is_exposed_validly(configured, name):
    with configured(service_name=name) as telemetry:
        assert one(scrape(telemetry.endpoint_url, openmetrics=True), "target_info", service_name=name) == 1
