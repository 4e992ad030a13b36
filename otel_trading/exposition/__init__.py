"""What the bot shows: the HTTP endpoint."""
