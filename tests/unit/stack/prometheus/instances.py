"""Whether an expression adds up gauges of several instances, which may be one bot that was moved or restarted."""

from __future__ import annotations

from collections.abc import Mapping

import promql_parser
from promql_parser import (
    AggModifierType,
    AggregateExpr,
    BinaryExpr,
    Call,
    Expr,
    MatrixSelector,
    ParenExpr,
    SubqueryExpr,
    UnaryExpr,
    VectorSelector,
)

from otel_trading.exposition.naming import family_name
from otel_trading.semconv.metrics import ALL
from otel_trading.semconv.reader import load_foreign
from tests.unit.stack.prometheus import vocabulary

SUMMED_NEVER = {"gauge", "updowncounter"}
GAUGES = {family_name(metric.name, metric.unit, counter=False) for metric in ALL.values() if metric.kind in SUMMED_NEVER} | {
    family_name(metric["name"], metric["unit"], counter=False)
    for group in load_foreign()
    for metric in group["metrics"]
    if metric["instrument"] in SUMMED_NEVER
}
HAPPENED = {"changes", "resets", "count_over_time", "absent", "absent_over_time", "vector", "time"}
"""Functions whose values are no longer those of the gauge."""
ADDING = {"sum", "avg", "stddev", "stdvar"}


def added_up(expression: str, recorded: Mapping[str, str] | None = None) -> list[str]:
    """The aggregations that add gauges up over instances; `recorded` are the expressions of rules by name."""
    found: list[str] = []
    rules = recorded or {}

    def gauges(node: Expr) -> set[str]:
        """Those whose values, one for each instance, are the result's."""
        match node:
            case VectorSelector():
                names = vocabulary.used(str(node)).names
                made = (gauges(promql_parser.parse(rules[name])) for name in names & rules.keys())
                return (names & GAUGES).union(*made)
            case MatrixSelector():
                return gauges(node.vector_selector)
            case SubqueryExpr() | ParenExpr() | UnaryExpr():
                return gauges(node.expr)
            case Call():
                inside = set[str]().union(*map(gauges, node.args))
                return set() if node.func.name in HAPPENED else inside
            case BinaryExpr():
                right = gauges(node.rhs)  # also where its values do not count, an aggregation in it does
                return gauges(node.lhs) | (right if str(node.op) not in {"and", "unless"} else set())
            case AggregateExpr():
                inside = gauges(node.expr)
                if _told_apart(node) or not inside:
                    return inside
                if str(node.op) in ADDING:
                    found.append(str(node))
                return set()
            case _:
                return set()

    gauges(promql_parser.parse(expression))
    return found


def _told_apart(node: AggregateExpr) -> bool:
    """Whether instances stay apart."""
    if node.modifier is None:
        return False
    return ("instance" in node.modifier.labels) == (node.modifier.type == AggModifierType.By)
