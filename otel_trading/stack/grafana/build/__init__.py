"""Builds the dashboards that come with the package; needs `grafana-foundation-sdk`, which no user of them does."""
