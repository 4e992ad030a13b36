"""Other people's libraries, watched through OpenTelemetry's own instrumentations with secrets taken out."""
