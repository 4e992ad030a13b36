"""Looks at a bot's surroundings and says what is missing or wrong, and how to mend it."""
