"""The exporter `pushgateway`: for a job that ends before anybody scrapes it."""

from __future__ import annotations

import threading

from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry, exposition

from otel_trading.metrics import faults

_REQUEST_SECONDS = 5.0


class GatewayPusher:
    """Replaces the bot's group on a Pushgateway every `interval` seconds, and once more at the end."""

    def __init__(
        self, url: str, registry: CollectorRegistry, resource: Resource, interval: float, *, delete_at_end: bool
    ) -> None:
        self._url = url
        self._registry = registry
        self._job = str(resource.attributes["service.name"])
        self._group = {"instance": str(resource.attributes["service.instance.id"])}
        self._interval = interval
        self._delete_at_end = delete_at_end
        self._pushing = threading.Lock()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="otel-trading-pushgateway", daemon=True)
        self.delivered = True
        """Whether the last push arrived."""

    def start(self) -> None:
        self._thread.start()

    def push(self) -> bool:
        """Push now and return whether it arrived."""
        self.delivered = bool(self._push())
        return self.delivered

    def stop(self, timeout: float) -> None:
        """Push the last values (or remove the group), within `timeout` seconds."""
        self._ending.set()
        self._thread.join(timeout)

    def _run(self) -> None:
        while not self._ending.wait(self._interval):
            self.push()
        if self._delete_at_end:
            self._delete()
        else:
            self.push()

    @faults.contained("pushgateway")
    def _push(self) -> bool:
        with self._pushing:
            exposition.push_to_gateway(  # pyright: ignore[reportUnknownMemberType] - its handler is untyped
                self._url, self._job, self._registry, self._group, timeout=_REQUEST_SECONDS
            )
        return True

    @faults.contained("pushgateway")
    def _delete(self) -> None:
        exposition.delete_from_gateway(  # pyright: ignore[reportUnknownMemberType] - its handler is untyped
            self._url, self._job, self._group, timeout=_REQUEST_SECONDS
        )
