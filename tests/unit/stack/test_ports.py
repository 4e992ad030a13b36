"""Ports are chosen before anything starts, and one that cannot be had is told with what to do."""

from __future__ import annotations

import os
import socket

import pytest

from otel_trading import ConfigurationError
from otel_trading.stack.ports import choose, holder
from tests.harness import free_port


def test_a_port_that_is_free_is_the_one_that_was_wanted():
    wanted = {"prometheus": free_port(), "alertmanager": free_port()}
    assert choose(wanted) == wanted


def test_zero_is_any_that_is_free_and_each_is_another():
    chosen = choose(dict.fromkeys(("prometheus", "alertmanager", "otlp-http"), 0))
    assert len(set(chosen.values())) == 3
    for port in chosen.values():
        with socket.create_server(("127.0.0.1", port)):
            pass


def test_every_port_that_is_taken_is_named_with_its_option():
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        wanted = {"prometheus": one.getsockname()[1], "otlp-http": other.getsockname()[1]}
        with pytest.raises(ConfigurationError) as error:
            choose(wanted)
    for name, port in wanted.items():
        assert f"port {port} cannot be had" in str(error.value)
        assert f"--{name}-port" in str(error.value)


def test_one_port_for_two_is_told():
    port = free_port()
    with pytest.raises(
        ConfigurationError, match=f"port {port} cannot be had .it is that of --alertmanager-port.*--prometheus-port"
    ):
        choose({"alertmanager": port, "prometheus": port})


def test_who_has_a_port_is_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert f"process {os.getpid()}, listens there" in (holder(taken.getsockname()[1]) or "")


def test_a_port_that_nobody_has_has_no_holder():
    assert holder(free_port()) is None
