from __future__ import annotations

from tests.unit.stack.prometheus.cases import Cases

CASES: Cases = {}
