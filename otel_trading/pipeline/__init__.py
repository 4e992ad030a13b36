"""Settings, exporters, and the one Telemetry object that starts and stops."""
