"""What comes in about an exhibit."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import msgspec

Code = Annotated[str, msgspec.Meta(max_length=40)]


class NewExhibit(msgspec.Struct, kw_only=True):
    """``basis`` says how the quantity was found. Left out: counted for whole units, not weighed without a quantity."""

    category: Code
    quantity: Decimal | None = None
    unit: Code | None = None
    basis: Code | None = None
    description: Annotated[str, msgspec.Meta(max_length=4000)] = ""
    seal: Annotated[str, msgspec.Meta(max_length=60)] | None = None
    value: Decimal | None = None
    currency: Annotated[str, msgspec.Meta(max_length=3)] | None = None
