"""What a gateway, or an agent that forwards to one, has accepted is on disk until its backend has it."""

from __future__ import annotations

import pytest

from tests.harness import Collector, find, wait_until
from tests.harness.otlp import OK, Sender

BATCHES = {str(n) for n in range(25)}


@pytest.fixture
def backend(tmp_path) -> Collector:
    """Where everything should arrive; not started."""
    return Collector("agent.yaml", directory=tmp_path, name="backend")


@pytest.fixture
def gateway(settings, backend, tmp_path) -> Collector:
    out = {"OTELCOL_BACKEND_ENDPOINT": backend.http_endpoint, "OTELCOL_QUEUE_DIRECTORY": "gateway-queue"}
    return Collector("gateway.yaml", directory=tmp_path, name="gateway", env=settings | out)


def arrived(backend: Collector) -> set[str]:
    return {sample.labels["batch"] for sample in find(backend.scrape(), "trading_price")}


def queued(collector: Collector) -> float:
    return sum(s.value for s in find(collector.telemetry(), "otelcol_exporter_queue_size", data_type="metrics"))


def all_arrive(backend: Collector) -> None:
    wait_until(lambda: arrived(backend) == BATCHES, "every batch has arrived")


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_the_gateway_keeps_what_it_accepted_over_its_own_end(end, gateway, backend, tls, token):
    """Each batch is a series of its own: cumulative sums would hide one that is lost."""
    bot = Sender("grpc", gateway.grpc_endpoint, ca=tls.ca, token=token)
    with gateway:
        assert {bot.send("trading.price", 1, batch=batch) for batch in sorted(BATCHES)} == {OK}
        getattr(gateway, end)()
        gateway.start()
        assert queued(gateway) > 0
        with backend:
            all_arrive(backend)
        wait_until(lambda: queued(gateway) == 0, "nothing is queued")


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_the_forwarding_agent_keeps_what_it_accepted_over_its_own_end(end, gateway, backend, settings, tmp_path):
    out = {
        "OTELCOL_GATEWAYS": f"[{gateway.grpc_endpoint.removeprefix('http://')}]",
        "OTELCOL_QUEUE_DIRECTORY": "agent-queue",
    }
    files = ("agent.yaml", "agent-to-gateway.yaml")
    with Collector(files, directory=tmp_path, name="agent", env=settings | out) as agent:
        bot = Sender("http", agent.http_endpoint)
        assert {bot.send("trading.price", 1, batch=batch) for batch in sorted(BATCHES)} == {OK}
        getattr(agent, end)()
        agent.start()
        assert queued(agent) > 0
        with backend, gateway:
            all_arrive(backend)


def test_the_gateway_sends_on_when_its_backend_returns(gateway, backend, tls, token):
    """No restart of the gateway: it keeps trying, for as long as it takes."""
    bot = Sender("http", gateway.http_endpoint, ca=tls.ca, token=token)
    with gateway:
        with backend:
            assert bot.send("trading.price", 1, batch="0") == OK
            wait_until(lambda: arrived(backend) == {"0"}, "the first has arrived")
        assert {bot.send("trading.price", 1, batch=batch) for batch in sorted(BATCHES)} == {OK}
        with backend:
            all_arrive(backend)


@pytest.mark.parametrize(("protocol", "refusal"), [("grpc", "UNAVAILABLE"), ("http", "503")])
def test_a_full_queue_says_try_again(protocol, refusal, gateway, backend, tls, token):
    """Nothing is dropped in silence: the sender is told, and it is told what makes it try again."""
    gateway.env["OTELCOL_QUEUE_SIZE"] = "3"
    with gateway:
        endpoint = gateway.grpc_endpoint if protocol == "grpc" else gateway.http_endpoint
        bot = Sender(protocol, endpoint, ca=tls.ca, token=token)
        answers = {batch: bot.send("trading.price", 1, batch=batch) for batch in sorted(BATCHES)}
        assert set(answers.values()) == {OK, refusal}
        with backend:
            accepted = {batch for batch, answer in answers.items() if answer == OK}
            wait_until(lambda: arrived(backend) == accepted, "what was accepted has arrived")
