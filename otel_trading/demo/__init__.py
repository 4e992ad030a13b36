"""A paper-trading bot on real prices: what `otel-trading demo` runs."""
