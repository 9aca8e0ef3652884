"""The policy in force: who may change it, what the ledger is told, and what a proof waits for."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text

from casemgmt.core.db import Database
from casemgmt.core.errors import Conflict, Forbidden, Invalid
from casemgmt.ledger import policy, proofs
from casemgmt.ledger.errors import HistoryDisputed, NotSequencedYet, QuorumNotMet
from casemgmt.ledger.sequencer import Sequencer
from casemgmt.ledger.standing import quorum_words
from casemgmt.trust.events import Event
from casemgmt.trust.keys import COSIGNATURE, SigningKey
from casemgmt.trust.note import Note
from casemgmt.trust.policy import Policy
from tests.cast import World, make_world
from tests.db import Dsn

NAMES = ("customs", "police", "prosecution")


@pytest.fixture
def witnesses() -> dict[str, SigningKey]:
    return {name: SigningKey.generate(f"{name}.example/witness", COSIGNATURE) for name in NAMES}


def written(log: SigningKey, witnesses: dict[str, SigningKey], *, count: int = 2) -> str:
    lines = [f"log {log.verifier}"]
    lines += [f"witness {name} {key.verifier} http://{name}.example:7380" for name, key in witnesses.items()]
    return "\n".join([*lines, f"group agencies {count} {' '.join(witnesses)}", "quorum agencies"]) + "\n"


@pytest.fixture
async def house(ledger: Dsn, tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(ledger.app, ledger.gate)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
async def people(ledger: Dsn, house: Database) -> World:
    connection = await asyncpg.connect(ledger.dba)
    try:
        return await make_world(connection, house)
    finally:
        await connection.close()


async def events_of(dsn: Dsn, stream: str) -> list[Event]:
    connection = await asyncpg.connect(dsn.dba)
    try:
        rows = await connection.fetch("select body from ledger.entry where stream = $1 order by stream_seq", stream)
    finally:
        await connection.close()
    return [Event.parse(row["body"]) for row in rows]


async def cosign(dsn: Dsn, size: int, *keys: SigningKey) -> Note:
    """As the worker would write it down."""
    connection = await asyncpg.connect(dsn.sequencer)
    try:
        note = Note.parse(await connection.fetchval("select note from ledger.checkpoint where size = $1", size))
        signatures = [key.cosign(note.text, 1_800_000_000) for key in keys]
        for key, signature in zip(keys, signatures, strict=True):
            await connection.execute(
                "insert into ledger.cosignature(size, vkey, signature) values ($1, $2, $3)",
                size, str(key.verifier), signature.value,
            )  # fmt: skip
    finally:
        await connection.close()
    return note.with_signatures(signatures)


async def publish(dsn: Dsn, version: int, size: int, note: Note) -> None:
    connection = await asyncpg.connect(dsn.sequencer)
    try:
        await connection.execute(
            "insert into ledger.published(policy, size, note) values ($1, $2, $3)", version, size, str(note)
        )
    finally:
        await connection.close()


async def test_without_a_policy_what_is_signed_is_published(
    house: Database, people: World, sequencer: Sequencer, key: SigningKey
) -> None:
    async with house.begin(people.admin.actor) as db:
        force = await policy.in_force(db)
        assert (force.version, force.witnessed) == (0, False)
        assert await proofs.policy_text(db) == f"log {key.verifier}\nquorum none\n"
        assert (await proofs.latest_checkpoint(db)).size == 0


async def test_a_change_and_its_keys_are_events_of_the_administrator(
    ledger: Dsn, house: Database, people: World, sequencer: Sequencer, key: SigningKey, witnesses: dict[str, SigningKey]
) -> None:
    async with house.begin(people.admin.actor) as db:
        first = await policy.change(db, people.admin.actor, written(key, witnesses), "agreement 12")
    other = {**witnesses, "police": SigningKey.generate("police.example/new", COSIGNATURE)}
    del other["prosecution"]
    async with house.begin(people.admin.actor) as db:
        second = await policy.change(db, people.admin.actor, written(key, other), "new key of the police")
    assert (first.version, second.version) == (1, 2)
    told = await events_of(ledger, f"ledger:{key.name}")
    assert [event.type for event in told] == [
        "ledger:log:enrolled", *["ledger:witness:enrolled"] * 3, "ledger:policy:changed",
        "ledger:witness:revoked", "ledger:witness:rotated", "ledger:policy:changed",
    ]  # fmt: skip
    assert told[6].data["was"] == {
        "key": str(witnesses["police"].verifier), "sha256": witnesses["police"].verifier.fingerprint,
    }  # fmt: skip
    assert told[7].data["policy"] == str(second.policy)
    assert {event.actor["id"] for event in told} == {people.admin.id}


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda good: good.replace("log ", "#log "), "must name this installation's log"),
        (lambda good: good + "quorum none\n", "This is not a policy"),
        (lambda good: good.replace("http://police", "ftp://police"), "address of police"),
        (lambda good: good.replace("http://police.example:7380", "http://police.example:port"), "address of police"),
        (lambda good: good.replace("http://", "#"), "address of customs"),
        (lambda good: re.sub(" http://(police|customs).example:7380", "", good), "never be met"),
        (lambda good: good + "#" * 40_000 + "\n", "30,000 bytes"),
        (lambda good: "", "not a policy"),
        (lambda good: "\x00\ud800", "not a policy"),
    ],
)  # fmt: skip
async def test_a_policy_we_cannot_work_under_is_refused_beside_its_field(
    key: SigningKey, witnesses: dict[str, SigningKey], harm, words: str
) -> None:
    with pytest.raises(Invalid) as refused:
        policy.checked(harm(written(key, witnesses)), key.verifier)
    assert re.search(words, str(refused.value.fields["policy"]))


async def test_only_an_administrator_changes_it_and_only_with_a_reason(
    house: Database, people: World, sequencer: Sequencer, key: SigningKey, witnesses: dict[str, SigningKey]
) -> None:
    async with house.begin(people.aida.actor) as db:
        with pytest.raises(Forbidden):
            await policy.change(db, people.aida.actor, written(key, witnesses), "mine")
    async with house.begin(people.admin.actor) as db:
        with pytest.raises(Invalid) as refused:
            await policy.change(db, people.admin.actor, written(key, witnesses), "  ")
        assert "reason" in refused.value.fields
        await policy.change(db, people.admin.actor, written(key, witnesses), "once")
        with pytest.raises(Invalid, match="need another look"):
            await policy.change(db, people.admin.actor, written(key, witnesses), "twice")


async def test_the_database_refuses_a_version_without_its_event(
    house: Database, people: World, sequencer: Sequencer, key: SigningKey
) -> None:
    """As a statement that slipped in, with an administrator's session."""
    forged = text("insert into ledger.policy(version, text, entry_id) values (:v, :t, :e)")
    lowered = f"log {key.verifier}\nquorum none\n"
    for version, entry in ((1, 1), (2, 1)):
        with pytest.raises((Forbidden, Conflict)):
            async with house.begin(people.admin.actor) as db:
                await db.execute(forged, {"v": version, "t": lowered, "e": entry})
    with pytest.raises(Forbidden):
        async with house.begin(people.aida.actor) as db:
            await db.execute(forged, {"v": 1, "t": lowered, "e": 1})


async def test_nobody_else_writes_in_the_ledgers_own_stream_nor_such_an_event_elsewhere(
    house: Database, people: World, sequencer: Sequencer, key: SigningKey
) -> None:
    write = text(
        "insert into ledger.entry(event_id, stream, stream_seq, type, body)"
        " values (gen_random_uuid(), :stream, 1, :type, '{}')"
    )
    aida = people.aida
    for member, stream, type_ in (
        (aida, f"ledger:{key.name}", "ledger:witness:revoked"),
        (aida, f"person:{aida.login}", "ledger:witness:revoked"),
        (people.admin, "ledger:another.example", "ledger:witness:revoked"),
        (people.admin, f"ledger:{key.name}", "accounts:person:added"),
    ):
        with pytest.raises(Forbidden):
            async with house.begin(member.actor) as db:
                await db.execute(write, {"stream": stream, "type": type_})


async def test_a_proof_waits_for_the_quorum_and_says_who_is_silent(
    ledger: Dsn, house: Database, people: World, sequencer: Sequencer, key: SigningKey, witnesses: dict[str, SigningKey]
) -> None:
    async with house.begin(people.admin.actor) as db:
        await policy.change(db, people.admin.actor, written(key, witnesses), "agreement 12")
    entry = await sequencer._db.fetchval("select min(id) from ledger.entry")
    async with house.begin(people.admin.actor) as db:
        with pytest.raises(NotSequencedYet) as early:
            await proofs.proof_of_entry(db, entry)
        assert not isinstance(early.value, QuorumNotMet)
    await sequencer.advance()
    note = await cosign(ledger, 5, witnesses["customs"])
    await sequencer._db.execute(
        "insert into ledger.witness_state(vkey, failing_since, problem, detail) values ($1, now(), 'unreachable', '')",
        str(witnesses["police"].verifier),
    )
    async with house.begin(people.admin.actor) as db:
        with pytest.raises(QuorumNotMet) as refused:
            await proofs.proof_of_entry(db, entry)
        words = str(refused.value.message)
        assert "1 of 3, and the policy asks for 2 of customs, police, prosecution" in words
        assert "police since " in words
        assert "cannot be reached" in words
        assert await proofs.place_of(db, entry) == proofs.Place(0, None, cosigned=1, witnesses=3)
    both = note.with_signatures((await cosign(ledger, 5, witnesses["prosecution"])).signatures[1:])
    await publish(ledger, 1, 5, both)
    async with house.begin(people.admin.actor) as db:
        proof = await proofs.proof_of_entry(db, entry)
        body = await sequencer._db.fetchval("select leaf_hash from ledger.entry where id = $1", entry)
        accepted = proof.verify(body, Policy.parse(await proofs.policy_text(db)))
        assert sorted(accepted.witnessed) == ["customs", "prosecution"]
        assert (await proofs.place_of(db, entry)) == proofs.Place(0, 5)


async def test_under_a_new_policy_nothing_counts_that_was_published_under_the_old_one(
    ledger: Dsn, house: Database, people: World, sequencer: Sequencer, key: SigningKey, witnesses: dict[str, SigningKey]
) -> None:
    async with house.begin(people.admin.actor) as db:
        await policy.change(db, people.admin.actor, written(key, witnesses), "agreement 12")
    await sequencer.advance()
    await publish(ledger, 1, 5, await cosign(ledger, 5, *witnesses.values()))
    other = {**witnesses, "police": SigningKey.generate("police.example/new", COSIGNATURE)}
    async with house.begin(people.admin.actor) as db:
        assert (await proofs.latest_checkpoint(db)).size == 5
        await policy.change(db, people.admin.actor, written(key, other), "stolen")
        with pytest.raises(QuorumNotMet):
            await proofs.latest_checkpoint(db)


async def test_an_open_alarm_is_what_a_reader_is_told_first(
    ledger: Dsn, house: Database, people: World, sequencer: Sequencer, key: SigningKey, witnesses: dict[str, SigningKey]
) -> None:
    async with house.begin(people.admin.actor) as db:
        await policy.change(db, people.admin.actor, written(key, witnesses), "agreement 12")
    await sequencer.advance()
    raised = "insert into ledger.alarm(vkey, status, asked, told, detail) values ($1, 409, 5, 9, '')"
    await sequencer._db.execute(raised, str(witnesses["police"].verifier))
    async with house.begin(people.admin.actor) as db:
        with pytest.raises(HistoryDisputed) as told:
            await proofs.latest_checkpoint(db)
        assert "police says that this ledger is not the one it saw" in str(told.value.message)
    await cosign(ledger, 5, witnesses["police"])  # it saw this history after all
    async with house.begin(people.admin.actor) as db:
        with pytest.raises(QuorumNotMet) as waiting:
            await proofs.latest_checkpoint(db)
        assert not isinstance(waiting.value, HistoryDisputed)


def test_a_quorum_is_told_in_words(key: SigningKey, witnesses: dict[str, SigningKey]) -> None:
    good = written(key, witnesses)
    assert quorum_words(Policy.parse(good)) == "2 of customs, police, prosecution"
    every = good.replace("agencies 2", "agencies all")
    assert quorum_words(Policy.parse(every)) == "all of customs, police, prosecution"
    nested = good.replace(
        "group agencies 2 customs police prosecution", "group a any customs police\ngroup agencies 2 a prosecution"
    )
    assert quorum_words(Policy.parse(nested)) == "all of (1 of customs, police), prosecution"
