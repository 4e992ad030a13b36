"""Draws what was found as bars, each group against its longest."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from benchmarks.report import short
from benchmarks.results import AUTOMETRICS, OURS, PROMETHEUS, STOCK, STOCK_OBSERVABLE, Figure, Outcome

_COLORS = {OURS: "#0891b2", STOCK: "#f59e0b", STOCK_OBSERVABLE: "#b45309", PROMETHEUS: "#94a3b8", AUTOMETRICS: "#c084fc"}
_OTHER = "#cbd5e1"

_WIDTH, _LEFT, _RIGHT = 900, 230, 170
_BAR, _STEP, _TITLE, _GAP = 13, 17, 24, 14

_SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" \
font-family="system-ui, -apple-system, 'Segoe UI', sans-serif" font-size="12">
  <title>What it costs, beside other libraries: shorter is better</title>
  <rect width="{width}" height="{height}" fill="#ffffff"/>
  <text x="20" y="28" font-size="15" font-weight="600" fill="#0f172a">Shorter is better</text>
{groups}
</svg>
"""
_GROUP = '  <text x="20" y="{y}" font-weight="600" fill="#0f172a">{title}</text>'
_ROW = """\
  <text x="{name_x}" y="{text_y}" text-anchor="end" fill="#475569">{name}</text>
  <rect x="{x}" y="{y}" width="{length:.1f}" height="{bar}" fill="{color}"/>
  <text x="{value_x:.1f}" y="{text_y}" fill="#0f172a">{value}</text>"""


def svg(outcomes: Iterable[Outcome]) -> str:
    """Return the picture of all figures that belong into it."""
    lines: list[str] = []
    y = 44
    for outcome in outcomes:
        for what in outcome.pictured:
            figures = [figure for figure in outcome.figures if figure.what == what]
            lines.append(_GROUP.format(y=y + 12, title=escape(f"{outcome.title}: {what}")))
            y += _TITLE
            longest = max(figure.value for figure in figures)
            for figure in figures:
                lines.append(_row(figure, y, longest))
                y += _STEP
            y += _GAP
    return _SVG.format(width=_WIDTH, height=y, groups="\n".join(lines))


def _row(figure: Figure, y: int, longest: float) -> str:
    length = max(1.0, (_WIDTH - _LEFT - _RIGHT) * max(figure.value, 0) / longest) if longest > 0 else 1.0
    return _ROW.format(
        name=escape(figure.library),
        name_x=_LEFT - 8,
        x=_LEFT,
        y=y,
        text_y=y + _BAR - 2,
        length=length,
        bar=_BAR,
        color=_COLORS.get(figure.library, _OTHER),
        value_x=_LEFT + length + 6,
        value=escape(f"{short(figure.value)} {figure.unit}"),
    )
