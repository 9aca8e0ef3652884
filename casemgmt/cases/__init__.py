"""Case files: who works on them, which seizures they hold, how they hang together."""
