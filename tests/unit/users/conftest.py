"""Five existing systems whose users must be able to move here: each figure of theirs, by public calls, on a parsed scrape.

In each file what they call a thing stands beside what it is here. What this SDK does not compute is read by `observe` from what the
bot keeps.
"""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def without_settings_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
