"""Streaming mathematics of trading: pure classes and functions that know nothing of metrics.

Every class has `dump`, which returns what JSON can hold, and `load`, which makes of it an object that goes on exactly as the
dumped one would have. What cannot be said (too few observations, a denominator of zero) is None, never 0 and never NaN.
docs/analytics.md has the formulas and their sources. Not thread-safe: the owner has a lock.
"""
