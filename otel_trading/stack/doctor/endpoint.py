"""The bot's own endpoint: whether its port is the bot's, free, or somebody else's."""

from __future__ import annotations

from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families

from otel_trading.pipeline.settings import Settings
from otel_trading.semconv import metrics as m
from otel_trading.stack.doctor.asking import UnansweredError, ask
from otel_trading.stack.doctor.finding import Finding, ok, warning, wrong
from otel_trading.stack.ports import holder, listens, reachable, refusal
from otel_trading.stack.promql import of

CHECK = "endpoint"
_OTHER = "end it, or choose another port with OTEL_EXPORTER_PROMETHEUS_PORT"


@dataclass
class Bot:
    """What a bot's endpoint says of it."""

    url: str
    port: int
    resource: dict[str, str] = field(default_factory=dict[str, str])
    """The labels of `target_info`."""
    samples: list[tuple[str, dict[str, str], float]] = field(default_factory=list[tuple[str, dict[str, str], float]])

    @property
    def service(self) -> str | None:
        return self.resource.get("service_name")

    @property
    def instance(self) -> str | None:
        return self.resource.get("service_instance_id")


def check(settings: Settings) -> tuple[Bot | None, list[Finding]]:
    """Return the bot that serves where these settings say, if one does."""
    host, port = settings.prometheus_host, settings.prometheus_port
    if port == 0:
        says = "any free port (prometheus_port 0): only the bot knows which, so Prometheus cannot be told"
        return None, [warning(CHECK, says, "choose one with OTEL_EXPORTER_PROMETHEUS_PORT")]
    reached = reachable(host)
    url = f"http://[{reached}]:{port}/metrics" if ":" in reached else f"http://{reached}:{port}/metrics"
    try:
        answer = ask(url)
    except UnansweredError as why:
        return None, [_unanswered(host, port, str(why))]
    bot = _bot(url, port, answer.text) if answer.status == 200 else None  # noqa: PLR2004 - HTTP's OK
    if bot is None:
        return None, [_taken(port)]
    if settings.service_name and bot.service and bot.service != settings.service_name:
        says = f"{url} is that of the bot {bot.service}, these settings are for {settings.service_name}"
        return bot, [wrong(CHECK, says, "give each bot a port of its own with OTEL_EXPORTER_PROMETHEUS_PORT")]
    return bot, [ok(CHECK, f"the bot {bot.service or 'without a name'} serves {url}")]


def _bot(url: str, port: int, text: str) -> Bot | None:
    """Read an exposition; None if it is not that of a bot with this SDK."""
    bot = Bot(url, port)
    try:
        for family in text_string_to_metric_families(text):
            bot.samples += [(sample.name, dict(sample.labels), float(sample.value)) for sample in family.samples]
    except (ValueError, IndexError):  # somebody else's page
        return None
    bot.resource = next((labels for name, labels, _ in bot.samples if name == "target_info"), bot.resource)
    return bot if any(name == of(m.SDK_ROUTE) for name, _, _ in bot.samples) else None


def _unanswered(host: str, port: int, why: str) -> Finding:
    if refused := refusal(host, port):
        return wrong(CHECK, f"port {port} on {host} cannot be had: {why}, and this system refuses it: {refused}", _OTHER)
    if listens(host, port):
        return _taken(port)
    return warning(CHECK, f"no bot serves port {port} on {host}; it is free", "start the bot")


def _taken(port: int) -> Finding:
    who = holder(port) or "which one the system does not tell"
    return wrong(CHECK, f"port {port} is taken by another program: {who}", _OTHER)
