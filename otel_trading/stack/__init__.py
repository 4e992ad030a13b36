"""What a deployment needs: Prometheus rules, Alertmanager, dashboards, the Collector, and the code that writes them out."""
