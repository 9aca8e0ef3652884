"""What every test of registration needs."""

import uuid
from typing import Any

import pytest


@pytest.fixture
def form() -> dict[str, Any]:
    """The fields of a registration that is right."""
    return {
        "client_id": str(uuid.uuid4()),
        "seized_at": "2026-11-01T03:12",
        "place": "Ak-Tilek, lane 3",
        "exhibits-0-category": "DRUG",
        "exhibits-0-seal": "00451879",
        "exhibits-0-quantity": "512,5",
        "exhibits-0-unit": "g",
        "exhibits-0-basis": "gross",
    }


@pytest.fixture
def registration() -> dict[str, Any]:
    """The same through JSON."""
    return {
        "client_id": str(uuid.uuid4()),
        "seized_at": "2026-11-01T03:12:00+06:00",
        "place": "Ak-Tilek, lane 3",
        "exhibits": [
            {"category": "DRUG", "quantity": "512.50", "unit": "g", "basis": "gross", "seal": "00451879"},
            {"category": "CURR", "quantity": "40", "unit": "pcs"},
        ],
    }
