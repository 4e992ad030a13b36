"""The exceptions of this package: nothing else of ours reaches a caller."""


class ConfigurationError(ValueError):
    """Something is wrong with what the program was told before anything started: a setting, a taken port, a clash of names."""
