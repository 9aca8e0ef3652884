"""Addresses that several pages lead to."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from casemgmt.core.codes import Codes
from casemgmt.exhibits.models import Exhibit


def hand_over(exhibits: Sequence[Exhibit], holder_id: int, codes: Codes) -> str | None:
    """Where the holder offers those of the exhibits that they hold and have not offered; None when there are none."""
    mine = [codes.encode("exhibit", e.id) for e in exhibits if e.holder_id == holder_id and e.offered_to is None]
    return f"/hand-overs/new?{urlencode([('exhibit', code) for code in mine])}" if mine else None


def print_labels(exhibits: Sequence[Exhibit], codes: Codes) -> str:
    """Where the labels of these exhibits are printed."""
    return f"/labels?{urlencode([('exhibit', codes.encode('exhibit', e.id)) for e in exhibits])}"
