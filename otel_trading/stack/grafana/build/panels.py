"""The kinds of panels that the dashboards are made of, each with a title, a description, a unit and thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar

from grafana_foundation_sdk.builders import bargauge, common, gauge, heatmap, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.builders.dashboard import FieldColor, ThresholdsConfig
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.models import common as c
from grafana_foundation_sdk.models import dashboard as d
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

SOURCE: Final = c.DataSourceRef(type_val="prometheus", uid="$datasource")
GREEN, YELLOW, ORANGE, RED, BLUE, GRAY = "green", "yellow", "orange", "red", "blue", "text"
MONEY, SHARE, NUMBER, RATIO, SECONDS, BASIS_POINTS = "locale", "percentunit", "short", "none", "s", "suffix: bp"

Panel: TypeAlias = (
    "bargauge.Panel | gauge.Panel | heatmap.Panel | stat.Panel | statetimeline.Panel | table.Panel | timeseries.Panel"
)
P = TypeVar("P", bargauge.Panel, gauge.Panel, heatmap.Panel, stat.Panel, statetimeline.Panel, table.Panel, timeseries.Panel)
Steps: TypeAlias = Mapping[float, str]
"""The colour from each value on; `base` is that below the first."""


BREAKER: Final = {0: ("closed", GREEN), 1: ("OPEN", RED)}
"""The states of a circuit breaker. Its metric does not tell half-open from closed, nor whether it refuses orders."""
BREAKER_ABOUT: Final = (
    "OPEN: a rule of the breaker was broken. One that enforces now refuses new orders, one that only reports lets them pass."
    " Half-open counts as closed."
)


@dataclass(frozen=True)
class Ask:
    """An expression and what its series are called; the legend is a Grafana template over labels."""

    expr: str
    legend: str = ""


def steps(base: str = GREEN, at: Steps | None = None) -> ThresholdsConfig:
    """Thresholds: the colour below all of them, and that from each of them on."""
    found = [d.Threshold(value=None, color=base)]
    found += [d.Threshold(value=value, color=color) for value, color in sorted((at or {}).items())]
    return ThresholdsConfig().mode(d.ThresholdsMode.ABSOLUTE).steps(found)


def states(texts: Mapping[int, tuple[str, str]]) -> list[d.ValueMapping]:
    """The text and colour of each value of a state."""
    results = {
        str(value): d.ValueMappingResult(text=text, color=color, index=index)
        for index, (value, (text, color)) in enumerate(texts.items())
    }
    return [d.ValueMap(options=results)]


def _queries(asked: tuple[Ask, ...], *, instant: bool = False, form: PromQueryFormat | None = None) -> list[Any]:
    found: list[Any] = []
    for letter, ask in zip("ABCDEFGHIJ", asked, strict=False):
        query = Dataquery().ref_id(letter).datasource(SOURCE).expr(ask.expr).legend_format(ask.legend or "__auto")
        query = query.instant() if instant else query.range()
        found.append(query if form is None else query.format(form))
    return found


def _described(panel: P, title: str, about: str, unit: str, size: tuple[int, int], thresholds: ThresholdsConfig) -> P:
    width, height = size
    described = panel.title(title).description(about).unit(unit).span(width).height(height)
    return described.datasource(SOURCE).thresholds(thresholds)


def _last() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"]).values(False)


def number(
    title: str,
    about: str,
    *asked: Ask,
    unit: str,
    base: str = GREEN,
    at: Steps | None = None,
    size: tuple[int, int] = (4, 4),
    decimals: int | None = None,
    texts: Mapping[int, tuple[str, str]] | None = None,
    absent: str | None = None,
    line: bool = True,
    named: bool = False,
) -> stat.Panel:
    """The last value, large; with its course behind it unless it is a state. With `named` what it is called, not the value."""
    panel = _described(stat.Panel(), title, about, unit, size, steps(base, at)).targets(_queries(asked))
    panel = panel.reduce_options(_last()).color_mode(c.BigValueColorMode.VALUE).justify_mode(c.BigValueJustifyMode.AUTO)
    panel = panel.graph_mode(c.BigValueGraphMode.AREA if line and texts is None else c.BigValueGraphMode.NONE)
    panel = panel.text_mode(c.BigValueTextMode.NAME if named else c.BigValueTextMode.AUTO)
    panel = panel.orientation(c.VizOrientation.AUTO).wide_layout(True)
    if texts is not None:
        panel = panel.mappings(states(texts)).color_mode(c.BigValueColorMode.BACKGROUND)
    if decimals is not None:
        panel = panel.decimals(decimals)
    return panel if absent is None else panel.no_value(absent)


def dial(
    title: str,
    about: str,
    *asked: Ask,
    unit: str = SHARE,
    low: float = 0,
    high: float = 1,
    base: str = GREEN,
    at: Steps | None = None,
    size: tuple[int, int] = (4, 4),
    decimals: int | None = None,
    absent: str | None = None,
) -> gauge.Panel:
    """The last value between two ends."""
    panel = _described(gauge.Panel(), title, about, unit, size, steps(base, at)).targets(_queries(asked))
    panel = panel.min(low).max(high).reduce_options(_last()).show_threshold_markers(True).show_threshold_labels(False)
    if decimals is not None:
        panel = panel.decimals(decimals)
    return panel if absent is None else panel.no_value(absent)


def bars(
    title: str,
    about: str,
    *asked: Ask,
    unit: str,
    high: float | None = None,
    base: str = GREEN,
    at: Steps | None = None,
    size: tuple[int, int] = (8, 8),
    decimals: int | None = None,
    absent: str | None = None,
) -> bargauge.Panel:
    """The last values below each other."""
    panel = _described(bargauge.Panel(), title, about, unit, size, steps(base, at)).targets(_queries(asked, instant=True))
    panel = panel.min(0).reduce_options(_last()).orientation(c.VizOrientation.HORIZONTAL)
    panel = panel.display_mode(c.BarGaugeDisplayMode.BASIC).show_unfilled(True).value_mode(c.BarGaugeValueMode.COLOR)
    if high is not None:
        panel = panel.max(high)
    if decimals is not None:
        panel = panel.decimals(decimals)
    return panel if absent is None else panel.no_value(absent)


def course(
    title: str,
    about: str,
    *asked: Ask,
    unit: str,
    base: str = GREEN,
    at: Steps | None = None,
    size: tuple[int, int] = (8, 8),
    decimals: int | None = None,
    low: float | None = None,
    high: float | None = None,
    seen: float | None = None,
    stacked: bool = False,
    columns: bool = False,
    around_zero: bool = False,
    colors: Mapping[str, str] | None = None,
    absent: str | None = None,
    orders_of_magnitude: bool = False,
) -> timeseries.Panel:
    """Lines over time, or columns; thresholds are dashed lines, and `colors` are those of names.

    The axis goes to `seen` at least: else to 100 where all is 0.

    With `orders_of_magnitude` the axis is logarithmic: what is small stays visible beside what is large.
    """
    panel = _described(timeseries.Panel(), title, about, unit, size, steps(base, at)).targets(_queries(asked))
    panel = panel.line_width(1).fill_opacity(60 if columns else 8).show_points(c.VisibilityMode.AUTO).span_nulls(600_000)
    panel = panel.draw_style(c.GraphDrawStyle.BARS if columns else c.GraphDrawStyle.LINE)
    panel = panel.color_scheme(FieldColor().mode(d.FieldColorModeId.PALETTE_CLASSIC)).axis_centered_zero(around_zero)
    if columns or stacked:
        panel = panel.axis_soft_min(0)
    if columns:
        panel = panel.interval("1m")  # closer together they would show an event more than once
    if at:
        panel = panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(c.GraphThresholdsStyleMode.DASHED))
    if stacked:
        panel = panel.stacking(common.StackingConfig().mode(c.StackingMode.NORMAL).group("A"))
    legend = common.VizLegendOptions().display_mode(c.LegendDisplayMode.LIST).placement(c.LegendPlacement.BOTTOM)
    panel = panel.legend(legend.show_legend(True).calcs(["lastNotNull"]))
    panel = panel.tooltip(common.VizTooltipOptions().mode(c.TooltipDisplayMode.MULTI).sort(c.SortOrder.DESCENDING))
    for name, color in (colors or {}).items():
        panel = panel.override_by_name(name, [d.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": color})])
    if any("{{instance}}" in ask.legend for ask in asked):
        panel = panel.with_transformation(_short_instances())
    if orders_of_magnitude:
        panel = panel.scale_distribution(common.ScaleDistributionConfig().type(c.ScaleDistribution.LOG).log(10))
    if decimals is not None:
        panel = panel.decimals(decimals)
    if low is not None:
        panel = panel.min(low)
    if seen is not None:
        panel = panel.axis_soft_max(seen)
    if absent is not None:
        panel = panel.no_value(absent)
    return panel if high is None else panel.max(high)


def _short_instances() -> d.DataTransformerConfig:
    """An instance that is a UUID is told by the first part of it: the whole would leave no room for the values."""
    found = {"regex": "/([0-9a-f]{8})(-[0-9a-f]{4}){3}-[0-9a-f]{12}/", "renamePattern": "$1"}
    return d.DataTransformerConfig(id_val="renameByRegex", options=found)


def heat(
    title: str, about: str, asked: Ask, *, unit: str, size: tuple[int, int] = (12, 9), absent: str | None = None
) -> heatmap.Panel:
    """How many values fell into each bucket of a histogram, over time."""
    panel = _described(heatmap.Panel(), title, about, unit, size, steps(BLUE))
    panel = panel.targets(_queries((asked,), form=PromQueryFormat.HEATMAP)).calculate(False).cell_gap(1)
    color = heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Oranges").steps(64).exponent(0.5)
    panel = panel.color(color.fill("dark-orange").reverse(False)).y_axis(heatmap.YAxisConfig().unit(unit))
    panel = panel.filter_values(heatmap.FilterValueRange().le(1e-9)).show_legend()
    panel = panel.tooltip(heatmap.HeatmapTooltip().mode(c.TooltipDisplayMode.SINGLE).y_histogram(True))
    return panel if absent is None else panel.no_value(absent)


def timeline(
    title: str,
    about: str,
    *asked: Ask,
    texts: Mapping[int, tuple[str, str]],
    size: tuple[int, int] = (12, 6),
    absent: str | None = None,
) -> statetimeline.Panel:
    """Which state it was in, over time."""
    panel = _described(statetimeline.Panel(), title, about, NUMBER, size, steps(GRAY)).targets(_queries(asked))
    legend = common.VizLegendOptions().display_mode(c.LegendDisplayMode.LIST).placement(c.LegendPlacement.BOTTOM)
    panel = panel.mappings(states(texts)).merge_values(True).show_value(c.VisibilityMode.NEVER).fill_opacity(80)
    panel = panel.row_height(0.8).legend(legend.show_legend(False)).line_width(0)
    return panel if absent is None else panel.no_value(absent)


@dataclass(frozen=True)
class Column:
    """A column of a table: an expression whose value is in it."""

    title: str
    expr: str
    unit: str
    base: str = GRAY
    at: Steps | None = None
    decimals: int | None = None
    texts: Mapping[int, tuple[str, str]] | None = None


def rows(
    title: str,
    about: str,
    labels: Mapping[str, str],
    *columns: Column,
    size: tuple[int, int] = (24, 8),
    link: tuple[str, str, str] | None = None,
    absent: str | None = None,
) -> table.Panel:
    """A row for each series, its labels under these titles, and a column for each expression over the same labels.

    `link` is the title of a column, and the title and address of what its cells lead to.
    """
    panel = _described(table.Panel(), title, about, NUMBER, size, steps(GRAY))
    asked = tuple(Ask(column.expr) for column in columns)
    panel = panel.targets(_queries(asked, instant=True, form=PromQueryFormat.TABLE)).show_header(True)
    panel = panel.cell_height(c.TableCellHeight.SM).min_width(80)
    values = [f"Value #{letter}" if len(columns) > 1 else "Value" for letter, _ in zip("ABCDEFGHIJ", columns, strict=False)]
    names = {**labels, **{value: column.title for value, column in zip(values, columns, strict=True)}}
    order = {name: index for index, name in enumerate(names)}
    if len(columns) > 1:
        panel = panel.with_transformation(d.DataTransformerConfig(id_val="merge", options={}))
    organized = {"excludeByName": {"Time": True}, "indexByName": order, "renameByName": names}
    panel = panel.with_transformation(d.DataTransformerConfig(id_val="organize", options=organized))
    for column in columns:
        # What the whole table says when it is empty, its cells would say too.
        properties = [d.DynamicConfigValue("unit", column.unit), d.DynamicConfigValue("noValue", "-")]
        if column.decimals is not None:
            properties.append(d.DynamicConfigValue("decimals", column.decimals))
        if column.texts is not None:
            properties.append(d.DynamicConfigValue("mappings", states(column.texts)))
        if column.at or column.texts:
            properties.append(d.DynamicConfigValue("thresholds", steps(column.base, column.at).build()))
            properties.append(d.DynamicConfigValue("custom.cellOptions", {"type": "color-text"}))
        panel = panel.override_by_name(column.title, properties)
    if link is not None:
        name, text, address = link
        links = [{"title": text, "url": address, "targetBlank": True}]
        panel = panel.override_by_name(name, [d.DynamicConfigValue("links", links)])
    return panel if absent is None else panel.no_value(absent)
