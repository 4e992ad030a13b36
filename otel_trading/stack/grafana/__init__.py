"""Grafana dashboards over the registry's metrics: as files, as provisioning, and into a running Grafana."""
