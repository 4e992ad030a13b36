"""Service level objectives: how much may be slow or fail, and alerts when that is used up too fast.

The alerts are those of chapter 5 of the Site Reliability Workbook (Google, 2018), "Multiwindow, Multi-Burn-Rate Alerts". A burn
rate of 1 uses up in 30 days exactly what the objective allows; one of 14.4 uses up a fiftieth of it within an hour. Of the two
windows the long one says that it matters, the short one that it still goes on. The workbook's service has many requests; a bot
may have few, so nothing is said before there were ten in the long window.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from otel_trading.exposition.naming import label_name
from otel_trading.semconv import attributes as a
from otel_trading.semconv import metrics as m
from otel_trading.semconv.spec import Metric
from otel_trading.stack.prometheus.model import Alert, Group, Record, Severity, told, told_if, value
from otel_trading.stack.prometheus.settings import LatencyObjective, Slos
from otel_trading.stack.promql import MODEL, STRATEGY, VENUE, buckets, count

WINDOWS: Final = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
"""Over which the share of bad events is recorded."""

_FAST: Final = ((14.4, "5m", "1h"), (6, "30m", "6h"))
"""Burn rates that wake somebody, each with its short and its long window."""
_SLOW: Final = ((3, "2h", "1d"), (1, "6h", "3d"))
"""Burn rates that are looked at today."""

SLO: Final = "slo"
"""The label that names an objective."""
OBJECTIVE: Final = "slo:objective:ratio"
"""The share of good events that each objective asks for, as the settings say it: for dashboards."""

_ERROR: Final = label_name(a.ERROR_TYPE)
_ANSWERED: Final = f'{_ERROR}=""'
_SUBMIT: Final = f'{label_name(a.ORDER_OPERATION)}="submit"'
_OWN_FAULTS: Final = "invalid_request|insufficient_funds|canceled"
"""Errors of orders that say nothing of the way to the venue and back."""


@dataclass(frozen=True)
class Slo:
    """An objective for a share of events."""

    name: str
    """In lower case, as the label `slo` has it."""
    objective: float
    labels: str
    """The labels by which events are told apart."""
    total: str
    """The counter of all events, with its matchers."""
    bad: str | None
    """The counter of bad events. None where there is one of good events."""
    good: str | None
    what: str
    """Which events are bad, in words, after their share."""

    def alerts(self) -> tuple[Alert, Alert]:
        """The alert for what is used up within hours, and that for what is used up within days."""
        name = "Trading" + "".join(word.capitalize() for word in self.name.split("-"))
        words = self.name.replace("-", " ")
        allowed = f"{1 - self.objective:.4g} is allowed, as a fraction"

        def alert(speed: str, burns: tuple[tuple[float, str, str], ...], time: str, severity: Severity) -> Alert:
            return Alert(
                name=f"{name}Burning{speed}",
                expr=" or ".join(self._burning(*burn) for burn in burns),
                summary=f"The objective of {words} is missed: at this rate what it allows in a month is gone within {time}.",
                description=f"{value('humanizePercentage')} of the {self.what}; {allowed}.",
                dashboard=f"trading-{'orders' if words.startswith('order') else 'inference'}",
                severity=severity,
            )

        return alert("Fast", _FAST, "days", "critical"), alert("Slowly", _SLOW, "weeks", "warning")

    def records(self) -> tuple[Record, ...]:
        """The objective, and the share of bad events in each window."""
        asked = Record(OBJECTIVE, f"vector({self.objective:g})", "Share of good events that is asked for.", {SLO: self.name})
        return asked, *(
            Record(
                recorded(window),
                self._share(window),
                f"Share of the events of the objective that were bad, over {window}; absent when there was none.",
                {SLO: self.name},
            )
            for window in WINDOWS
        )

    def _share(self, window: str) -> str:
        total = self._rate(self.total, window)
        if self.bad:  # its series begin with the first of them
            return f"({self._rate(self.bad, window)} or {total} * 0) / ({total} > 0)"
        return f"1 - {self._rate(str(self.good), window)} / ({total} > 0)"

    def _rate(self, counter: str, window: str) -> str:
        return f"sum by ({self.labels}) (rate({counter}[{window}]))"

    def _burning(self, rate: float, short: str, long: str) -> str:
        own, share = f'{{{SLO}="{self.name}"}}', f"{rate * (1 - self.objective):.6g}"
        enough = f"sum by ({self.labels}) (increase({self.total}[{long}])) > 9.5"
        return f"{recorded(short)}{own} > {share} and {recorded(long)}{own} > {share} and on ({self.labels}) {enough}"


def slos(settings: Slos) -> tuple[Slo, ...]:
    """The objectives that are set."""
    sender, model = f"job, {STRATEGY}, {VENUE}", f"job, {MODEL}"
    orders = f"orders of {told_if(STRATEGY, after=' of ')}{told('job')} at {told(VENUE)}"
    models = f"inferences of {told(MODEL)} of {told('job')}"
    durations = count(m.ORDER_DURATION)
    return (
        _latency("order-latency", settings.order_latency, m.ORDER_DURATION, (_SUBMIT, _ANSWERED), sender, orders),
        Slo(
            "order-errors",
            settings.order_errors.objective,
            sender,
            total=f'{durations}{{{_SUBMIT}, {_ERROR}!~"{_OWN_FAULTS}"}}',
            bad=f'{durations}{{{_SUBMIT}, {_ERROR}!~"|{_OWN_FAULTS}"}}',  # nor none at all
            good=None,
            what=f"{orders} did not get through to the venue",
        ),
        _latency("inference-latency", settings.inference_latency, m.INFERENCE_DURATION, (_ANSWERED,), model, models),
    )


def _latency(name: str, set_: LatencyObjective, metric: Metric, which: tuple[str, ...], labels: str, what: str) -> Slo:
    """What may be slow of that which was answered."""
    return Slo(
        name,
        set_.objective,
        labels,
        total=f"{count(metric)}{{{', '.join(which)}}}",
        bad=None,
        good=f"{buckets(metric)}{{{', '.join((*which, _bound(set_.seconds)))}}}",
        what=f"{what} took longer than {set_.seconds:g} s",
    )


def _bound(seconds: float) -> str:
    """The bucket up to a bound, which Python and Prometheus 3 write as `1.0`, the Collector as `1`."""
    text = repr(float(seconds))
    short = text.removesuffix(".0")
    return f'le="{text}"' if short == text else f'le=~"{short}|{short}[.]0"'


def recorded(window: str) -> str:
    """The series of the share of bad events in a window."""
    return f"slo:sli_error:ratio_rate{window}"


def groups(settings: Slos) -> tuple[Group, ...]:
    """A group for each objective."""
    return tuple(Group(f"trading-{slo.name}-objective-alerts", (*slo.records(), *slo.alerts())) for slo in slos(settings))
