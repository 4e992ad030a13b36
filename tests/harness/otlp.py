"""A sender of OTLP that hears each answer, for tests that are about the Collector and not about an SDK."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from pathlib import Path

import grpc
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import MetricsServiceStub
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource

OK = "OK"


class Sender:
    """Sends gauges of one resource to `endpoint`, without retries; with `ca` over TLS, with `identity` (certificate, key) mutual."""

    def __init__(
        self,
        protocol: str,
        endpoint: str,
        *,
        service: str = "bot",
        instance: str = "1",
        ca: Path | None = None,
        identity: tuple[Path, Path] | None = None,
        token: str | None = None,
    ) -> None:
        self._resource = Resource({"service.name": service, "service.instance.id": instance})
        self._endpoint = endpoint.replace("http://", "https://") if ca else endpoint
        self._ca = ca
        self._identity = identity
        self._authorization = f"Bearer {token}" if token else ""
        self.post = self._grpc if protocol == "grpc" else self._http

    def send(self, name: str, value: float, **attributes: str) -> str:
        """Send one value; return "OK", or the gRPC code or HTTP status of the refusal."""
        reader = InMemoryMetricReader()
        provider = MeterProvider([reader], resource=self._resource, shutdown_on_exit=False)
        provider.get_meter("sender").create_gauge(name).set(value, attributes)
        data = reader.get_metrics_data()
        provider.shutdown()
        if data is None:
            raise AssertionError("the SDK collected nothing")
        return self.post(encode_metrics(data))

    def _grpc(self, request: ExportMetricsServiceRequest) -> str:
        address = self._endpoint.split("//")[1]
        if self._ca:
            cert, key = (path.read_bytes() for path in self._identity) if self._identity else (None, None)
            channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(self._ca.read_bytes(), key, cert))
        else:
            channel = grpc.insecure_channel(address)
        metadata = [("authorization", self._authorization)] if self._authorization else []
        with channel:
            try:
                MetricsServiceStub(channel).Export(request, metadata=metadata, timeout=10)
            except grpc.RpcError as error:
                return error.code().name
        return OK

    def _http(self, request: ExportMetricsServiceRequest) -> str:
        headers = {"Content-Type": "application/x-protobuf"}
        if self._authorization:
            headers["Authorization"] = self._authorization
        post = urllib.request.Request(f"{self._endpoint}/v1/metrics", request.SerializeToString(), headers)
        context = ssl.create_default_context(cafile=self._ca) if self._ca else None
        if context and self._identity:
            context.load_cert_chain(*self._identity)
        try:
            with urllib.request.urlopen(post, timeout=10, context=context):
                return OK
        except urllib.error.HTTPError as error:
            with error:
                return str(error.code)
