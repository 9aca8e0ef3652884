"""Where a file may go is asked twice: before its first byte, and in the transaction that keeps it."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

import msgspec
import pytest

from casemgmt.core.errors import Forbidden, NotFound, NotSignedIn
from casemgmt.evidence.actions import receive
from casemgmt.evidence.places import ask
from casemgmt.evidence.schemas import NewFile
from tests.cast import World
from tests.evidence.conftest import JPEG, LIMIT, Site
from tests.records import Registered, register_seizure


def new_file(**place: int | None) -> NewFile:
    return NewFile(client_id=uuid.uuid4(), name="photo.jpg", **place)  # type: ignore[arg-type]


async def test_the_seizure_of_an_exhibit_need_not_be_named(folder_site: Site, world: World, made: Registered):
    database = folder_site.app.state.database
    place, earlier = await ask(database, world.aida.actor, new_file(exhibit_id=made.exhibits[0].id))
    assert (place.seizure, place.exhibit) == (made.seizure.number, made.exhibits[0].number)
    assert earlier is None
    place, _ = await ask(database, world.aida.actor, new_file(seizure_id=made.seizure.id))
    assert (place.seizure, place.exhibit) == (made.seizure.number, None)


async def test_an_exhibit_of_another_seizure_is_not_found(folder_site: Site, world: World, made: Registered):
    database = folder_site.app.state.database
    other = await register_seizure(database, world.aida, "P-2")
    with pytest.raises(NotFound):
        await ask(database, world.aida.actor, new_file(seizure_id=other.seizure.id, exhibit_id=made.exhibits[0].id))
    with pytest.raises(NotFound):
        await ask(database, world.aida.actor, new_file())


async def test_a_stranger_finds_no_place_and_a_reader_may_not_add(folder_site: Site, world: World, made: Registered):
    database = folder_site.app.state.database
    nobody = msgspec.structs.replace(world.aida.actor, token=b"no such session")
    for place in ({"exhibit_id": made.exhibits[0].id}, {"seizure_id": made.seizure.id}):
        with pytest.raises(NotFound):
            await ask(database, world.oleg.actor, new_file(**place))
        with pytest.raises(Forbidden):
            await ask(database, world.askar.actor, new_file(**place))
        with pytest.raises(NotSignedIn):
            await ask(database, nobody, new_file(**place))


async def test_who_lost_the_right_while_bytes_came_keeps_nothing(
    folder_site: Site, world: World, made: Registered, db_dba
):
    async def chunks() -> AsyncIterator[bytes]:
        yield JPEG
        await db_dba.execute(
            "update accounts.appointment set valid = tstzrange(lower(valid), now()) where person_id = $1",
            world.aida.actor.id,
        )

    state = folder_site.app.state
    with pytest.raises((NotFound, NotSignedIn)):
        await receive(
            state.database, state.store, world.aida.actor, new_file(exhibit_id=made.exhibits[0].id), chunks(),
            limit=LIMIT, retention=timedelta(days=1),
        )  # fmt: skip
    assert await db_dba.fetchval("select count(*) from evidence.file where seizure_id = $1", made.seizure.id) == 0
