"""What it costs, beside what the same costs with stock OpenTelemetry, prometheus_client and autometrics: `make bench`.

Every library runs in processes of its own, so that none carries another's objects through its garbage collections; the rounds
of the libraries alternate, so that what disturbs the machine disturbs them all.
"""
