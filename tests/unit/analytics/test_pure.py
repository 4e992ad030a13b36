"""The mathematics stands alone."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import otel_trading.analytics

MODULES = sorted(Path(otel_trading.analytics.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_only_the_standard_library_is_imported(module: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add("." * node.level + (node.module or ""))
    assert {name.partition(".")[0] for name in imported} <= set(sys.stdlib_module_names)
