"""The configuration as it is shipped, and as it is when a user has filled it in."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import otel_trading.stack
from tests.harness import require_program

FILES = Path(otel_trading.stack.__file__).parent / "files" / "alertmanager"
CONFIG = FILES / "alertmanager.yml"

_SECRETS = {
    "telegram-bot-token": "bot_token",
    "webhook-url": "url",
    "watchdog-url": "url",
}
"""Files of secrets since 0.26, and the settings that take the secret itself before."""


def copy(directory: Path) -> Path:
    """Copy all files as a user has them; return the path of the configuration."""
    shutil.copytree(FILES, directory / "alertmanager")
    secrets_of(directory).mkdir(parents=True)
    return directory / "alertmanager" / CONFIG.name


def secrets_of(directory: Path) -> Path:
    return directory / "secrets" / "alertmanager"


def filled_in() -> str:
    """The configuration with `# ` taken away before each channel, under `receivers` and nowhere else."""
    before, receivers, rest = re.split(r"^(?=receivers:|# What need not be said)", CONFIG.read_text(), flags=re.MULTILINE)
    return before + re.sub(r"^  #   ", "    ", receivers, flags=re.MULTILINE) + rest


def of_a_market_that_closes(job: str) -> str:
    """The configuration with `# ` taken away before its routes and times, for bots of this job."""
    text = CONFIG.read_text().replace("STOCK-BOT", job)
    before, intervals, rest = re.split(r"^(?=# time_intervals:|receivers:)", text, flags=re.MULTILINE)
    before = re.sub(r"^    # (  |- )", r"    \1", before, flags=re.MULTILINE)
    return before + re.sub(r"^# ", "", intervals, flags=re.MULTILINE) + rest


def with_secrets(text: str, directory: Path, **secrets: str) -> str:
    """Write each secret into its file; where Alertmanager is too old to read one from there, into the text, as that says."""
    old = _version() < (0, 26)
    for name, secret in secrets.items():
        (secrets_of(directory) / name).write_text(secret)
    for name, setting in _SECRETS.items():
        if old and name in secrets:
            text = text.replace(f"{setting}_file: ../secrets/alertmanager/{name}", f"{setting}: {secrets[name]}")
    return text


def amtool(*arguments: str | Path) -> tuple[int, str]:
    """Return the exit status and all that it printed."""
    done = subprocess.run([require_program("amtool"), *arguments], capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout + done.stderr


def _version() -> tuple[int, ...]:
    """The version; that of a build without one is taken as new."""
    found = re.search(r"version (\d+)\.(\d+)", amtool("--version")[1])
    return tuple(map(int, found.groups())) if found else (1,)
