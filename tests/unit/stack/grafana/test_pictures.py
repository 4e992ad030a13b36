"""The pictures of the dashboards in docs/ are those of the dashboards that there are."""

from __future__ import annotations

import re
from pathlib import Path

from tests.unit.stack.grafana.grafana import BOARDS

ROOT = Path(__file__).resolve().parents[4]
DOCS = ROOT / "docs"
LIMIT = 400 * 1024


def test_each_dashboard_has_one_picture_on_the_page_that_is_not_too_large():
    found = {picture.stem: picture.stat().st_size for picture in (DOCS / "images" / "dashboards").glob("*.png")}
    assert found.keys() == BOARDS.keys()
    assert sorted(shown(DOCS / "dashboards.md")) == sorted(found)
    assert max(found.values()) < LIMIT


def test_the_readme_has_the_picture_of_each_dashboard_and_leads_to_the_large_one():
    assert sorted(shown(ROOT / "README.md")) == sorted(BOARDS)
    headings = re.findall(r"^### (.+)$", (DOCS / "dashboards.md").read_text(encoding="utf-8"), re.MULTILINE)
    led = re.findall(r"\(docs/dashboards\.md#([\w-]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert sorted(led) == sorted(heading.lower().replace(" ", "-") for heading in headings)


def shown(page: Path) -> list[str]:
    """The dashboards whose pictures are on a page."""
    return re.findall(r"\((?:docs/)?images/dashboards/([\w-]+)\.png\)", page.read_text(encoding="utf-8"))
