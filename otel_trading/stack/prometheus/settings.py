"""The file in which a user says what wakes him and when: a threshold, a time and a severity for each alert."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias, cast
from urllib.parse import urlsplit

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat, ValidationError
from pydantic_core import ErrorDetails

from otel_trading.errors import ConfigurationError
from otel_trading.semconv import metrics as m
from otel_trading.semconv.spec import Metric
from otel_trading.stack.prometheus.model import Alert, Severity, Threshold

_EXTERNAL: Final = "{{ $externalURL }}"
RUNBOOKS: Final = f"{_EXTERNAL}/consoles/runbooks/{{alert}}.html"
"""Where Prometheus itself serves the runbooks that come with the rules."""

_DURATION: Final = re.compile(r"(?!$)(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?")


def _duration(text: str) -> str:
    if not _DURATION.fullmatch(text):
        raise ValueError("a duration as Prometheus writes it, such as 90s, 5m or 1h30m")
    return text


def _given(settings: Any) -> Any:
    """What stands below a name; of a name below which nothing stands any more, nothing."""
    return {} if settings is None else settings


class Change(BaseModel):
    """What may be changed of an alert; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool = True
    threshold: FiniteFloat | None = None
    pending: Annotated[str, AfterValidator(_duration)] | None = Field(None, alias="for")
    severity: Severity | None = None


_UNCHANGED: Final = Change.model_validate({})


Share: TypeAlias = Annotated[FiniteFloat, Field(ge=0.9, lt=1)]
"""The share of events that has to be good, as a fraction. With less than 0.9 no rate of bad ones would be a fast one."""


class Objective(BaseModel):
    """An objective for a share of events."""

    model_config = ConfigDict(extra="forbid")

    objective: Share


class LatencyObjective(Objective):
    """An objective for how many of the events take no longer than a time."""

    seconds: FiniteFloat


def _bound_of(metric: Metric) -> AfterValidator:
    """Between two bounds of its buckets a histogram cannot tell how many values there are."""

    def bound(seconds: float) -> float:
        if seconds not in metric.bounds:
            raise ValueError(f"it has to be one of the bounds of {metric.name}, {_bounds(metric)}")
        return seconds

    return AfterValidator(bound)


def _bounds(metric: Metric) -> str:
    return ", ".join(f"{bound:g}" for bound in metric.bounds)


class OrderLatency(LatencyObjective):
    """Of the orders that the venue answered, those that it answered within `seconds`."""

    objective: Share = 0.99
    seconds: Annotated[FiniteFloat, _bound_of(m.ORDER_DURATION)] = 1.0


class OrderErrors(Objective):
    """Of the orders that were sent, those that the venue answered."""

    objective: Share = 0.95


class InferenceLatency(LatencyObjective):
    """Of the inferences, those that took no longer than `seconds`."""

    objective: Share = 0.99
    seconds: Annotated[FiniteFloat, _bound_of(m.INFERENCE_DURATION)] = 0.1


class Slos(BaseModel):
    """The objectives that burn-rate alerts watch."""

    model_config = ConfigDict(extra="forbid")

    order_latency: Annotated[OrderLatency, BeforeValidator(_given)] = OrderLatency()
    order_errors: Annotated[OrderErrors, BeforeValidator(_given)] = OrderErrors()
    inference_latency: Annotated[InferenceLatency, BeforeValidator(_given)] = InferenceLatency()


_SLOS: Final = Slos()


def is_address(text: str) -> bool:
    """Whether it can be the beginning of a link: programs take others as well, and their links lead nowhere."""
    try:
        parts = urlsplit(text)
    except ValueError:  # a bracket that is open
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc)


def _address(text: str) -> str:
    if not is_address(text):
        raise ValueError("it has to begin with http:// or https://")
    return text


def _runbooks(text: str) -> str:
    """Prometheus itself may serve them, and puts in where it is."""
    return text if text.startswith(_EXTERNAL) else _address(text)


class RuleSettings(BaseModel):
    """All that is set about rules."""

    model_config = ConfigDict(extra="forbid")

    runbook_url: Annotated[str, AfterValidator(_runbooks)] = RUNBOOKS
    """Where the page of an alert is; `{alert}` stands for its name."""
    grafana_url: Annotated[str, AfterValidator(_address)] = "http://127.0.0.1:3000"
    """Where the dashboards are; in a stack's directory as its `.env` says, unless `alerts.yaml` does."""
    slos: Annotated[Slos, BeforeValidator(_given)] = _SLOS
    alerts: Annotated[dict[str, Annotated[Change, BeforeValidator(_given)]], BeforeValidator(_given)] = Field(
        default_factory=dict[str, Change]
    )

    def of(self, alert: Alert) -> Change:
        """What is set about an alert."""
        return self.alerts.get(alert.name, _UNCHANGED)


class _Loader(yaml.SafeLoader):
    """Refuses a name that stands twice in one place: else the second would take away, unsaid, what is below the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        found: set[str] = set()
        for name in (name for name, _ in node.value if isinstance(name, yaml.ScalarNode)):
            if name.value in found:
                raise yaml.constructor.ConstructorError(None, None, f"{name.value} stands there twice", name.start_mark)
            found.add(name.value)
        return super().construct_mapping(node, deep)


def load(file: Path, alerts: Iterable[Alert]) -> RuleSettings:
    """Read the file. Raises `ConfigurationError` that names each wrong setting, the file and what is allowed."""
    try:
        given: Any = yaml.load(file.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - it is a SafeLoader
    except OSError as error:
        raise ConfigurationError(f"{file}: it cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: it is malformed: {error}") from None
    known = {alert.name: alert for alert in alerts}
    try:
        settings = RuleSettings.model_validate({} if given is None else given)
    except ValidationError as error:
        raise ConfigurationError(f"{file}: {'; '.join(map(_told, error.errors()))}") from None
    wrong = [
        f"alerts.{name}: there is no such alert; there are {', '.join(known)}" for name in settings.alerts if name not in known
    ]
    wrong += [
        f"alerts.{name}.threshold: {name} has none; leave it out"
        for name, change in settings.alerts.items()
        if change.threshold is not None and name in known and known[name].threshold is None
    ]
    wrong += [
        f"alerts.{name}.threshold = {change.threshold:g}: {refused}"
        for name, change in settings.alerts.items()
        if name in known and (refused := _refused(known[name].threshold, change.threshold))
    ]
    if wrong:
        raise ConfigurationError(f"{file}: {'; '.join(wrong)}")
    return settings


def _refused(threshold: Threshold | None, chosen: float | None) -> str | None:
    """Why a threshold is none: its alert would fire always, or never."""
    if threshold is None or chosen is None or 0 <= chosen <= (1 if threshold.is_fraction else chosen):
        return None
    return "it has to be a fraction between 0 and 1, 0.05 for 5 %" if threshold.is_fraction else "it has to be 0 or more"


def _section(place: tuple[int | str, ...]) -> type[BaseModel]:
    """What may be set at a place in the file."""
    match place:
        case (_,):
            return RuleSettings
        case ("slos", _):
            return Slos
        case ("slos", name, *_):
            slo: Objective = getattr(_SLOS, str(name))
            return type(slo)
        case _:
            return Change


def _told(error: ErrorDetails) -> str:
    """What pydantic found, in the words of the file."""
    where = ".".join(map(str, error["loc"]))
    match error["type"]:
        case "extra_forbidden":
            fields = _section(error["loc"]).model_fields
            return f"{where}: there is no such setting; there are {', '.join(f.alias or name for name, f in fields.items())}"
        case "model_type" | "dict_type":
            what = "names and values, such as `grafana_url: http://…`" if not where else "settings by name, such as `for: 5m`"
            return f"{where or 'the file'} = {error['input']!r}: it has to be {what}"
        case _:
            return f"{where} = {error['input']!r}: {error['msg'].removeprefix('Value error, ')}"


def text(alerts: Iterable[Alert]) -> str:
    """The file with every default in it, and what each means beside it."""
    lines = [
        "# When alerts fire: change a line, then run `otel-trading stack init` on this directory again.",
        "# critical wakes somebody, warning is looked at today, info is worth knowing; `enabled: false` leaves an alert out.",
        "",
        "# Where the links of an alert lead. {alert} stands for its name.",
        f"runbook_url: '{RUNBOOKS}'",
        f"# grafana_url: {RuleSettings.model_fields['grafana_url'].default}  # as .env says, unless it stands here",
        "",
        "# Objectives: alerts say when more is slow or fails than they allow. `seconds` is one of the bounds of the histogram.",
        "slos:",
    ]
    for name, slo in ((name, getattr(_SLOS, name)) for name in Slos.model_fields):
        lines += ["", f"  # {slo.__doc__.replace('`', '')}", f"  {name}:"]
        lines += [f"    {key}: {value:g}" for key, value in slo.model_dump().items()]
    lines += ["", "alerts:"]
    for alert in alerts:
        lines += ["", f"  # {alert.summary}", f"  {alert.name}:"]
        if alert.threshold is not None:
            lines.append(f"    threshold: {alert.threshold.value:g}  # {alert.threshold.meaning}")
        lines += [f"    for: {alert.pending}", f"    severity: {alert.severity}"]
    return "\n".join(lines) + "\n"


def threshold(alert: Alert, settings: RuleSettings) -> str:
    """The threshold of an alert as PromQL writes it."""
    value = settings.of(alert).threshold
    chosen = cast("float", alert.threshold.value if alert.threshold and value is None else value)
    return repr(float(chosen)).removesuffix(".0")
