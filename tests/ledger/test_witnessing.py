"""Our log asks real witness programs, one of which is down, killed, or under another policy."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from casemgmt.ledger import proofs
from casemgmt.ledger.errors import QuorumNotMet
from casemgmt.ledger.sequencer import Sequencer
from casemgmt.trust.keys import SigningKey
from casemgmt.trust.policy import Policy
from tests.ledger.entries import Writer
from tests.ledger.witnessed import (
    NAMES,
    House,
    answers,
    cosigned_up_to,
    published_or_none,
    until,
)
from tests.witness.programs import Program, policy_of

pytestmark = pytest.mark.usefixtures("hasty")


async def test_what_the_quorum_cosigned_is_published_and_verifies_for_a_reader(
    house: House, key: SigningKey, programs: list[Program], sequencer: Sequencer, writer: Writer
) -> None:
    await house.put_in_force(policy_of(key.verifier, programs))
    for count in (1, 3, 40, 300):
        await writer.write(count=count)
        await sequencer.advance()
        assert await house.work.round() is True
        assert await house.published() == sequencer.size
    assert await house.work.round() is False  # nothing new: nobody is asked
    async with house.database.begin(house.people.admin.actor) as db:
        proof = await proofs.proof_of_entry(db, await writer.connection.fetchval("select min(id) from ledger.entry"))
        accepted = Policy.parse(await proofs.policy_text(db)).accept(proof.checkpoint)
    assert sorted(accepted.witnessed) == sorted(NAMES)
    assert proof.index == 0


async def test_one_witness_down_the_quorum_is_met_and_the_page_knows_who_is_silent(
    house: House, key: SigningKey, programs: list[Program], sequencer: Sequencer, writer: Writer
) -> None:
    await programs[1].stop_here()
    await house.put_in_force(policy_of(key.verifier, programs))
    await sequencer.advance()
    await house.work.round()
    assert await house.published() == sequencer.size
    police = (await house.standing())["police"]
    assert police.problem == "unreachable"
    since = police.failing_since
    assert since is not None
    await writer.write()
    await sequencer.advance()
    await asyncio.sleep(0.06)
    await house.work.round()
    assert (await house.standing())["police"].failing_since == since  # since when, not when last
    await programs[1].start_here()
    await until(house.work.round, lambda: cosigned_up_to(house, "police", sequencer.size))
    police = (await house.standing())["police"]
    assert (police.failing_since, police.problem) == (None, None)


async def test_two_down_nothing_is_published_and_it_resumes_by_itself(
    house: House, key: SigningKey, programs: list[Program], sequencer: Sequencer, writer: Writer
) -> None:
    await house.put_in_force(policy_of(key.verifier, programs))
    await sequencer.advance()
    await house.work.round()
    before = await house.published()
    for program in programs[1:]:
        await program.stop_here()
    await writer.write()
    await sequencer.advance()
    await house.work.round()
    assert await house.published() == before  # work went on, publishing did not
    entry = await writer.connection.fetchval("select max(id) from ledger.entry")
    async with house.database.begin(house.people.admin.actor) as db:
        with pytest.raises(QuorumNotMet) as refused:
            await proofs.proof_of_entry(db, entry)
        assert "police since" in str(refused.value.message)
        assert "prosecution since" in str(refused.value.message)
        assert "customs since" not in str(refused.value.message)
    await programs[2].start_here()
    await until(house.work.round, lambda: answers(house.published, sequencer.size))


async def test_a_witness_killed_between_writing_and_answering_is_asked_again_and_cosigns(
    house: House, key: SigningKey, programs: list[Program], sequencer: Sequencer, tmp_path: Path
) -> None:
    """kill -9 when the new state is on disk and the answer is not out: the next answer is 409, and never a fork."""
    police = programs[1]
    await police.stop_here()
    script = tmp_path / "killed.py"
    script.write_text(
        "import os, signal, sys\n"
        "from casemgmt.witness import answering, command\n"
        "advance = answering.Keeper.advance\n"
        "def cut(*arguments):\n"
        "    advance(*arguments)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "answering.Keeper.advance = cut\n"
        f"sys.exit(command.main(['serve', {str(police.directory)!r}, *sys.argv[1:]]))\n"
    )
    await police.start(sys.executable, str(script))
    await house.put_in_force(policy_of(key.verifier, programs, count=3))
    await sequencer.advance()
    await house.work.round()
    assert police.process is not None
    assert police.process.wait(10) == -9
    assert (await house.standing())["police"].size is None
    await police.start()
    await until(house.work.round, lambda: cosigned_up_to(house, "police", sequencer.size))
    assert await house.published() == sequencer.size


async def test_the_quorum_of_a_new_policy_is_published_from_cosignatures_that_are_there(
    house: House, key: SigningKey, programs: list[Program], sequencer: Sequencer
) -> None:
    await programs[1].stop_here()
    await programs[2].stop_here()
    await house.put_in_force(policy_of(key.verifier, programs))
    await sequencer.advance()
    await house.work.round()
    assert await published_or_none(house) is None
    size = sequencer.size
    await house.put_in_force(policy_of(key.verifier, programs, count=1), "the two others moved out")
    await house.work.round()
    assert await house.published() == size


async def test_under_another_policy_than_the_given_file_nothing_is_published(
    house: House, key: SigningKey, programs: list[Program], sequencer: Sequencer, writer: Writer
) -> None:
    """Somebody lowered the policy, or nobody has put the file in force yet: both wait for an administrator."""
    meant = Policy.parse(policy_of(key.verifier, programs))
    house.work._pinned = meant
    await house.work.prepare()
    await sequencer.advance()
    with pytest.raises(QuorumNotMet) as refused:
        await house.published()
    assert "policy file" in str(refused.value.message)
    await house.put_in_force(policy_of(key.verifier, programs, count=1))
    await sequencer.advance()
    await house.work.round()
    assert await published_or_none(house) is None
    await house.put_in_force(str(meant))
    await sequencer.advance()
    await until(house.work.round, lambda: answers(lambda: published_or_none(house), sequencer.size))
    house.work._pinned = None
    await house.work.prepare()
    assert await house.published() == sequencer.size
