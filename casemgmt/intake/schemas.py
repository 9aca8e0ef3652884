"""What comes in when things are seized."""

from __future__ import annotations

from typing import Annotated

import msgspec

from casemgmt.exhibits.rules import MOST
from casemgmt.exhibits.schemas import NewExhibit
from casemgmt.seizures.schemas import NewSeizure


class Registration(NewSeizure, kw_only=True):
    """A seizure with what was seized, at least one exhibit."""

    exhibits: Annotated[list[NewExhibit], msgspec.Meta(max_length=MOST)]
