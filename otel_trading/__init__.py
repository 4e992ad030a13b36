"""OpenTelemetry for trading bots."""
