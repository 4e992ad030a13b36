"""Agents → gateways → remote write → a real store: what bots sent is in the store, each point once, under the bot's own names."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import HistogramDataPoint, Metric
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource

from tests.e2e.bot import SERVICE, Bot
from tests.harness import Collector, VictoriaMetrics, wait_until
from tests.harness.otlp import OK, Sender
from tests.harness.victoriametrics import Point

Keys = set[tuple[str, frozenset[tuple[str, str]]]]

NAMES = {
    "trading.portfolio.equity": "trading_portfolio_equity",
    "trading.fills": "trading_fills_total",
    "trading.order.duration": "trading_order_duration_seconds",
}
ROUNDS = 10
EXPORT_INTERVAL = 5000  # milliseconds between two exports, as they say: nobody waits for it


class FleetBot:
    """Stock OpenTelemetry with a gauge, a counter and a histogram; it keeps what the store should have of it."""

    def __init__(self, agent: Collector, instance: str, began: int) -> None:
        self.sent: list[Point] = []
        self._instance = instance
        self._next = began
        self._post = Sender("http", agent.http_endpoint).post
        self._reader = InMemoryMetricReader()
        resource = Resource({"service.name": "fleet", "service.instance.id": instance, "trading.mode": "paper"})
        self.provider = MeterProvider([self._reader], resource=resource, shutdown_on_exit=False)
        meter = self.provider.get_meter("fleet")
        self._equity = meter.create_gauge("trading.portfolio.equity")
        self._fills = meter.create_counter("trading.fills")
        self._duration = meter.create_histogram(
            "trading.order.duration", unit="s", explicit_bucket_boundaries_advisory=[0.25, 1.0]
        )

    def export(self) -> None:
        """Trade, and send one more export; it must be accepted."""
        turn = self._next // EXPORT_INTERVAL
        self._equity.set(turn + 0.25, {"trading.currency": "USD"})
        self._fills.add(turn % 7)
        for seconds in (0.125, 0.5, 8.0)[: turn % 3 + 1]:
            self._duration.record(seconds)
        data = self._reader.get_metrics_data()
        assert data is not None
        request = encode_metrics(data)
        self._remember(request)
        assert self._post(request) == OK
        self._next += EXPORT_INTERVAL

    def _remember(self, request: ExportMetricsServiceRequest) -> None:
        """Give the request its time, and keep the samples that Prometheus' data model has for it."""
        [resource] = request.resource_metrics
        [scope] = resource.scope_metrics
        assert {metric.name for metric in scope.metrics} == NAMES.keys()
        for metric in scope.metrics:
            [point] = (metric.gauge if metric.HasField("gauge") else data_of(metric)).data_points
            point.time_unix_nano = self._next * 1_000_000
            name = NAMES[metric.name]
            if isinstance(point, HistogramDataPoint):
                for bound, count in cumulative(point):
                    self._add(f"{name}_bucket", count, le=bound)
                self._add(f"{name}_sum", point.sum)
                self._add(f"{name}_count", point.count)
            else:
                labels = {"trading_currency": "USD"} if name == "trading_portfolio_equity" else {}
                self._add(name, point.as_int or point.as_double, **labels)
        self._add("target_info", 1, trading_mode="paper")

    def _add(self, name: str, value: float, **labels: str) -> None:
        own = {"job": "fleet", "instance": self._instance, **labels}
        self.sent.append(Point(name, frozenset(own.items()), self._next, float(value)))


def data_of(metric: Metric):
    return metric.sum if metric.HasField("sum") else metric.histogram


def cumulative(point: HistogramDataPoint) -> Iterator[tuple[str, int]]:
    total = 0
    for bound, count in zip([*(f"{b:g}" for b in point.explicit_bounds), "+Inf"], point.bucket_counts, strict=True):
        total += count
        yield bound, total


class Fleet:
    """Two machines with an agent and four bots each, two gateways, one store; all started but for the store."""

    def __init__(self, directory: Path, settings: dict[str, str], stack: ExitStack, *, deduplicate: bool = False) -> None:
        self.store = VictoriaMetrics(directory=directory, deduplicate=deduplicate)
        self.gateways = [
            stack.enter_context(
                Collector(
                    ("gateway.yaml", "gateway-remote-write.yaml"),
                    directory=directory,
                    name=f"gateway-{n}",
                    env=settings
                    | {"OTELCOL_REMOTE_WRITE_ENDPOINT": self.store.write_url, "OTELCOL_QUEUE_DIRECTORY": f"gateway-{n}-queue"},
                )
            )
            for n in range(2)
        ]
        addresses = ", ".join(gateway.grpc_endpoint.removeprefix("http://") for gateway in self.gateways)
        self.agents = [
            stack.enter_context(
                Collector(
                    ("agent.yaml", "agent-to-gateway.yaml"),
                    directory=directory,
                    name=f"agent-{n}",
                    env=settings | {"OTELCOL_GATEWAYS": f"[{addresses}]", "OTELCOL_QUEUE_DIRECTORY": f"agent-{n}-queue"},
                )
            )
            for n in range(2)
        ]
        began = (int(time.time()) - 600) * 1000
        self.bots = [FleetBot(agent, f"{agent.name}/bot-{n}", began) for agent in self.agents for n in range(4)]
        for bot in self.bots:
            stack.callback(bot.provider.shutdown)

    def trade(self) -> None:
        for _ in range(ROUNDS):
            for bot in self.bots:
                bot.export()

    @property
    def sent(self) -> list[Point]:
        return sorted((point for bot in self.bots for point in bot.sent), key=order)

    def arrive(self) -> None:
        """Wait until the store has as many points as were sent, and compare each."""
        many = len(self.sent)
        wait_until(lambda: len(self.store.points()) >= many, f"the store has {many} points", interval=0.5)
        assert sorted(self.store.points(), key=order) == self.sent


def order(point: Point) -> tuple[str, list[tuple[str, str]], int, float]:
    return point.name, sorted(point.labels), point.milliseconds, point.value


@pytest.fixture
def stack():
    with ExitStack() as stack:
        yield stack


def keys(series: Iterable[tuple[str, Collection[tuple[str, str]]]]) -> Keys:
    """Return names and labels, without where they came from: job, instance and all of `target_info`.

    The bound of a bucket is a number: Python writes 1.0, the Collector 1.
    """
    return {
        (name, frozenset((k, str(float(v)) if k == "le" else v) for k, v in labels if k not in {"job", "instance"}))
        for name, labels in series
        if name != "target_info"
    }


def test_each_point_that_bots_send_is_in_the_store_once(settings, stack, tmp_path):
    """Of a store that keeps doubles: it is written no more often than it was sent."""
    fleet = Fleet(tmp_path, settings, stack)
    with fleet.store:
        fleet.trade()
        fleet.arrive()
        assert fleet.store.written() == len(fleet.sent)


def test_nothing_is_lost_while_a_gateway_is_killed_and_comes_back(settings, stack, tmp_path):
    """Each in turn: whichever bots are routed to it, they wait on their agents' disks."""
    fleet = Fleet(tmp_path, settings, stack, deduplicate=True)
    with fleet.store:
        fleet.trade()
        for gateway in fleet.gateways:
            gateway.kill()
            fleet.trade()
            gateway.start()
        fleet.arrive()


def test_what_waits_for_a_gateway_that_is_gone_goes_to_the_others_when_agents_are_told(settings, stack, tmp_path):
    """Routed when it is sent and not when it is accepted: the queue on disk goes the new way."""
    fleet = Fleet(tmp_path, settings, stack, deduplicate=True)
    with fleet.store:
        gone, left = fleet.gateways
        gone.kill()
        fleet.trade()
        for agent in fleet.agents:
            agent.stop()
            agent.env["OTELCOL_GATEWAYS"] = f"[{left.grpc_endpoint.removeprefix('http://')}]"
            agent.start()
        fleet.arrive()


def test_nothing_is_lost_while_the_store_is_away_and_every_collector_is_killed(settings, stack, tmp_path):
    """What an agent has accepted is on its disk until the store has it; a gateway holds nothing."""
    fleet = Fleet(tmp_path, settings, stack, deduplicate=True)
    with fleet.store:
        fleet.trade()
    fleet.trade()
    for collector in (*fleet.gateways, *fleet.agents):
        collector.kill()
        collector.start()
    fleet.trade()
    with fleet.store:
        fleet.arrive()


def test_a_bot_has_the_names_and_labels_in_the_store_that_its_own_endpoint_shows(settings, stack, tmp_path):
    fleet = Fleet(tmp_path, settings, stack)
    with fleet.store, Bot(tmp_path, exporters="prometheus,otlp", collector=fleet.agents[0]) as bot:
        bot.do("everything")

        def shown() -> Keys:
            return keys((sample.name, sample.labels.items()) for sample in bot.scrape())

        def stored() -> Keys:
            return keys((p.name, p.labels) for p in fleet.store.points() if ("job", SERVICE) in p.labels)

        wait_until(lambda: shown() == stored(), "the store has the bot's series, and no others", interval=0.5)
