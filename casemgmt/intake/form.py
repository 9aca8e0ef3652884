"""The registration form: what it shows at first, and how what was typed becomes a registration."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

import msgspec

from casemgmt.core.clock import utcnow
from casemgmt.core.errors import Invalid
from casemgmt.core.formats import localise, offset_name
from casemgmt.core.i18n import N_, Text, gettext
from casemgmt.core.parse import parse
from casemgmt.core.web.forms import Fields, nested
from casemgmt.exhibits.models import Exhibit
from casemgmt.intake.schemas import Registration
from casemgmt.reference.lists import CATEGORIES, CONVEYANCES, DETECTION_METHODS, PHOTO_POINTS, QUANTITY_BASES, UNITS
from casemgmt.seizures.models import Conveyance, Participant, Seizure
from casemgmt.seizures.rules import Post

Values = dict[str, Any]

# What the device says of itself comes under the names of the shared form parts.
_CLAIMS = {
    "device_time": "device_at",
    "place_latitude": "latitude",
    "place_longitude": "longitude",
    "place_accuracy": "accuracy_m",
}
# What stands on the first screen; an error anywhere else opens "More details".
_FIRST_SCREEN = {
    "client_id", "seized_at", "place", "photos", "exhibits-0-category", "exhibits-0-seal", "exhibits-0-quantity",
    "exhibits-0-unit", "exhibits-0-basis",
}  # fmt: skip
_ROWS = frozenset({"exhibits", "participants", "conveyances"})
_WHAT = N_("Say what was seized.")


def first_values(post: Post, place: str, zone: tzinfo) -> Values:
    """A form nobody has touched: a new identifier, the time now, the post's own place."""
    return {
        "client_id": str(uuid.uuid4()),
        "seized_at": utcnow().astimezone(zone).strftime("%Y-%m-%dT%H:%M"),
        "place": place or post.name,
    }


def values_like(
    seizure: Seizure, exhibits: Sequence[Exhibit], people: Sequence[Participant], conveyances: Sequence[Conveyance]
) -> Values:
    """What a second registration at the same truck keeps from the first: all but the things and their numbers."""
    return {
        "place": seizure.place,
        "direction": seizure.direction or "",
        "detection": seizure.detection or "",
        "ground": seizure.ground,
        "exhibits": [{"category": exhibits[0].category}] if exhibits else [],
        "participants": [
            {"role": p.role, "name": p.name, "document": p.document, "address": p.address, "note": p.note}
            for p in people
        ],
        "conveyances": [{"kind": c.kind, "identifier": c.identifier, "country": c.country} for c in conveyances],
    }


def values_of(fields: Fields) -> Values:
    """What was typed, for reading it and for showing it again."""
    return {name: value for name, value in nested(fields).items() if name not in _ROWS or isinstance(value, list)}


def read(values: Values, zone: tzinfo) -> Registration:
    """Raises Invalid. ``zone`` is that of the time typed into the form, which has none of its own."""
    given = {_CLAIMS.get(name, name): value for name, value in values.items()}
    given["exhibits"] = given.get("exhibits") or [{}]
    given["seized_at"] = _with_zone(str(given.get("seized_at", "")), zone)
    try:
        return parse(Registration, given, lax=True)
    except Invalid as error:
        what = {"exhibits.0.category": _WHAT} if "exhibits.0.category" in error.fields else {}
        raise Invalid({**error.fields, **what}) from error


def shown_again(values: Values) -> Values:
    """What was typed; an identifier that is none is replaced, because no person could mend it."""
    try:
        uuid.UUID(str(values.get("client_id", "")))
    except ValueError:
        return {**values, "client_id": str(uuid.uuid4())}
    return values


def shown_errors(errors: Mapping[str, Text]) -> dict[str, Text]:
    """Errors under the names of the form's inputs."""
    inputs = {field: claim for claim, field in _CLAIMS.items()}
    return {inputs.get(name, name).replace(".", "-"): words for name, words in errors.items()}


def choices(values: Values, errors: Collection[str]) -> dict[str, Any]:
    """Categories as chips, which units suit each (for the script that sets the usual one), is "More details" open?"""
    items = CATEGORIES.choices(utcnow().date())
    return {
        "categories": [(c.code, gettext(c.label)) for c in sorted(items, key=lambda c: not c.first)],
        "measures": msgspec.json.encode(
            {
                "categories": {c.code: {"units": c.units, "usual": c.default_unit} for c in items},
                "counted": [u.code for u in UNITS.items().values() if u.whole],
                "unmeasured": [b.code for b in QUANTITY_BASES.items().values() if not b.has_quantity],
            }
        ).decode(),
        "zone": offset_name(localise(utcnow())),
        "points": PHOTO_POINTS.choices(utcnow().date()),
        "examined": {
            "category": [c.code for c in items if c.examined],
            "conveyance": [c.code for c in CONVEYANCES.items().values() if c.examined],
            "detection": [d.code for d in DETECTION_METHODS.items().values() if d.examined],
        },
        "first_categories": sum(c.first for c in items),
        "more_open": _more_was_used(values) or not _FIRST_SCREEN.issuperset(errors),
    }


def _more_was_used(values: Values) -> bool:
    """Did the person fill in anything under "More details"?"""
    first = (values.get("exhibits") or [{}])[0]
    single = [values.get(name) for name in ("ground", "circumstances", "direction", "detection")]
    rows = [values.get("participants"), values.get("conveyances"), (values.get("exhibits") or [])[1:]]
    return any([*single, *rows, first.get("description"), first.get("value")])


def _with_zone(text: str, zone: tzinfo) -> str:
    """A ``datetime-local`` value as RFC 3339; anything else as it came, to be refused in words."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).isoformat()
