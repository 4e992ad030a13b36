"""`otel-trading stack up --local` as the program that it is."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from otel_trading.stack.ports import DEFAULTS
from tests.harness.collector import collector_binary
from tests.harness.ports import LOOPBACK, free_port
from tests.harness.process import Process
from tests.harness.programs import require_program
from tests.harness.prometheus import Api

PROGRAM = Path(sys.executable).with_name("otel-trading")


class Stack(Process):
    """A stack on ports of its own, over a directory that `otel-trading stack init` has written.

    It looks for a bot at `bot` alone, else where there is none: at the usual address may be one that is not of this test.
    """

    def __init__(
        self,
        directory: Path,
        *arguments: str | Path,
        log: Path,
        bot: str | None = None,
        env: Mapping[str, str] | None = None,
        name: str = "stack",
    ) -> None:
        require_program("prometheus")
        require_program("prometheus-alertmanager")
        self.ports = {name: free_port() for name in DEFAULTS}
        self.stack = directory
        self.data = directory / "data" / "local"
        options = [f"--{name}-port={port}" for name, port in self.ports.items()]
        super().__init__(
            name,
            [PROGRAM, "stack", "up", "--local", directory, *options, f"--bot={bot or f'{LOOPBACK}:{free_port()}'}", *arguments],
            directory=log,
            env={"OTELCOL": str(collector_binary()), **(env or {})},
        )

    def ready(self) -> bool:
        return (self.data / "running.json").exists()

    def url(self, part: str) -> str:
        """Where a part is, by the name of its port."""
        return f"http://{LOOPBACK}:{self.ports[part]}"

    @property
    def prometheus(self) -> Api:
        return Api(self.url("prometheus"))

    @property
    def push(self) -> dict[str, str]:
        """The environment of a bot that pushes here."""
        return {"OTEL_METRICS_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_ENDPOINT": self.url("otlp-http")}

    def running_parts(self) -> dict[str, Any]:
        """What the stack says of itself to other programs."""
        return json.loads((self.data / "running.json").read_text())

    def interrupt(self) -> None:
        os.kill(self.pid, signal.SIGINT)
