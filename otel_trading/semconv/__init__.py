"""The vocabulary: `registry/*.yaml` says what every metric and attribute means; the modules here are generated from it."""
