"""Streaming mathematics of trading: pure classes and functions that know nothing of metrics."""
