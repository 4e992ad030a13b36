"""Each file of collector-config/ with the real Collector: valid, started, and doing what its comments promise."""

from __future__ import annotations

import re

import pytest
import yaml
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from otel_trading.pipeline.settings import Settings
from tests.harness import Collector, Prometheus, find, one, wait_until
from tests.harness.collector import CONFIGURATIONS
from tests.harness.otlp import OK, Sender

AGENT = ("agent.yaml",)
FORWARDING_AGENT = ("agent.yaml", "agent-to-gateway.yaml")
GATEWAY = ("gateway.yaml",)
GATEWAY_REMOTE_WRITE = ("gateway.yaml", "gateway-remote-write.yaml")
ALL = [AGENT, FORWARDING_AGENT, GATEWAY, GATEWAY_REMOTE_WRITE]


def address(endpoint: str) -> str:
    return endpoint.removeprefix("http://")


def complaints(collector: Collector) -> list[str]:
    return [line for line in collector.output().splitlines() if re.search(r"\t(warn|error|fatal|panic)\t", line)]


def test_every_file_is_started_by_this_module():
    in_tests = {file for files in ALL for file in files}
    in_folder = {path.name for path in CONFIGURATIONS.glob("*.yaml")} - {"builder.yaml"}
    assert in_tests == in_folder


def test_the_readme_lists_every_variable_with_its_default():
    readme = (CONFIGURATIONS / "README.md").read_text()
    listed = {row[1]: row[2] for row in re.findall(r"^(\| `(OTELCOL_\w+)` \| ([^|]*) \|)", readme, re.MULTILINE)}
    used: dict[str, set[str]] = {}
    for file in {file for files in ALL for file in files}:
        for name, default in re.findall(r"\$\{env:(\w+):-([^}]*)\}", (CONFIGURATIONS / file).read_text()):
            used.setdefault(name, set()).add(default)
    assert listed.keys() == used.keys()
    for name, defaults in used.items():
        for default in defaults - {"", "null"}:
            assert f"`{default}`" in listed[name]


def test_a_series_expires_after_two_exports_and_a_scrape():
    """With the SDK's own interval and the scrape interval that README.md gives Prometheus."""
    [expiration] = re.findall(r"OTELCOL_METRIC_EXPIRATION:-(\d+)s", (CONFIGURATIONS / "agent.yaml").read_text())
    [scrape] = re.findall(r"scrape_interval: (\d+)s", (CONFIGURATIONS / "README.md").read_text())
    assert int(expiration) == 2 * Settings().export_interval + int(scrape)


@pytest.mark.parametrize("files", ALL, ids="+".join)
def test_it_is_valid_with_its_defaults(files, tmp_path):
    """Nothing set but the files: the defaults are complete."""
    collector = Collector(files, directory=tmp_path)
    collector.env.clear()
    result = collector.validate()
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.parametrize("files", ALL, ids="+".join)
def test_it_starts_without_a_warning_and_says_how_it_is(files, settings, tmp_path):
    """`validate` misses unknown keys; deprecated names and settings are warnings only when started."""
    with Collector(files, directory=tmp_path, env={**settings, "OTELCOL_QUEUE_DIRECTORY": "queue"}) as collector:
        assert "Everything is ready. Begin running and processing data." in collector.output()
        assert complaints(collector) == []
        assert one(collector.telemetry(), "otelcol_process_memory_rss") is not None
    assert collector.returncode == 0


def test_the_agent_listens_on_loopback_only():
    defaults = re.findall(r"\$\{env:OTELCOL_\w*(?:ENDPOINT|HOST):-([^}]*)\}", (CONFIGURATIONS / "agent.yaml").read_text())
    assert len(defaults) == 5
    assert {default.split(":")[0] for default in defaults} == {"127.0.0.1"}


@pytest.mark.parametrize("files", ALL, ids="+".join)
def test_the_memory_limiter_is_first_in_each_pipeline(files):
    pipelines = yaml.safe_load((CONFIGURATIONS / files[0]).read_text())["service"]["pipelines"]
    assert set(pipelines) == {"metrics", "traces"}
    assert all(pipeline["processors"][0] == "memory_limiter" for pipeline in pipelines.values())


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_the_agent_exposes_what_it_gets(protocol, tmp_path):
    with Collector("agent.yaml", directory=tmp_path) as agent:
        bot = Sender(protocol, otlp(agent, protocol))
        assert bot.send("trading.price", 42.5, symbol="BTC-USD") == OK
        for openmetrics in (False, True):
            samples = agent.scrape(openmetrics=openmetrics)
            labels = {"job": "bot", "instance": "1", "symbol": "BTC-USD"}
            assert find(samples, "trading_price") == [("trading_price", labels, 42.5)]


def test_the_agent_forgets_what_is_no_longer_sent(tmp_path):
    with Collector("agent.yaml", directory=tmp_path, env={"OTELCOL_METRIC_EXPIRATION": "1s"}) as agent:
        assert Sender("grpc", agent.grpc_endpoint).send("trading.price", 42.5) == OK
        wait_until(lambda: one(agent.scrape(), "trading_price") == 42.5, "the price is there")
        wait_until(lambda: one(agent.scrape(), "trading_price") is None, "the price is gone")


def test_an_agent_a_gateway_and_a_backend_in_a_row(settings, tmp_path):
    """Bot → agent → (TLS, token) → gateway → backend, over each of the gateway's two exporters."""
    with Collector("agent.yaml", directory=tmp_path, name="backend") as backend:
        for exporter, endpoint in (("otlp_grpc", backend.grpc_endpoint), ("otlp_http", backend.http_endpoint)):
            out = {
                "OTELCOL_BACKEND_EXPORTER": exporter,
                "OTELCOL_BACKEND_ENDPOINT": endpoint,
                "OTELCOL_BACKEND_INSECURE": "true",
                "OTELCOL_QUEUE_DIRECTORY": f"gateway-{exporter}",
            }
            with Collector("gateway.yaml", directory=tmp_path, env=settings | out, name=f"gateway-{exporter}") as gateway:
                to_gateway = {
                    "OTELCOL_GATEWAYS": f"[{address(gateway.grpc_endpoint)}]",
                    "OTELCOL_QUEUE_DIRECTORY": f"agent-{exporter}",
                }
                agent = Collector(FORWARDING_AGENT, directory=tmp_path, env=settings | to_gateway, name=f"agent-{exporter}")
                with agent:
                    assert Sender("http", agent.http_endpoint).send("trading.price", 7, by=exporter) == OK
                    wait_until(lambda: one(backend.scrape(), "trading_price", by=exporter) == 7, exporter)  # noqa: B023


def test_spans_take_the_same_way(settings, tmp_path):
    with Collector("agent.yaml", directory=tmp_path, name="backend") as backend:
        out = {"OTELCOL_BACKEND_ENDPOINT": backend.http_endpoint, "OTELCOL_QUEUE_DIRECTORY": "gateway-queue"}
        with Collector("gateway.yaml", directory=tmp_path, env=settings | out, name="gateway") as gateway:
            out = {
                "OTELCOL_GATEWAYS": f"[{address(gateway.grpc_endpoint)}]",
                "OTELCOL_QUEUE_DIRECTORY": "agent-queue",
            }
            with Collector(FORWARDING_AGENT, directory=tmp_path, env=settings | out, name="agent") as agent:
                exporter = OTLPSpanExporter(f"{agent.http_endpoint}/v1/traces")
                provider = TracerProvider(resource=Resource({"service.name": "bot", "service.instance.id": "1"}))
                provider.add_span_processor(SimpleSpanProcessor(exporter))
                with provider.get_tracer("bot").start_as_current_span("order"):
                    pass
                provider.shutdown()
                wait_until(lambda: re.search(r'\tTraces\t.*"spans": 1', backend.output()), "the backend has the span")


def test_a_bot_stays_with_one_gateway_and_a_fleet_uses_all(settings, tmp_path):
    bots = [f"bot-{n}" for n in range(12)]
    with (
        Collector("agent.yaml", directory=tmp_path, name="backend-1") as backend_1,
        Collector("agent.yaml", directory=tmp_path, name="backend-2") as backend_2,
    ):
        backends = (backend_1, backend_2)
        gateways = [
            Collector(
                "gateway.yaml",
                directory=tmp_path,
                name=f"gateway-{n}",
                env=settings | {"OTELCOL_BACKEND_ENDPOINT": backend.http_endpoint, "OTELCOL_QUEUE_DIRECTORY": f"gateway-{n}"},
            )
            for n, backend in enumerate(backends)
        ]
        with gateways[0], gateways[1]:
            addresses = ", ".join(address(gateway.grpc_endpoint) for gateway in gateways)
            out = {"OTELCOL_GATEWAYS": f"[{addresses}]", "OTELCOL_QUEUE_DIRECTORY": "agent"}
            with Collector(FORWARDING_AGENT, directory=tmp_path, env=settings | out, name="agent") as agent:
                for metric in ("trading.cash", "trading.equity"):
                    for bot in bots:
                        sender = Sender("grpc", agent.grpc_endpoint, service="sma", instance=bot)
                        assert sender.send(metric, 1) == OK

                def seen(metric: str) -> list[set[str]]:
                    return [{s.labels["instance"] for s in find(b.scrape(), metric)} for b in backends]

                for metric in ("trading_cash", "trading_equity"):
                    wait_until(lambda metric=metric: sum(map(len, seen(metric))) == len(bots), metric)
                assert seen("trading_cash") == seen("trading_equity")
                first, second = seen("trading_cash")
                assert first
                assert second
                assert first | second == set(bots)


def test_remote_write_gives_prometheus_the_same_names(settings, tls, token, tmp_path):
    prometheus = Prometheus([], directory=tmp_path, arguments=["--web.enable-remote-write-receiver"])
    with prometheus:
        out = {"OTELCOL_REMOTE_WRITE_ENDPOINT": f"{prometheus.url}/api/v1/write", "OTELCOL_QUEUE_DIRECTORY": "queue"}
        with Collector(GATEWAY_REMOTE_WRITE, directory=tmp_path, env=settings | out) as gateway:
            bot = Sender("grpc", gateway.grpc_endpoint, ca=tls.ca, token=token)
            assert bot.send("trading.price", 42.5, symbol="BTC-USD") == OK
            result = prometheus.wait_for("trading_price")
            assert result == [("trading_price", {"job": "bot", "instance": "1", "symbol": "BTC-USD"}, 42.5)]


@pytest.fixture
def gateway(settings, tmp_path):
    with Collector("gateway.yaml", directory=tmp_path, env=settings | {"OTELCOL_QUEUE_DIRECTORY": "queue"}) as gateway:
        yield gateway


def otlp(collector: Collector, protocol: str) -> str:
    return collector.grpc_endpoint if protocol == "grpc" else collector.http_endpoint


@pytest.mark.parametrize(("protocol", "refusal"), [("grpc", "UNAUTHENTICATED"), ("http", "401")])
def test_the_gateway_takes_nothing_without_its_token(protocol, refusal, gateway, tls, token):
    def send(sent: str | None) -> str:
        return Sender(protocol, otlp(gateway, protocol), ca=tls.ca, token=sent).send("trading.price", 1)

    assert [send(wrong) for wrong in (None, "guessed", token[:-1], f"{token}x")] == [refusal] * 4
    assert send(token) == OK
    accepted = find(gateway.telemetry(), "otelcol_receiver_accepted_metric_points_total")
    assert sum(sample.value for sample in accepted) == 1


@pytest.mark.parametrize(("protocol", "refusal"), [("grpc", "UNAVAILABLE"), ("http", "400")])
def test_the_gateway_speaks_tls_only(protocol, refusal, gateway, token):
    assert Sender(protocol, otlp(gateway, protocol), token=token).send("trading.price", 1) == refusal


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_the_gateway_can_ask_for_a_certificate_too(protocol, settings, tls, token, tmp_path):
    mutual = {"OTELCOL_TLS_CLIENT_CA": str(tls.ca), "OTELCOL_QUEUE_DIRECTORY": "queue"}
    with Collector("gateway.yaml", directory=tmp_path, env=settings | mutual) as gateway:
        endpoint = otlp(gateway, protocol)
        nameless = Sender(protocol, endpoint, ca=tls.ca, token=token)
        if protocol == "grpc":
            assert nameless.send("trading.price", 1) == "UNAVAILABLE"
        else:
            with pytest.raises(OSError):  # an alert or the end of the connection, whichever comes first
                nameless.send("trading.price", 1)
            wait_until(lambda: "client didn't provide a certificate" in gateway.output(), "the gateway says why")
        known = Sender(protocol, endpoint, ca=tls.ca, identity=(tls.cert, tls.key), token=token)
        assert known.send("trading.price", 1) == OK


def test_a_token_is_renewed_without_a_restart(gateway, tls, token, token_file):
    """Both are good while both are in the file; comments may say whose they are."""
    renewed = token[::-1]
    old = Sender("http", gateway.http_endpoint, ca=tls.ca, token=token)
    new = Sender("http", gateway.http_endpoint, ca=tls.ca, token=renewed)
    assert new.send("trading.price", 1) == "401"
    token_file.write_text(f"{token} # until Friday\n{renewed} # from now on\n")
    wait_until(lambda: new.send("trading.price", 1) == OK, "the new token is good")
    assert old.send("trading.price", 1) == OK
    token_file.write_text(f"{renewed}\n")
    wait_until(lambda: old.send("trading.price", 1) == "401", "the old token is no longer good")
    assert new.send("trading.price", 1) == OK


def test_the_backend_gets_the_headers_that_it_asks_for(settings, tls, token, tmp_path):
    """The backend is a gateway too, which takes nothing without its token; the secret is in a file, not in a variable."""
    headers = tmp_path / "headers.yaml"
    headers.write_text(f"authorization: Bearer {token}\n")
    with Collector("agent.yaml", directory=tmp_path, name="last") as last:
        out = {"OTELCOL_BACKEND_ENDPOINT": last.http_endpoint, "OTELCOL_QUEUE_DIRECTORY": "backend-queue"}
        with Collector("gateway.yaml", directory=tmp_path, env=settings | out, name="backend") as backend:
            out = {
                "OTELCOL_BACKEND_ENDPOINT": backend.http_endpoint.replace("http://", "https://"),
                "OTELCOL_BACKEND_CA": str(tls.ca),
                "OTELCOL_BACKEND_HEADERS": f"${{file:{headers}}}",
                "OTELCOL_QUEUE_DIRECTORY": "queue",
            }
            with Collector("gateway.yaml", directory=tmp_path, env=settings | out) as gateway:
                bot = Sender("grpc", gateway.grpc_endpoint, ca=tls.ca, token=token)
                assert bot.send("trading.price", 3) == OK
                wait_until(lambda: one(last.scrape(), "trading_price") == 3, "it is there")
