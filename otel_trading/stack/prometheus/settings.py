"""The file in which a user says what wakes him and when: a threshold, a time and a severity for each alert."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Final, cast

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, ValidationError
from pydantic_core import ErrorDetails

from otel_trading.errors import ConfigurationError
from otel_trading.stack.prometheus.model import Alert, Severity

RUNBOOKS: Final = "{{ $externalURL }}/consoles/runbooks/{alert}.html"
"""Where Prometheus itself serves the runbooks that come with the rules."""

_DURATION: Final = re.compile(r"(?!$)(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?")


def _duration(text: str) -> str:
    if not _DURATION.fullmatch(text):
        raise ValueError("a duration as Prometheus writes it, such as 90s, 5m or 1h30m")
    return text


class Change(BaseModel):
    """What may be changed of an alert; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool = True
    threshold: FiniteFloat | None = None
    pending: Annotated[str, AfterValidator(_duration)] | None = Field(None, alias="for")
    severity: Severity | None = None


_UNCHANGED: Final = Change.model_validate({})


class RuleSettings(BaseModel):
    """All that is set about rules."""

    model_config = ConfigDict(extra="forbid")

    runbook_url: str = RUNBOOKS
    """Where the page of an alert is; `{alert}` stands for its name."""
    grafana_url: str = "http://127.0.0.1:3000"
    """Where the dashboards are."""
    alerts: dict[str, Change] = Field(default_factory=dict[str, Change])

    def of(self, alert: Alert) -> Change:
        """What is set about an alert."""
        return self.alerts.get(alert.name, _UNCHANGED)


def load(file: Path, alerts: Iterable[Alert]) -> RuleSettings:
    """Read the file. Raises `ConfigurationError` that names each wrong setting, the file and what is allowed."""
    try:
        given: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
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
    if wrong:
        raise ConfigurationError(f"{file}: {'; '.join(wrong)}")
    return settings


_SECTIONS: Final[dict[int | str, type[BaseModel]]] = {"alerts": Change}
"""What is set about each thing that a section names."""


def _told(error: ErrorDetails) -> str:
    """What pydantic found, in the words of the file."""
    where = ".".join(map(str, error["loc"]))
    match error["type"]:
        case "extra_forbidden":
            fields = (RuleSettings if len(error["loc"]) == 1 else _SECTIONS[error["loc"][0]]).model_fields
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
        f"grafana_url: {RuleSettings.model_fields['grafana_url'].default}",
        "",
        "alerts:",
    ]
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
