"""What the processes write to their log: one JSON object a line, and never what people sent.

A traceback is written without the values of its variables: those hold session tokens, names and form fields.
"""

from __future__ import annotations

import structlog


def configure_logs() -> None:
    """Set up structlog for this process; safe to repeat."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ]
    )
