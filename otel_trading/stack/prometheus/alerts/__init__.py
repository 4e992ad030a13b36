"""The alerts, a module for each area."""
