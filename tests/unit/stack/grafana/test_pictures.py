"""The pictures of the dashboards in docs/ are those of the dashboards that there are."""

from __future__ import annotations

import re
from pathlib import Path

from tests.unit.stack.grafana.grafana import BOARDS

DOCS = Path(__file__).resolve().parents[4] / "docs"
LIMIT = 400 * 1024


def test_each_dashboard_has_one_picture_on_the_page_that_is_not_too_large():
    found = {picture.stem: picture.stat().st_size for picture in (DOCS / "images" / "dashboards").glob("*.png")}
    shown = re.findall(r"\(images/dashboards/([\w-]+)\.png\)", (DOCS / "dashboards.md").read_text(encoding="utf-8"))
    assert found.keys() == BOARDS.keys()
    assert sorted(shown) == sorted(found)
    assert max(found.values()) < LIMIT
