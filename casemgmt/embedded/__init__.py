"""The one-machine default: PostgreSQL from its wheel, local storage and generated keys under one data directory."""
