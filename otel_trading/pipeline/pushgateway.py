"""The exporter `pushgateway`: for a job that ends before anybody scrapes it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit

from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry, exposition

from otel_trading import redaction
from otel_trading.metrics import faults
from otel_trading.metrics.worker import Worker
from otel_trading.pipeline.readers import PullReader

_REQUEST_SECONDS = 5.0
_client: Any = exposition  # its handlers are untyped


class GatewayPusher:
    """Replaces the bot's group on a Pushgateway every `interval` seconds, and once more at the end."""

    url: str | None = None

    def __init__(self, url: str, resource: Resource, interval: float, *, delete_at_end: bool) -> None:
        self.reader = PullReader()
        self._registry = CollectorRegistry()
        self._registry.register(self.reader.exposition)
        address = urlsplit(url)
        self._where: dict[str, Any] = {
            "gateway": address._replace(netloc=address.netloc.rpartition("@")[2]).geturl(),
            "job": str(resource.attributes["service.name"]),
            "grouping_key": {"instance": str(resource.attributes["service.instance.id"])},
            "timeout": _REQUEST_SECONDS,
        }
        if address.username is not None:
            user, password = unquote(address.username), unquote(address.password or "")
            self._where["handler"] = partial(exposition.basic_auth_handler, username=user, password=password)
        self._last = self._delete if delete_at_end else self._push
        self._worker = Worker("pushgateway", every=interval, regular=self._push)
        self._ending: Future[bool | None] | None = None

    def start(self) -> None:
        self._worker.start()

    def flush(self) -> Future[bool | None]:
        """Push now; the result is whether it arrived."""
        return self._worker.submit(self._push)

    def stop(self) -> Future[bool | None]:
        """Push the last values, or remove the group, and stop."""
        if self._ending is None:
            self._ending = self._worker.submit(self._last)
            self._worker.stop()
        return self._ending

    def release(self) -> None:
        self._worker.stop()

    def begin_in_child(self) -> None:
        """The thread is not there."""

    def _push(self) -> bool:
        return self._sent(partial(_client.push_to_gateway, registry=self._registry, **self._where))

    def _delete(self) -> bool:
        return self._sent(partial(_client.delete_from_gateway, **self._where))

    def _sent(self, send: Callable[[], None]) -> bool:
        try:
            send()
        except OSError as error:  # nobody listens there, it does not answer in time, or it refuses
            faults.report("pushgateway", error, at=redaction.url(self._where["gateway"]))
            return False
        return True
