"""The photographs of a registration, taken from the form one after the other."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from casemgmt.core.errors import DomainError
from casemgmt.core.formstream import Form
from casemgmt.core.i18n import N_, Text
from casemgmt.core.web.signin import AnyRequest, actor_of
from casemgmt.evidence import rules
from casemgmt.evidence.actions import receive
from casemgmt.evidence.models import Refusal
from casemgmt.evidence.pages import declared_hashes
from casemgmt.evidence.refusals import BY_REASON
from casemgmt.evidence.schemas import NewFile
from casemgmt.evidence.uploads import drain
from casemgmt.intake.actions import Registered
from casemgmt.intake.schemas import Registration

FIELD = "photos"
POINT = "shows-"  # and the photo point: a photograph that is said to show it


@dataclass(frozen=True, slots=True)
class Refused:
    """A photograph that is not on the server, and why."""

    name: str
    words: Text


async def take(request: AnyRequest, data: Registration, registered: Registered, form: Form) -> list[Refused]:
    """Receive every photograph for the first exhibit; a refused one does not undo the registration.

    Sent again, a photograph is the same file: its identifier follows from the registration's, its place in the form and
    its hash or name. Returns those that were refused.
    """
    return [refused async for refused in _take(request, data, registered, form)]


async def _take(request: AnyRequest, data: Registration, registered: Registered, form: Form) -> AsyncIterator[Refused]:
    state, hashes, ordinal = request.app.state, declared_hashes(form, FIELD), 0
    async for part in form.files():
        ordinal += 1
        sha256 = next(hashes, None) if part.name == FIELD else None
        file = NewFile(
            client_id=uuid.uuid5(data.client_id, f"{ordinal}/{sha256 or part.filename}"),
            seizure_id=registered.seizure.id,
            exhibit_id=registered.exhibits[0].id,
            kind="photo",
            name=part.filename,
            declared_type=part.content_type,
            declared_sha256=sha256,
            device_at=data.device_at,
            latitude=data.latitude,
            longitude=data.longitude,
            accuracy_m=data.accuracy_m,
            shows=part.name.removeprefix(POINT) if part.name.startswith(POINT) else None,
        )
        try:
            await receive(
                state.database, state.store, actor_of(request), file, part.chunks,
                limit=state.settings.max_upload_bytes, retention=state.settings.retention,
            )  # fmt: skip
        except DomainError as error:
            yield Refused(rules.display_name(part.filename), error.message)
        # What was not read of this photograph stands before the next one.
        if not await drain(part.chunks):
            yield Refused("", N_("The photographs after this one were not looked at. Send them again."))
            return


def from_record(refusals: Sequence[Refusal]) -> list[Refused]:
    """Refusals as they are on record, for a page that is opened later."""
    return [
        Refused(row.original_name, BY_REASON[row.reason].default if row.reason in BY_REASON else DomainError.default)
        for row in refusals
    ]
