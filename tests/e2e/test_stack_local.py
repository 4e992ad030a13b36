"""`otel-trading stack` as a user runs it: what it starts, how it ends, and what it says of bots beside it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import yaml

from otel_trading.stack.prometheus.consoles import RUNBOOKS
from otel_trading.stack.prometheus.rules import FILES
from tests.demo.program import Demo
from tests.harness import fetch, require_program, wait_until
from tests.harness.collector import collector_binary
from tests.harness.stack import PROGRAM, Stack
from tests.unit.stack.prometheus import vocabulary


def cli(*arguments: str | Path, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAM, "stack", *arguments],
        cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.fixture
def directory(tmp_path) -> Path:
    """As init writes it, but that Prometheus looks once a second: a test has no time to wait."""
    path = tmp_path / "stack"
    done = cli("init", path, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    config = path / "prometheus" / "prometheus.yml"
    config.write_text(re.sub(r"(scrape|evaluation)_(interval|timeout): \d+s", r"\1_\2: 1s", config.read_text()))
    return path


def children(stack: Stack) -> list[psutil.Process]:
    return psutil.Process(stack.pid).children(recursive=True)


def ended(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


# -- what it starts -------------------------------------------------------------------------------------------------------


def test_all_parts_run_with_the_files_of_the_directory_and_find_each_other(directory, tmp_path):
    before = {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}
    with Stack(directory, log=tmp_path) as stack:
        up = {"otel-collector", "otel-collector-itself", "prometheus", "alertmanager"}
        stack.prometheus.wait_for("up == 1", lambda found: {sample.labels["job"] for sample in found} == up)
        assert stack.prometheus.query("up == 0") == []
        wait_until(lambda: stack.prometheus.get("alertmanagers")["activeAlertmanagers"], "Prometheus knows its Alertmanager")
        (known,) = stack.prometheus.get("alertmanagers")["activeAlertmanagers"]
        assert known["url"].startswith(stack.url("alertmanager"))
        assert targets(stack) == {
            "otel-collector": ("collector", f"127.0.0.1:{stack.ports['collector-metrics']}"),
            "otel-collector-itself": ("otel-collector-itself", None),
            "prometheus": ("prometheus", None),
            "alertmanager": ("alertmanager", None),
        }
        stack.prometheus.wait_for('scrape_samples_post_metric_relabeling / (scrape_sample_limit{job="otel-collector"} > 0)')
        for name, labels in vocabulary.STACK.items():
            found = stack.prometheus.wait_for(name)
            assert {label for sample in found for label in sample.labels} <= labels | vocabulary.EVERYWHERE, name
        groups = stack.prometheus.get("rules")["groups"]
        assert {Path(group["file"]).name for group in groups} == FILES.keys()
        assert not [
            line for line in (stack.data / "collector.log").read_text().splitlines() if re.search(r"\t(warn|error)\t", line)
        ]
        assert stack.running_parts() == {
            "pid": stack.pid,
            "addresses": {name: f"127.0.0.1:{port}" for name, port in stack.ports.items()},
            "links": {name: f"{stack.url(name)}/" for name in ("prometheus", "alertmanager")},
        }
    assert {path: path.read_bytes() for path in before} == before, "files of the user were changed"


def test_no_key_that_is_in_the_environment_is_handed_to_the_parts(directory, tmp_path):
    """But what a configuration names is, such as the token of an exporter."""
    given = {"EXCHANGE_API_SECRET": "secret", "OTELCOL_METRIC_EXPIRATION": "40s", "GOMAXPROCS": "2"}
    with Stack(directory, log=tmp_path, env=given) as stack:
        parts = {Path(child.exe()).name: child.environ() for child in children(stack)}
    assert len(parts) == 3
    for name, environment in parts.items():
        assert "EXCHANGE_API_SECRET" not in environment, name
        assert (environment["PATH"], environment["GOMAXPROCS"]) == (os.environ["PATH"], "2")
        assert ("OTELCOL_METRIC_EXPIRATION" in environment) == name.startswith("otelcol")


def test_prometheus_keeps_what_env_says(directory, tmp_path):
    env = directory / ".env"
    env.write_text(env.read_text().replace("PROMETHEUS_RETENTION=90d", "PROMETHEUS_RETENTION=30d"))
    with Stack(directory, log=tmp_path) as stack:
        flags = stack.prometheus.get("status/flags")
    # Its GB are GiB, in words of its own.
    assert (flags["storage.tsdb.retention.time"], flags["storage.tsdb.retention.size"]) == ("30d", "10GiB")


def test_links_lead_where_it_is_said_that_the_parts_are_reached_from_outside(directory, tmp_path):
    """By an option, else by .env; a proxy outside takes the path away, so here everything stays where it always is."""
    env = directory / ".env"
    env.write_text(re.sub("(PROMETHEUS|ALERTMANAGER)_EXTERNAL_URL=", r"\g<0>https://env.example.org/\1/", env.read_text()))
    option = "https://phone.example.org/alerts"
    with Stack(directory, f"--alertmanager-external-url={option}", log=tmp_path) as stack:
        flags = stack.prometheus.get("status/flags")
        assert flags["web.external-url"] == "https://env.example.org/PROMETHEUS/"
        assert fetch(f"{stack.url('prometheus')}/consoles/runbooks/TradingBotGone.html").status == 200
        stack.prometheus.wait_for("up == 1", lambda found: {"prometheus", "alertmanager"} <= {s.labels["job"] for s in found})
        done = cli("test-alert", directory, cwd=tmp_path)
        assert done.stdout.startswith(f"{stack.url('alertmanager')} has TradingTest")
        assert stack.running_parts()["links"]["alertmanager"] == f"{option}/"
        (alert,) = json.loads(fetch(f"{stack.url('alertmanager')}/api/v2/alerts?filter=alertname%3DTradingTest").text)
        assert alert["annotations"]["runbook_url"] == "https://env.example.org/PROMETHEUS/consoles/runbooks/index.html"


def test_it_says_that_nobody_is_told_as_long_as_that_is_so(directory, tmp_path):
    said = f"Nobody is told of critical and warning alerts: the receivers critical and warning have no channel in {directory}"
    assert cli("init", directory, cwd=tmp_path).stdout.count(said) == 1
    with Stack(directory, log=tmp_path) as stack:
        wait_until(lambda: "Ctrl-C ends it." in stack.output(), "it says where everything is")
        assert stack.output().count(said) == 1
    config = directory / "alertmanager" / "alertmanager.yml"
    contents = yaml.safe_load(config.read_text())
    for receiver in contents["receivers"]:
        receiver["webhook_configs"] = [{"url": "http://127.0.0.1:1/"}]
    config.write_text(yaml.safe_dump(contents))
    assert "Nobody is told" not in cli("init", directory, cwd=tmp_path).stdout


def targets(stack: Stack) -> dict[str, tuple[str | None, str | None]]:
    """What each scraped job says of its target; nothing but what Prometheus itself says of targets may have these labels."""
    named = stack.prometheus.query('count by (__name__) ({trading_target!=""})')
    assert [name for sample in named if not re.fullmatch("up|scrape_.+", name := sample.name)] == []
    return {
        sample.labels["job"]: (sample.labels.get("trading_target"), sample.labels.get("trading_collector"))
        for sample in stack.prometheus.query("up")
    }


def test_prometheus_serves_each_runbook_as_its_alert_links_it(directory, tmp_path):
    with Stack(directory, log=tmp_path) as stack:
        rules = [rule for group in stack.prometheus.get("rules", type="alert")["groups"] for rule in group["rules"]]
        assert {rule["name"] for rule in rules} == {path.stem for path in RUNBOOKS.glob("Trading*.md")}
        for rule in rules:
            link = rule["annotations"]["runbook_url"].replace("{{ $externalURL }}", stack.url("prometheus"))
            page = fetch(link)
            assert (page.status, f"<h1>{rule['name']}</h1>" in page.text) == (200, True), link
        assert fetch(f"{stack.url('prometheus')}/consoles/runbooks/index.html").status == 200


def test_a_bot_that_is_found_and_then_gone_is_a_target_that_is_down(directory, tmp_path):
    demo = Demo(tmp_path, "--speed", "20")
    with Stack(directory, log=tmp_path, bot=f"127.0.0.1:{demo.port}") as stack:
        with demo:
            stack.prometheus.wait_for('up{job="trading-bots"} == 1')
            assert targets(stack)["trading-bots"] == ("bot", None)
        stack.prometheus.wait_for('up{job="trading-bots"} == 0')


def test_a_bot_that_the_user_named_is_scraped_under_the_job_that_he_gave_it(directory, tmp_path):
    demo = Demo(tmp_path, "--speed", "20")
    bot = f"127.0.0.1:{demo.port}"
    (directory / "prometheus" / "targets" / "bots.yml").write_text(f"- targets: ['{bot}']\n  labels: {{job: mine}}\n")
    with Stack(directory, log=tmp_path, bot=bot) as stack, demo:
        stack.prometheus.wait_for('trading_portfolio_equity{job="mine"}')
        assert stack.prometheus.query('up{job="trading-bots"}') == []


# -- how it ends ----------------------------------------------------------------------------------------------------------


@contextmanager
def hang_up(handler: signal.Handlers) -> Iterator[None]:
    """What is started meanwhile takes the end of its terminal as a shell or `nohup` has it, however the tests were started."""
    before = signal.signal(signal.SIGHUP, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_it_ends_cleanly_when_it_is_asked_to(directory, tmp_path, number):
    with hang_up(signal.SIG_DFL), Stack(directory, log=tmp_path) as stack:
        parts = children(stack)
        assert len(parts) == 3
        os.kill(stack.pid, number)
        assert stack.wait() == 0
        assert all(map(ended, parts))
        assert not (stack.data / "running.json").exists()
        for port in stack.ports.values():
            with socket.create_server(("127.0.0.1", port)):
                pass
        assert "Traceback" not in stack.output()
        assert "See you next time!" in (stack.data / "prometheus.log").read_text()


def test_under_nohup_it_outlives_its_terminal(directory, tmp_path):
    with hang_up(signal.SIG_IGN), Stack(directory, log=tmp_path) as stack:
        os.kill(stack.pid, signal.SIGHUP)
        children(stack)[0].kill()
        wait_until(lambda: "still here: " in stack.output(), "it goes on, and says that a part has died")


def test_no_part_outlives_it_when_it_is_killed(directory, tmp_path):
    require_program("setpriv")
    with Stack(directory, log=tmp_path) as stack:
        parts = children(stack)
        os.kill(stack.pid, signal.SIGKILL)
        wait_until(lambda: all(map(ended, parts)), "all parts have ended")
        assert "See you next time!" in (stack.data / "prometheus.log").read_text(), "it had time to keep what it has"


def test_what_prometheus_has_seen_is_there_after_a_restart(directory, tmp_path):
    with Stack(directory, log=tmp_path) as stack:
        first = stack.prometheus.wait_for('process_start_time_seconds{job="prometheus"}')[0].value
        stack.stop()
        stack.start()
        stack.prometheus.wait_for(f'process_start_time_seconds{{job="prometheus"}} > {first}')
        seen = stack.prometheus.query('min_over_time(process_start_time_seconds{job="prometheus"}[1h])')
        assert [sample.value for sample in seen] == [first]


def test_a_part_that_dies_is_reported_and_the_others_go_on(directory, tmp_path):
    with Stack(directory, log=tmp_path) as stack:
        (collector,) = [child for child in children(stack) if "otelcol" in child.name()]
        collector.kill()
        wait_until(
            lambda: "collector was ended by SIGKILL; still here: alertmanager, prometheus" in stack.output(), "it says so"
        )
        assert "Everything is ready. Begin running and processing data." in stack.output(), "the last lines of its log"
        assert stack.prometheus.query("vector(1)")
        os.kill(stack.pid, signal.SIGINT)
        assert stack.wait() == 1


def test_it_ends_when_no_part_is_left(directory, tmp_path):
    with Stack(directory, log=tmp_path) as stack:
        for child in children(stack):
            child.kill()
        assert stack.wait() == 1
        assert "none is left" in stack.output()


# -- what it cannot do ----------------------------------------------------------------------------------------------------


def test_a_port_that_is_taken_is_named_with_its_holder_and_the_option_that_changes_it(directory, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = cli("up", "--local", directory, "--free-ports", f"--prometheus-port={port}", cwd=tmp_path)
    assert done.returncode == 1
    assert f"port {port} cannot be had" in done.stderr
    assert f"process {os.getpid()}" in done.stderr
    assert "--prometheus-port" in done.stderr
    assert "Traceback" not in done.stderr


def test_two_on_one_directory_would_write_the_same_data(directory, tmp_path):
    with Stack(directory, log=tmp_path) as stack:
        done = cli("up", "--local", directory, "--free-ports", cwd=tmp_path)
        assert (done.returncode, done.stderr) == (1, f"Error: {directory}: a stack runs here already (process {stack.pid})\n")
        assert stack.running


def test_a_part_that_cannot_start_is_told_with_its_last_words_and_takes_the_others_along(directory, tmp_path):
    (directory / "collector" / "agent.yaml").write_text("receivers: {nonsense: {}}")
    done = cli("up", "--local", directory, "--free-ports", cwd=tmp_path, OTELCOL=str(collector_binary()))
    assert done.returncode == 1
    assert "collector ended with 1; the last of" in done.stderr
    assert "nonsense" in done.stderr
    wait_until(lambda: not mine(directory), "the others have ended")


def mine(directory: Path) -> list[psutil.Process]:
    return [each for each in psutil.process_iter(["cmdline"]) if str(directory) in " ".join(each.info["cmdline"] or [])]


def test_what_is_not_installed_is_named_with_how_to_get_it_and_the_rest_runs(directory, tmp_path):
    """Of the programs, only Prometheus is on this PATH."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "prometheus").symlink_to(require_program("prometheus"))
    with Stack(directory, log=tmp_path, env={"PATH": str(tmp_path / "bin"), "OTELCOL": ""}) as stack:
        stack.prometheus.wait_for("up == 1", lambda found: {sample.labels["job"] for sample in found} == {"prometheus"})
        assert stack.prometheus.query("up == 0") == [], "what does not run is not scraped"
        assert "alertmanager is left out, it is not installed: apt install prometheus-alertmanager" in stack.output()
        assert "otelcol is left out, it is not installed: `make collector`" in stack.output()


def test_nothing_installed_is_an_error(directory, tmp_path):
    done = cli("up", "--local", directory, cwd=tmp_path, PATH=str(tmp_path), OTELCOL="")
    assert done.returncode == 1
    assert done.stderr == "Error: there is nothing to start\n"
    assert done.stdout.count("is left out") == 3


def test_a_program_that_is_named_and_not_there_is_an_error(directory, tmp_path):
    done = cli("up", "--local", directory, "--prometheus", "/nowhere/prometheus", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (
        1,
        "Error: --prometheus = /nowhere/prometheus: there is no program that can be run\n",
    )


def test_a_directory_that_is_none_of_a_stack_is_not_written_to(tmp_path):
    done = cli("up", "--local", tmp_path, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (
        1,
        f"Error: {tmp_path} is no directory of a stack: otel-trading stack init {tmp_path}\n",
    )
    assert list(tmp_path.iterdir()) == []


def test_an_address_outside_that_is_none_is_an_error(directory, tmp_path):
    done = cli("up", "--local", directory, "--prometheus-external-url=watch.example.org", cwd=tmp_path)
    assert done.returncode == 2
    assert "'--prometheus-external-url': It has to begin with http:// or https://." in done.stderr


def test_without_local_it_says_what_there_is(tmp_path):
    done = cli("up", cwd=tmp_path)
    assert done.returncode == 2
    assert "docker compose up" in done.stderr


def test_without_a_directory_it_is_one_below_here_that_is_written_first(tmp_path):
    done = cli("up", "--local", cwd=tmp_path, PATH=str(tmp_path), OTELCOL="")
    assert "otel-trading-stack: " in done.stdout
    assert (tmp_path / "otel-trading-stack" / "prometheus" / "prometheus.yml").is_file()


def test_rules_that_are_older_than_their_settings_are_told(directory, tmp_path):
    (directory / "alerts.yaml").write_text("alerts: {TradingStrategyStalled: {threshold: 7}}")
    done = cli("up", "--local", directory, cwd=tmp_path, PATH=str(tmp_path), OTELCOL="")
    assert "prometheus/rules/otel-trading-alerts.yml" in done.stdout
    assert f"otel-trading stack init {directory}" in done.stdout


# -- init -----------------------------------------------------------------------------------------------------------------


def test_init_says_what_it_did_with_files_that_were_changed(directory, tmp_path):
    done = cli("init", directory, cwd=tmp_path)
    assert done.returncode == 0
    assert "0 files written" in done.stdout
    assert "kept as you changed it: prometheus/prometheus.yml\n" in done.stdout
    assert "SIGHUP" not in done.stdout


def test_init_says_what_to_do_so_that_changed_rules_are_read(directory, tmp_path):
    (directory / "alerts.yaml").write_text("alerts: {TradingDailyLoss: {threshold: 0.07}}\n")
    assert "send Prometheus and Alertmanager a SIGHUP, or start the stack again" in cli("init", directory, cwd=tmp_path).stdout


@pytest.mark.parametrize("uid", [0, 1234])
def test_init_says_so_when_the_containers_would_run_as_root(directory, tmp_path, uid):
    """Who is not root has no such directory, and cannot make one."""
    if os.geteuid() == 0:
        os.chown(directory, uid, uid)
    done = cli("init", directory, cwd=tmp_path)
    assert ("so the containers run as root" in done.stdout) == (directory.stat().st_uid == 0)


def test_init_names_a_secret_that_the_container_of_alertmanager_does_not_see(directory, tmp_path):
    """As those are whose user followed an older version."""
    config = directory / "alertmanager" / "alertmanager.yml"
    config.write_text(config.read_text() + "# mine\n  - {name: x, webhook_configs: [{url_file: ../secrets/hook}]}\n")
    said = cli("init", directory, cwd=tmp_path).stdout
    assert "reads secrets/hook, which its container does not see: move secrets/hook into secrets/alertmanager" in said


def test_init_refuses_wrong_settings_in_one_line(directory, tmp_path):
    (directory / "alerts.yaml").write_text("alerts: {TradingStrategyStalled: {treshold: 7}}")
    done = cli("init", directory, cwd=tmp_path)
    assert done.returncode == 1
    assert "alerts.TradingStrategyStalled.treshold" in done.stderr
    assert len(done.stderr.splitlines()) == 1
