"""What all dashboards have in common: variables, annotations, links to each other, and how panels are laid out."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

from grafana_foundation_sdk.builders.dashboard import (
    AnnotationQuery,
    Dashboard,
    DashboardLink,
    DatasourceVariable,
    QueryVariable,
    Row,
)
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as d

from otel_trading.semconv import metrics as m
from otel_trading.stack.grafana.build.panels import SOURCE, Panel
from otel_trading.stack.grafana.build.queries import BREAKER, REASON, VARIABLES, counted, series, tell
from otel_trading.stack.promql import ACCOUNT, MODEL, STRATEGY, SYMBOL, VENUE, of

COLLECTOR: Final = "collector"
"""The variable that says which Collectors: their own series have another job than those of the bots."""
UP_OF_COLLECTOR: Final = '{__name__=~"otelcol_process_uptime.*"}'

_LABELS: Final = {
    "job": "Service",
    STRATEGY: "Strategy",
    ACCOUNT: "Account",
    VENUE: "Venue",
    SYMBOL: "Symbol",
    MODEL: "Model",
}
_ALL: Final = d.VariableOption(selected=True, text="All", value="$__all")


@dataclass(frozen=True)
class Section:
    """Panels under a heading, in lines of 24 columns."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Board:
    """A dashboard."""

    uid: str
    title: str
    about: str
    sections: tuple[Section, ...]
    span: str = "now-6h"
    """The time that it shows at first."""
    tags: tuple[str, ...] = field(default=("otel-trading",))


def written(board: Board) -> str:
    """The dashboard as Grafana's JSON."""
    frame = Dashboard(f"Trading / {board.title}").uid(board.uid).description(board.about).tags(list(board.tags))
    frame = frame.editable().timezone("browser").time(board.span, "now").refresh("30s").tooltip(d.DashboardCursorSync.CROSSHAIR)
    frame = frame.with_variable(_source())
    first = True
    for section in board.sections:
        if not first:
            frame = frame.with_row(Row(section.title))
        first = False
        for panel in section.panels:
            frame = frame.with_panel(panel)
    frame = frame.annotations([_trips(), _restarts()])
    asked = _text([frame.build().panels, frame.build().annotations])
    for label, name in VARIABLES.items():
        if f"${name}" in asked:
            frame = frame.with_variable(_variable(label))
    if f"${COLLECTOR}" in asked:
        frame = frame.with_variable(_chosen(COLLECTOR, "Collector", f"label_values({UP_OF_COLLECTOR}, job)", ".+"))
    frame = frame.link(_links())
    document: dict[str, Any] = json.loads(_text(frame.build()))
    for number, panel in enumerate(document["panels"], 1):
        panel["id"] = number
        # The builder writes the footer of older versions, which tables no longer have among their options.
        panel.get("options", {}).pop("footer", None)
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def _text(found: object) -> str:
    return json.dumps(found, cls=JSONEncoder)


def _source() -> DatasourceVariable:
    return DatasourceVariable("datasource").label("Data source").type("prometheus")


def _variable(label: str) -> QueryVariable:
    """The values that a label has; all of them also stand for series without it, as a venue is not known everywhere."""
    if label == "job":
        return _chosen("job", _LABELS["job"], f"label_values({of(m.PROCESS_UPTIME)}, job)", ".+")
    return _chosen(VARIABLES[label], _LABELS[label], f'label_values({{job=~"$job", {label}!=""}}, {label})', ".*")


def _chosen(name: str, title: str, asked: str, everything: str) -> QueryVariable:
    variable = QueryVariable(name).label(title).datasource(SOURCE).multi(True).include_all(True).all_value(everything)
    variable = variable.query({"query": asked, "refId": name}).definition(asked).current(_ALL)
    return variable.refresh(d.VariableRefresh.ON_TIME_RANGE_CHANGED).sort(d.VariableSort.ALPHABETICAL_ASC)


def _trips() -> AnnotationQuery:
    """When a circuit breaker tripped; counted, as one that closes soon is between two scrapes."""
    expr = f"{counted(m.CIRCUIT_BREAKER_TRIPS, 'job', BREAKER, REASON)} > 0"
    text = f"{tell(BREAKER)} of {tell('job')}: {tell(REASON)}"
    return _annotation("Breaker trips", "red", expr, "Circuit breaker tripped", text)


def _restarts() -> AnnotationQuery:
    uptime = series(m.PROCESS_UPTIME)
    expr = f"max by (job, instance) ({uptime} < 60 or resets({uptime}[$__rate_interval]) > 0)"
    return _annotation("Restarts", "blue", expr, "Bot started", "{{job}} at {{instance}}")


def _annotation(name: str, color: str, expr: str, title: str, text: str) -> AnnotationQuery:
    found = AnnotationQuery().name(name).datasource(SOURCE).enable(True).icon_color(color).expr(expr)
    return found.title_format(title).text_format(text).step("15s")


def _links() -> DashboardLink:
    """The other dashboards, with what is chosen here and the time that is shown."""
    link = DashboardLink("Trading").type(d.DashboardLinkType.DASHBOARDS).tags(["otel-trading"]).icon("external link")
    return link.as_dropdown(False).include_vars(True).keep_time(True).target_blank(False)
