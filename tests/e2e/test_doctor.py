"""`otel-trading doctor` beside the real programs: green where all is well, and the culprit named where it is not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import certifi
import pytest
import yaml

from otel_trading.stack.directory import init
from otel_trading.stack.doctor import alertmanager as of_alertmanager
from otel_trading.stack.doctor import asking
from otel_trading.stack.doctor import rules as of_rules
from otel_trading.stack.doctor.finding import Finding
from otel_trading.stack.prometheus.rules import FILES, document
from otel_trading.stack.prometheus.settings import RuleSettings
from tests.demo.program import PROGRAM, Demo
from tests.e2e.bot import SERVICE, Bot
from tests.harness import Alertmanager, Collector, Prometheus, free_port, job, wait_until
from tests.harness.stack import Stack

RULES = {"groups": [group for groups in FILES.values() for group in document(groups, RuleSettings())["groups"]]}
ALERTMANAGER = "route: {receiver: hook}\nreceivers: [{name: hook, webhook_configs: [{url: 'http://127.0.0.1:1/'}]}]\n"


class Said(NamedTuple):
    code: int
    settings: list[dict[str, str]]
    findings: list[dict[str, str]]
    text: str

    def of(self, check: str) -> list[dict[str, str]]:
        return [each for each in self.findings if each["check"] == check]

    def one(self, check: str) -> dict[str, str]:
        [found] = self.of(check)
        return found

    @property
    def wrong(self) -> list[str]:
        return [each["check"] for each in self.findings if each["status"] == "wrong"]


def run(directory: Path, *options: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "METRICS_"))}
    return subprocess.run(
        [PROGRAM, "doctor", *options], cwd=directory, env={**inherited, **(env or {})},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def doctor(directory: Path, *options: str, env: dict[str, str] | None = None) -> Said:
    done = run(directory, "--json", *options, env=env)
    assert done.stderr == ""
    said = json.loads(done.stdout)
    assert said["ok"] == (done.returncode == 0)
    return Said(done.returncode, said["settings"], said["findings"], done.stdout)


def pulled(bot: Bot | Demo) -> dict[str, str]:
    return {"OTEL_EXPORTER_PROMETHEUS_PORT": str(bot.port)}


def pushed(collector: Collector) -> dict[str, str]:
    return {
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.http_endpoint,
        "OTEL_SERVICE_NAME": SERVICE,
    }


@pytest.fixture
def alertmanager(tmp_path):
    config = tmp_path / "alertmanager.yml"
    config.write_text(ALERTMANAGER)
    with Alertmanager(config) as running:
        yield running


def test_the_demo_that_is_scraped_with_rules_and_an_alertmanager_is_all_right(tmp_path, alertmanager):
    with (
        Demo(tmp_path, "--bars", "60", "--speed", "max") as demo,
        Prometheus(
            [job("bot", demo.url, relabel_configs=[{"target_label": "trading_target", "replacement": "bot"}])],
            directory=tmp_path,
            rules=RULES,
            alertmanagers=[alertmanager.address],
        ) as prometheus,
    ):
        demo.wait_until_lingering()
        prometheus.wait_for("trading_sdk_route")
        url = f"--prometheus={prometheus.url}"
        said = wait_until(
            lambda: found if (found := doctor(tmp_path, url, env=pulled(demo))).code == 0 else None, "all is right"
        )

        assert {each["check"] for each in said.findings} == {
            "configuration", "versions", "endpoint", "prometheus", "targets", "scrape", "names", "measurements", "rules",
            "alerts", "alertmanager", "clock",
        }  # fmt: skip
        assert "otel-trading-demo" in said.one("scrape")["says"]
        assert [each for each in said.findings if each["status"] != "ok" and "NTP" not in each["says"]] == []


def test_the_demo_beside_a_stack_is_all_right_on_both_paths(tmp_path):
    where = tmp_path / "stack"
    init(where)
    with (
        Demo(tmp_path, "--bars", "60", "--speed", "max", name="scraped") as scraped,
        Stack(where, log=tmp_path, bot=f"127.0.0.1:{scraped.port}") as stack,
        Demo(tmp_path, "--bars", "60", "--speed", "max", name="pushing", env=stack.push | {"OTEL_SERVICE_NAME": "pushing"}),
    ):
        # Prometheus scrapes every 15 s here.
        for env in (pulled(scraped), stack.push | {"OTEL_SERVICE_NAME": "pushing"}):
            said = wait_until(
                lambda env=env: found if (found := doctor(tmp_path, f"--dir={where}", env=env)).code == 0 else None,
                f"all is right for {env}",
                timeout=120,
            )
            assert said.one("stack")["status"] == "ok"
            assert said.one("prometheus")["says"].startswith(stack.url("prometheus"))
            # Green but for this: as the file is written, nobody is told.
            assert said.one("alertmanager")["status"] == "warning"
            assert said.one("alertmanager")["says"] == (
                f"{stack.url('alertmanager')} is ready, but nobody is told of critical and warning alerts:"
                " the receivers critical and warning have no channel"
            )
            assert "otel-trading stack test-alert" in said.one("alertmanager")["mend"]
            assert said.one("rules")["says"].startswith("all ")
            assert said.one("alerts")["says"].startswith("none of ")


def test_an_alertmanager_that_tells_somebody_is_all_right_and_no_token_is_printed(tmp_path):
    """As the user fills in the file that `stack init` writes, with a token in it as an older Alertmanager wants it."""
    where = tmp_path / "stack"
    init(where)
    config = where / "alertmanager" / "alertmanager.yml"
    contents = yaml.safe_load(config.read_text())
    for receiver in contents["receivers"]:
        if receiver["name"] == "critical":
            receiver["telegram_configs"] = [{"bot_token": "1:hush", "chat_id": 1}]
    config.write_text(yaml.safe_dump(contents))
    with (
        Alertmanager(config) as alertmanager,
        Prometheus([], directory=tmp_path, rules=RULES, alertmanagers=[alertmanager.address]) as prometheus,
    ):
        url = f"--prometheus={prometheus.url}"
        half = wait_until(
            lambda: found if "is ready" in (found := doctor(tmp_path, url)).one("alertmanager")["says"] else None, "it is found"
        )
        for receiver in contents["receivers"]:
            if receiver["name"] == "warning":
                receiver["webhook_configs"] = [{"url": "http://127.0.0.1:1/hush"}]
        config.write_text(yaml.safe_dump(contents))
        (unread,) = of_alertmanager.check(asking.Prometheus(prometheus.url), RuleSettings(), None, where)
        os.kill(alertmanager.pid, signal.SIGHUP)
        whole = wait_until(
            lambda: found if (found := doctor(tmp_path, url)).one("alertmanager")["status"] == "ok" else None, "all is right"
        )

    assert half.one("alertmanager")["says"].endswith("nobody is told of warning alerts: the receiver warning has no channel")
    assert "has one by now: send Alertmanager a SIGHUP" in unread.mend
    assert whole.one("alertmanager")["says"].endswith("is ready, and somebody is told of critical and warning alerts")
    assert "hush" not in half.text + whole.text


def test_an_alertmanager_that_only_containers_reach_is_looked_at_where_the_stack_publishes_it(tmp_path):
    """Prometheus in a container knows it by a name that nobody outside of them does."""
    where = tmp_path / "stack"
    init(where)
    with (
        Alertmanager(where / "alertmanager" / "alertmanager.yml") as alertmanager,
        Prometheus([], directory=tmp_path, rules=RULES, alertmanagers=["alertmanager.invalid:9093"]) as prometheus,
    ):
        (where / ".env").write_text(f"ALERTMANAGER_PORT={alertmanager.address.partition(':')[2]}\n")
        url = f"--prometheus={prometheus.url}"
        wait_until(lambda: prometheus.get("alertmanagers")["activeAlertmanagers"], "Prometheus knows its Alertmanager")
        outside, published = (doctor(tmp_path, url, *more).one("alertmanager") for more in ((), (f"--dir={where}",)))

    assert "alertmanager.invalid:9093 cannot be reached from here" in outside["says"]
    assert published["says"].startswith(f"{alertmanager.url} is ready, but nobody is told of critical and warning alerts")


def test_a_bot_that_pushes_is_all_right_and_a_collector_that_is_down_is_the_culprit(tmp_path):
    with (
        Collector("agent.yaml", directory=tmp_path) as agent,
        Bot(tmp_path, exporters="otlp", collector=agent),
        Prometheus([job("agent", agent.metrics_url, honor_labels=True)], directory=tmp_path) as prometheus,
    ):
        url = f"--prometheus={prometheus.url}"
        prometheus.wait_for("trading_sdk_route")
        said = doctor(tmp_path, url, env=pushed(agent))
        assert {each["status"] for each in said.of("collector") + said.of("scrape") + said.of("names")} == {"ok"}

        agent.stop()
        prometheus.wait_for("trading_sdk_route", lambda found: not found)
        said = doctor(tmp_path, url, env=pushed(agent))

        assert said.code == 1
        assert said.wrong[0] == "collector", "what fails first explains what fails after it"
        assert f"the Collector is not at {agent.http_endpoint}" in said.one("collector")["says"]
        assert agent.metrics_url in said.one("targets")["says"]
        assert f"no series of {SERVICE} any more" in said.one("scrape")["says"]


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_otlp_is_tried_in_the_protocol_that_is_set(protocol, tmp_path):
    with Collector("agent.yaml", directory=tmp_path) as agent:
        right, other = agent.grpc_endpoint, agent.http_endpoint
        if protocol != "grpc":
            right, other = other, right
        env = {"OTEL_METRICS_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": protocol}

        assert doctor(tmp_path, env={**env, "OTEL_EXPORTER_OTLP_ENDPOINT": right}).one("collector")["status"] == "ok"
        said = doctor(tmp_path, env={**env, "OTEL_EXPORTER_OTLP_ENDPOINT": other}).one("collector")

    assert said["status"] == "wrong"
    assert "listens, but did not take an empty batch" in said["says"]
    assert "OTEL_EXPORTER_OTLP_PROTOCOL" in said["mend"]


# `requests` prefers these to the certificate that OpenTelemetry's variable names.
NO_BUNDLES = {"REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": ""}


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_a_gateway_that_refuses_the_token_is_told_of_and_the_token_is_nowhere(protocol, tmp_path, settings, tls, token):
    with Collector("gateway.yaml", directory=tmp_path, env={**settings, "OTELCOL_QUEUE_DIRECTORY": "queue"}) as gateway:
        endpoint = gateway.grpc_endpoint if protocol == "grpc" else gateway.http_endpoint
        env = NO_BUNDLES | {
            "OTEL_METRICS_EXPORTER": "otlp",
            "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint.replace("http:", "https:"),
            "OTEL_EXPORTER_OTLP_CERTIFICATE": str(tls.ca),
        }
        right = doctor(tmp_path, env={**env, "OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{token}"})
        env["OTEL_EXPORTER_OTLP_HEADERS"] = "authorization=Bearer%20of-somebody-else"
        wrong, shown = doctor(tmp_path, env=env), run(tmp_path, env=env).stdout

    assert right.one("collector")["status"] == "ok"
    assert "OTEL_EXPORTER_OTLP_HEADERS" in wrong.one("collector")["mend"]
    assert token not in right.text
    assert "of-somebody-else" not in wrong.text + shown
    assert "authorization=**********" in shown


@pytest.mark.parametrize(
    ("bundle", "named"), [(NO_BUNDLES, False), ({"REQUESTS_CA_BUNDLE": certifi.where()}, True)], ids=["unknown", "overruled"]
)
def test_a_certificate_that_is_not_trusted_is_told_of(bundle, named, tmp_path, settings, tls):
    with Collector("gateway.yaml", directory=tmp_path, env={**settings, "OTELCOL_QUEUE_DIRECTORY": "queue"}) as gateway:
        env = {"OTEL_METRICS_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_ENDPOINT": gateway.http_endpoint.replace("http:", "https:")}
        env |= bundle | ({"OTEL_EXPORTER_OTLP_CERTIFICATE": str(tls.ca)} if named else {})
        said = doctor(tmp_path, env=env).one("collector")

    assert said["says"].endswith("shows a certificate that is not trusted here")
    assert "OTEL_EXPORTER_OTLP_CERTIFICATE" in said["mend"]
    assert ("REQUESTS_CA_BUNDLE" in said["mend"]) == named


def test_a_port_that_another_program_has_is_told_of_with_the_program(tmp_path):
    with Prometheus([], directory=tmp_path) as other:
        said = doctor(tmp_path, env={"OTEL_EXPORTER_PROMETHEUS_PORT": str(other.port)})

    assert said.code == 1
    assert said.wrong[0] == "endpoint"
    assert f"port {other.port} is taken by another program" in said.one("endpoint")["says"]
    assert f"process {other.pid}" in said.one("endpoint")["says"]


def test_a_scrape_that_is_missing_is_told_of_with_the_target_to_add(tmp_path):
    with (
        Bot(tmp_path, exporters="prometheus") as bot,
        Prometheus([], directory=tmp_path) as prometheus,
    ):
        said = doctor(tmp_path, f"--prometheus={prometheus.url}", env=pulled(bot))

    assert said.code == 1
    assert said.wrong[:2] == ["targets", "scrape"]
    assert said.one("endpoint")["status"] == "ok"
    assert f"Prometheus has no series of {SERVICE}" in said.one("scrape")["says"]
    assert f"127.0.0.1:{bot.port}" in said.one("scrape")["mend"]
    assert said.one("rules")["says"].startswith("Prometheus has none of the")
    assert said.one("alertmanager")["says"] == "Prometheus knows no Alertmanager"


def test_a_scrape_without_honor_labels_is_told_of(tmp_path):
    with (
        Collector("agent.yaml", directory=tmp_path) as agent,
        Bot(tmp_path, exporters="otlp", collector=agent),
        Prometheus([job("agent", agent.metrics_url)], directory=tmp_path) as prometheus,
    ):
        prometheus.wait_for("trading_sdk_route")
        said = doctor(tmp_path, f"--prometheus={prometheus.url}", env=pushed(agent))

    assert "scrape" in said.wrong
    assert "honor_labels: true" in said.one("scrape")["mend"]


def test_a_bot_on_both_paths_is_told_of_twice_and_what_it_dropped_is_said(tmp_path):
    with (
        Collector("agent.yaml", directory=tmp_path) as agent,
        Bot(tmp_path, exporters="prometheus,otlp", collector=agent) as bot,
        Prometheus(
            [job("bot", bot.metrics_url), job("agent", agent.metrics_url, honor_labels=True)], directory=tmp_path
        ) as prometheus,
    ):
        bot.do("everything")
        prometheus.wait_for("my_own_jobs_total", lambda found: len(found) == 2)
        said = doctor(
            tmp_path,
            f"--prometheus={prometheus.url}",
            env=pushed(agent) | {"OTEL_METRICS_EXPORTER": "prometheus,otlp"} | pulled(bot),
        )

    twice = [each["says"] for each in said.of("scrape") if each["status"] == "wrong"]
    assert len(twice) == 1
    assert f"{SERVICE} is told of twice: job=bot" in twice[0]
    assert said.one("measurements")["status"] == "warning"


def test_names_without_their_suffixes_are_the_collectors(tmp_path):
    other = tmp_path / "other.yaml"
    other.write_text("exporters: {prometheus: {translation_strategy: UnderscoreEscapingWithoutSuffixes}}\n")
    with (
        Collector(["agent.yaml", other], directory=tmp_path) as agent,
        Bot(tmp_path, exporters="otlp", collector=agent) as bot,
        Prometheus([job("agent", agent.metrics_url, honor_labels=True)], directory=tmp_path) as prometheus,
    ):
        bot.do("everything")
        prometheus.wait_for("trading_orders")
        said = doctor(tmp_path, f"--prometheus={prometheus.url}", env=pushed(agent))

    assert "names" in said.wrong
    assert "UnderscoreEscapingWithSuffixes" in said.of("names")[0]["mend"]


def test_a_rule_that_cannot_be_evaluated_is_named(tmp_path):
    # Two series with the labels that the rule makes the same: many-to-many matching, which Prometheus reports as `err`.
    broken = {"groups": [{"name": "g", "rules": [{"alert": "TradingBotGone", "expr": "up * on () scrape_duration_seconds"}]}]}
    jobs = [job(name, f"http://127.0.0.1:{free_port()}/metrics") for name in ("one", "two")]
    with Prometheus(jobs, directory=tmp_path, rules=broken) as prometheus:
        wait_until(lambda: prometheus.get("rules")["groups"][0]["rules"][0]["health"] == "err", "the rule fails")
        said = doctor(tmp_path, f"--prometheus={prometheus.url}")

    assert "rules" in said.wrong
    assert "TradingBotGone cannot be evaluated" in said.of("rules")[0]["says"]
    assert "not loaded" in said.of("rules")[1]["says"]
    assert "trading_target" in said.of("rules")[2]["says"], "nothing tells which targets wake somebody"


@contextmanager
def shifted(prometheus: Prometheus, seconds: float):
    """Prometheus as it would be on a machine whose clock is ahead."""

    class Ahead(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with urllib.request.urlopen(f"{prometheus.url}{self.path}", timeout=10) as answer:
                body = answer.read()
            if "query=time%28%29" in self.path:
                now = time.time() + seconds
                body = json.dumps({"status": "success", "data": {"resultType": "scalar", "result": [now, str(now)]}}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Ahead) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_files_that_prometheus_has_not_read_since_they_changed_are_told_of(tmp_path):
    rules = tmp_path / "stack" / "prometheus" / "rules" / "otel-trading-alerts.yml"
    rules.parent.mkdir(parents=True)
    rules.touch()
    with Prometheus([], directory=tmp_path, rules=RULES) as prometheus:
        asked = asking.Prometheus(prometheus.url)
        read, _ = asked.configured()
        said: dict[float, list[Finding]] = {}
        for seconds in (-60, 60):
            os.utime(rules, (read + seconds, read + seconds))
            said[seconds] = of_rules.check(asked, RuleSettings(), tmp_path / "stack")
        (tmp_path / "prometheus.yml").write_text("nonsense: {}")
        os.kill(prometheus.pid, signal.SIGHUP)
        wait_until(lambda: not asked.configured()[1], "it refuses that")
        refused = of_rules.check(asked, RuleSettings(), tmp_path / "stack")

    about = "Prometheus goes on with what it read before prometheus/rules/otel-trading-alerts.yml changed"
    assert all("goes on" not in each.says for each in said[-60])
    assert [(each.status, each.mend) for each in said[60] if each.says == about] == [
        ("warning", "send it a SIGHUP, or start the stack again")
    ]
    assert [each.status for each in refused if each.says.startswith("Prometheus refused its changed configuration")] == [
        "wrong"
    ]


def test_a_clock_that_is_off_is_told_of_with_how_to_set_it(tmp_path):
    with (
        Bot(tmp_path, exporters="prometheus") as bot,
        Prometheus([job("bot", bot.metrics_url)], directory=tmp_path) as prometheus,
        shifted(prometheus, 300) as url,
    ):
        prometheus.wait_for("trading_sdk_route")
        said = doctor(tmp_path, f"--prometheus={url}", env=pulled(bot))

    assert "clock" in said.wrong
    assert "Prometheus' clock is 300.0 s ahead of this machine's" in [each["says"] for each in said.of("clock")]
    assert said.one("scrape")["status"] == "ok"


def test_without_prometheus_the_rest_is_looked_at_and_the_exit_code_is_1(tmp_path):
    port = free_port()
    done = run(tmp_path, f"--prometheus=http://me:hush@127.0.0.1:{port}", env={"OTEL_SERVICE_NAME": "sma-bot"})

    assert done.returncode == 1
    assert f"Prometheus at http://127.0.0.1:{port}: nobody listens there" in done.stdout
    assert "environment variable OTEL_SERVICE_NAME" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("1 thing wrong")
    assert "hush" not in done.stdout
    assert "\x1b" not in done.stdout
