"""`python -m otel_trading.cli` is `otel-trading`."""

from otel_trading.cli import main

main()
