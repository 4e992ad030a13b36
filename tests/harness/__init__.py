"""Real programs for tests: the Collector, Prometheus, bots; started on free loopback ports and never left behind."""

from tests.harness.alertmanager import Alertmanager, Listener
from tests.harness.collector import Collector
from tests.harness.exposition import Sample, find, one, scrape
from tests.harness.forks import FORKED
from tests.harness.ports import BlackHole, free_port, refusing_port
from tests.harness.process import Process, wait_until
from tests.harness.programs import missing_program, require_program
from tests.harness.prometheus import Prometheus, job
from tests.harness.pushgateway import Pushgateway
from tests.harness.victoriametrics import VictoriaMetrics
from tests.harness.web import fetch

__all__ = [
    "FORKED",
    "Alertmanager",
    "BlackHole",
    "Collector",
    "Listener",
    "Process",
    "Prometheus",
    "Pushgateway",
    "Sample",
    "VictoriaMetrics",
    "fetch",
    "find",
    "free_port",
    "job",
    "missing_program",
    "one",
    "refusing_port",
    "require_program",
    "scrape",
    "wait_until",
]
