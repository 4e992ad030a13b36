"""Recording rules, alerts and their thresholds, as Prometheus reads them."""
