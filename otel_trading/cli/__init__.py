"""The program `otel-trading`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

_INTERRUPTED = 130  # what a shell reports for a program that ended on Ctrl-C


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 when it worked, 1 when it failed, 2 when it was asked wrongly, 130 on Ctrl-C."""
    try:
        import click

        from otel_trading.cli.commands import group
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in {"click", "rich"}:
            raise
        sys.stderr.write(f"otel-trading needs {missing.name}: pip install 'otel-trading[cli]'\n")
        sys.exit(1)
    try:
        code = group.main(arguments, prog_name="otel-trading", standalone_mode=False)
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(wrong.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(_INTERRUPTED)
    sys.exit(code)
