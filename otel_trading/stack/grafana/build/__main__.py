"""`python -m otel_trading.stack.grafana.build` writes the dashboards that come with the package."""

from __future__ import annotations

from pathlib import Path

from otel_trading.stack.grafana.build import fleet, inference, orders, overview, risk, sdk, venue
from otel_trading.stack.grafana.build.frame import written

FOLDER = Path(__file__).parents[1] / "dashboards"
BOARDS = tuple(page.BOARD for page in (overview, orders, risk, inference, venue, fleet, sdk))


def texts() -> dict[str, str]:
    """The name and the text of each file."""
    return {f"{board.uid}.json": written(board) for board in BOARDS}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, text in texts().items():
        (FOLDER / name).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
