"""Examples of hypothesis may take as long as they take: how busy the machine is says nothing of the mathematics."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("without a deadline", deadline=None)
settings.load_profile("without a deadline")
