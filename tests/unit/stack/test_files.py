"""What is written is valid for those who read it: Compose, Prometheus, YAML's linter."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from dotenv import dotenv_values

from otel_trading.stack.directory import init
from otel_trading.stack.ports import DEFAULTS
from otel_trading.stack.prometheus.rules import FILES
from tests.harness import require_program

BIN = Path(sys.executable).parent
LINT = """\
extends: default
rules:
  document-start: disable
  line-length: {max: 128}
  comments: {min-spaces-from-content: 1}
  braces: {max-spaces-inside: 1}
"""
MADE = """\
extends: default
rules:
  document-start: disable
  line-length: disable
  indentation: {indent-sequences: whatever}
"""


@pytest.fixture(scope="module")
def directory(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("stack")
    init(path)
    return path


@pytest.fixture(scope="module")
def compose(directory):
    return yaml.safe_load((directory / "compose.yaml").read_text())


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def test_the_compose_file_fits_its_schema(directory):
    run(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", directory / "compose.yaml")


def test_it_fits_its_schema_with_the_values_of_env(directory, tmp_path):
    variables = dotenv_values(directory / ".env")
    text = re.sub(r"\$\{(\w+)[^}]*\}", lambda found: variables[found[1]] or "", (directory / "compose.yaml").read_text())
    (tmp_path / "compose.yaml").write_text(text)
    assert yaml.safe_load(text)["services"]["bot"]["restart"] == "unless-stopped"
    run(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", tmp_path / "compose.yaml")


def test_promtool_accepts_the_configuration_and_all_that_it_names(directory):
    said = run(require_program("promtool"), "check", "config", directory / "prometheus" / "prometheus.yml")
    assert f"{len(FILES)} rule files found" in said
    assert "WARNING" not in said


def test_promtool_accepts_the_targets_of_the_containers(directory, tmp_path):
    (tmp_path / "rules").symlink_to(directory / "prometheus" / "rules")
    (tmp_path / "targets").symlink_to(directory / "prometheus" / "targets-compose")
    (tmp_path / "prometheus.yml").symlink_to(directory / "prometheus" / "prometheus.yml")
    assert "WARNING" not in run(require_program("promtool"), "check", "config", tmp_path / "prometheus.yml")


def test_amtool_accepts_the_configuration_of_alertmanager(directory):
    assert "1 templates" in run(require_program("amtool"), "check-config", directory / "alertmanager" / "alertmanager.yml")


def test_yamllint_has_nothing_to_say(directory):
    """Expressions are as long as they are, and PyYAML has its own way to indent."""
    every = [path for path in directory.rglob("*") if path.suffix in {".yaml", ".yml"}]
    made = [path for path in every if path.parent.name == "rules"]
    assert made
    run(BIN / "yamllint", "--strict", "-d", MADE, *made)
    run(BIN / "yamllint", "--strict", "-d", LINT, *(set(every) - set(made)))


# -- the compose file -----------------------------------------------------------------------------------------------------


SERVICES = ["alertmanager", "bot", "collector", "grafana", "prometheus"]


def test_the_compose_file_has_these_services(compose):
    assert sorted(compose["services"]) == SERVICES


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_can_do_no_more_than_it_has_to(compose, service):
    settings = compose["services"][service]
    assert settings["read_only"] is True
    assert settings["cap_drop"] == ["ALL"]
    assert settings["security_opt"] == ["no-new-privileges:true"]
    assert settings["user"].startswith("${STACK_USER")
    assert settings["pids_limit"]
    assert "privileged" not in settings


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_cannot_take_all_of_the_machine(directory, compose, service):
    """Not more than one CPU: what a machine has not got is refused."""
    settings = compose["services"][service]
    env = dotenv_values(directory / ".env")
    limits = {name: env[re.findall(r"\w+", settings[name])[0]] for name in ("mem_limit", "cpus")}
    assert re.fullmatch(r"\d+[mg]", limits["mem_limit"] or "")
    assert 0 < float(limits["cpus"] or 0) <= 1
    assert settings["logging"]["driver"] == "json-file"
    assert settings["logging"]["options"].keys() == {"max-size", "max-file"}


def test_the_collector_refuses_before_its_container_is_ended_for_want_of_memory(directory):
    """Its limiter counts the heap, and what Go has not given back yet comes to that."""
    (limit,) = re.findall(
        r"limit_mib: \$\{env:OTELCOL_MEMORY_LIMIT_MIB:-(\d+)\}", (directory / "collector" / "agent.yaml").read_text()
    )
    assert dotenv_values(directory / ".env")["COLLECTOR_MEMORY"] == f"{2 * int(limit)}m"


def test_what_prometheus_keeps_is_bounded_in_time_and_size(compose):
    flags = {flag.partition("=")[0] for flag in compose["services"]["prometheus"]["command"]}
    assert {"--storage.tsdb.retention.time", "--storage.tsdb.retention.size"} <= flags


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_published_on_loopback_only(compose, service):
    ports = compose["services"][service].get("ports", [])
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_bot_needs_no_open_port(compose):
    bot = compose["services"]["bot"]
    assert "ports" not in bot
    assert bot["environment"]["OTEL_METRICS_EXPORTER"] == "otlp"


@pytest.mark.parametrize("service", sorted(set(SERVICES) - {"bot"}))
def test_an_image_is_pinned(compose, service):
    assert re.fullmatch(r"[a-z/-]+:v?\d+\.\d+\.\d+", compose["services"][service]["image"])


@pytest.mark.parametrize("service", SERVICES)
def test_what_a_service_mounts_is_there_and_written_only_where_its_data_is(directory, compose, service):
    for mount in compose["services"][service].get("volumes", []):
        source, _, target = mount.partition(":")
        assert (directory / source).is_dir(), mount
        assert target.endswith(":ro") != source.startswith("./data/compose/"), mount


def test_every_variable_of_the_compose_file_is_in_env_with_the_same_default(directory):
    text = (directory / "compose.yaml").read_text()
    env = dict(re.findall(r"^(\w+)=(.*)$", (directory / ".env").read_text(), re.MULTILINE))
    assert set(re.findall(r"\$\{(\w+)", text)) == env.keys()
    for name, default in re.findall(r"\$\{(\w+):-([^${}]*)\}", text):
        assert env[name] == default, name


def test_links_lead_to_what_is_published_unless_it_is_said(directory, compose):
    """An empty value is as good as none to Compose, also within another default."""
    given = {
        "PROMETHEUS": compose["services"]["prometheus"]["command"],
        "ALERTMANAGER": compose["services"]["alertmanager"]["command"],
        "GRAFANA": compose["services"]["grafana"]["environment"].values(),
    }
    env = (directory / ".env").read_text().splitlines()
    for name, arguments in given.items():
        [port] = re.findall(rf"\$\{{{name}_PORT:-(\d+)\}}:", str(compose["services"][name.lower()]["ports"]))
        url = f"${{{name}_EXTERNAL_URL:-http://127.0.0.1:${{{name}_PORT:-{port}}}/}}"
        assert [each for each in arguments if each.removeprefix("--web.external-url=") == url], name
        assert f"{name}_EXTERNAL_URL=" in env


def test_no_secret_is_in_the_compose_file(directory, compose):
    for path in filter(Path.is_file, (directory / "secrets").rglob("*")):
        secret = path.read_text()
        assert not secret or secret not in (directory / "compose.yaml").read_text()
    assert "GF_SECURITY_ADMIN_PASSWORD" not in compose["services"]["grafana"]["environment"]


SEEN = {
    "alertmanager": {"secrets/alertmanager/telegram-bot-token"},
    "bot": {"secrets/bot.env", "secrets/bot/key.pem"},
    "collector": set(),
    "grafana": {"secrets/grafana-admin-password"},
    "prometheus": set(),
}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_sees_its_own_secrets_and_no_others(compose, service):
    settings = compose["services"][service]
    given = [mount.partition(":")[0] for mount in settings.get("volumes", [])]
    given += [compose["secrets"][name]["file"] for name in settings.get("secrets", [])]
    given += [settings["env_file"]] if "env_file" in settings else []
    every = set().union(*SEEN.values())
    assert {path for path in every if any(Path(path).is_relative_to(Path(each)) for each in given)} == SEEN[service]


def test_the_container_of_alertmanager_sees_every_file_of_secrets_that_its_configuration_names(directory, compose):
    settings = compose["services"]["alertmanager"]
    mounts = dict(reversed(mount.removesuffix(":ro").split(":")) for mount in settings["volumes"])
    named = re.findall(r"_file: (\S+)", (directory / "alertmanager" / "alertmanager.yml").read_text())
    assert named
    for name in named:
        inside = Path(os.path.normpath(Path(settings["working_dir"], name)))
        here = Path(os.path.normpath(directory / "alertmanager" / name)).relative_to(directory)
        assert Path(mounts[str(inside.parent)], inside.name) == here, name


def test_the_agent_gets_an_address_for_each_that_it_listens_on(directory, compose):
    """In a container loopback is the container's own."""
    agent = (directory / "collector" / "agent.yaml").read_text()
    listens = set(re.findall(r"\$\{env:(OTELCOL_\w*(?:ENDPOINT|HOST)):", agent))
    given = compose["services"]["collector"]["environment"]
    assert given.keys() == listens
    assert {address.split(":")[0] for address in given.values()} == {"0.0.0.0"}  # noqa: S104 - inside of the container


# -- where everything is --------------------------------------------------------------------------------------------------


def targets(directory: Path, place: str) -> set[str]:
    groups = [
        group for file in (directory / "prometheus" / place).glob("*.yml") for group in yaml.safe_load(file.read_text()) or []
    ]
    return {target for group in groups for target in group["targets"]}


def test_the_targets_of_this_machine_have_the_usual_ports(directory):
    """So that `up --local` can put others in their place."""
    assert targets(directory, "targets") == {
        f"127.0.0.1:{DEFAULTS[name]}" for name in ("prometheus", "alertmanager", "collector-metrics", "collector-telemetry")
    }


def test_the_targets_of_the_containers_are_their_services_and_ports(directory, compose):
    found = {tuple(target.split(":")) for target in targets(directory, "targets-compose")}
    assert {host for host, _ in found} == set(compose["services"]) - {"bot"}
    for host, port in found - {("collector", "8888"), ("collector", "8889")}:
        assert any(published.endswith(f":{port}") for published in compose["services"][host]["ports"])


def test_every_job_has_its_files_in_both_places(directory):
    text = (directory / "prometheus" / "prometheus.yml").read_text()
    named = set(re.findall(r"targets/([\w*]+\.yml)", text))
    for place in ("targets", "targets-compose"):
        here = directory / "prometheus" / place
        assert all(list(here.glob(name)) for name in named)
        assert {file for name in named for file in here.glob(name)} == set(here.iterdir())


def test_a_bots_own_job_and_instance_are_kept(directory):
    jobs = yaml.safe_load((directory / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    assert [job["job_name"] for job in jobs if job.get("honor_labels")] == ["otel-collector"]


@pytest.mark.parametrize("job", ["otel-collector", "trading-bots"])
def test_what_bots_can_send_is_bounded(directory, job):
    jobs = yaml.safe_load((directory / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    (found,) = [each for each in jobs if each["job_name"] == job]
    limits = ("sample_limit", "label_limit", "label_name_length_limit", "label_value_length_limit", "body_size_limit")
    assert all(found[limit] for limit in limits)
