"""The page of the ledger: who sees it, what it says, and how an administrator changes the policy."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncpg
import httpx
import pytest
from litestar import Litestar

from casemgmt.app import create_app
from casemgmt.core.clock import utcnow
from casemgmt.core.db import Database
from casemgmt.doctor.witnesses import examine_witnesses
from casemgmt.ledger.sequencer import Sequencer
from casemgmt.trust.keys import COSIGNATURE, SigningKey
from tests.cast import Browser, Member, World, living, make_world, settings_for
from tests.db import Dsn
from tests.ledger.test_policy import cosign, publish, written

Browsers = Callable[[Member | None], Browser]


@pytest.fixture
async def site(ledger: Dsn, tmp_path: Path, key: SigningKey) -> AsyncIterator[Litestar]:
    """The application over the database of this one test."""
    (tmp_path / "ledger.key").write_text(key.to_text())
    application = create_app(settings_for(ledger, tmp_path))
    async with living(application):
        yield application


@pytest.fixture
async def people(ledger: Dsn, site: Litestar) -> World:
    database: Database = site.state.database
    connection = await asyncpg.connect(ledger.dba)
    try:
        return await make_world(connection, database)
    finally:
        await connection.close()


@pytest.fixture
async def visit(site: Litestar) -> AsyncIterator[Browsers]:
    transport = httpx.ASGITransport(site, raise_app_exceptions=False)  # type: ignore[arg-type]
    yield lambda member: Browser(member, transport=transport)
    await transport.aclose()


@pytest.fixture
def witnesses() -> dict[str, SigningKey]:
    return {
        name: SigningKey.generate(f"{name}.example/witness", COSIGNATURE)
        for name in ("customs", "police", "prosecution")
    }


async def findings(dsn: Dsn) -> list[str]:
    connection = await asyncpg.connect(dsn.sequencer)
    try:
        return [f"{f.outcome.name} {f.subject}" async for f in examine_witnesses(connection)]
    finally:
        await connection.close()


async def test_administrators_and_auditors_see_it_and_nobody_else(
    people: World, visit: Browsers, sequencer: Sequencer, key: SigningKey
) -> None:
    for member in (people.admin, people.askar):
        page = await visit(member).get("/ledger")
        assert page.status_code == 200
        assert "No witnesses" in page.text
        plain = re.sub(r"<[^>]*>", "", page.text)
        assert key.verifier.fingerprint in plain
    assert "/ledger/policy" in (await visit(people.admin).get("/ledger")).text
    assert "/ledger/policy" not in (await visit(people.askar).get("/ledger")).text
    for member in (people.aida, people.elena, people.dinara):
        assert (await visit(member).get("/ledger")).status_code == 403


async def test_a_policy_is_checked_shown_and_then_put_in_force(
    people: World, visit: Browsers, sequencer: Sequencer, key: SigningKey, witnesses: dict[str, SigningKey], ledger: Dsn
) -> None:
    admin, text = visit(people.admin), written(key, witnesses)
    form = await admin.get("/ledger/policy")
    assert str(key.verifier) in form.text.replace("&#43;", "+")
    wrong = await admin.submit("/ledger/policy", {"policy": text + "nonsense\n", "reason": "x"})
    assert wrong.status_code == 422
    assert "This is not a policy" in wrong.text
    assert "nonsense" in wrong.text  # what was typed is still there
    assert (await admin.submit("/ledger/policy", {"policy": text})).status_code == 422
    asked = await admin.submit("/ledger/policy", {"policy": text.replace("\n", "\r\n"), "reason": "agreement 12"})
    assert asked.status_code == 200
    assert "police is enrolled as a witness" in asked.text
    assert "2 of customs, police, prosecution" in asked.text
    assert "No witnesses" in (await admin.get("/ledger")).text  # nothing has changed yet
    values = {"policy": text, "reason": "agreement 12", "step": "change"}
    assert (await admin.submit("/ledger/policy", values)).status_code == 303
    page = await admin.get("/ledger")
    assert "2 of customs, police, prosecution" in page.text
    assert people.admin.name in page.text
    event = re.search(r'href="(/events/[^"]+)"', page.text)
    assert event
    assert "ledger:policy:changed" in (await admin.get(event[1])).text
    assert (await admin.submit("/ledger/policy", values)).status_code == 422  # in force already
    assert (await visit(people.askar).submit("/ledger/policy", values)).status_code == 403


@pytest.mark.parametrize(
    "sent",
    [
        "\x00", "\ud83d", "x" * 31_000, "\n" * 2000, "quorum none\n" * 3, "log \n", "witness a b c d e\n",
        "group g 99999999999999999999 a\n", "log a+00000000+====\n", "\u2028", "quorum \u202e\n", "log " + "+" * 500,
        "witness \u00e9 x+0+AA http://[::1\n", "# only a comment\n",
    ],
)  # fmt: skip
async def test_whatever_is_sent_as_a_policy_is_answered_beside_its_field(
    people: World, visit: Browsers, sequencer: Sequencer, sent: str
) -> None:
    admin = visit(people.admin)
    for step in ("", "check", "change", "nonsense"):
        fields = {"policy": sent.encode("utf-8", "replace").decode(), "reason": "x", "step": step}
        answer = await admin.submit("/ledger/policy", fields)
        assert answer.status_code == 422
        assert "policy-error" in answer.text
    own = (await admin.get("/ledger/key")).text
    for reason in ("", " ", "\x00", "x" * 501):
        fields = {"policy": f"log {own}quorum none\n", "reason": reason, "step": "change"}
        answer = await admin.submit("/ledger/policy", fields)
        assert answer.status_code == 422
        assert "reason-error" in answer.text


async def test_it_says_who_is_silent_who_disputes_and_what_is_published(
    people: World, visit: Browsers, sequencer: Sequencer, key: SigningKey, witnesses: dict[str, SigningKey], ledger: Dsn
) -> None:
    admin = visit(people.admin)
    await admin.submit("/ledger/policy", {"policy": written(key, witnesses), "reason": "x", "step": "change"})
    await sequencer.advance()
    size = sequencer.size
    assert "nothing yet" in (await admin.get("/ledger")).text
    assert "FAULT nothing is published: too few witnesses have cosigned" in await findings(ledger)
    await publish(ledger, 1, size, await cosign(ledger, size, witnesses["customs"], witnesses["police"]))
    page = await admin.get("/ledger")
    assert "second" in page.text
    assert f"GOOD {size} entries are published, cosigned to the quorum" in await findings(ledger)
    silent = (
        "insert into ledger.witness_state(vkey, failing_since, problem, detail)"
        " values ($1, $2, 'unreachable', '<b>refused</b>')"
    )
    for name in ("police", "prosecution"):
        await sequencer._db.execute(silent, str(witnesses[name].verifier), utcnow())
    page = await admin.get("/ledger")
    assert "Too few witnesses answer" in page.text
    assert "cannot be reached" in page.text
    assert "<b>refused</b>" not in page.text
    raised = "insert into ledger.alarm(vkey, status, asked, told, detail) values ($1, 409, 5, 99, 'x')"
    await sequencer._db.execute(raised, str(witnesses["police"].verifier))
    page = await admin.get("/ledger")
    assert "police says that this ledger is not the one it saw" in page.text
    found = await findings(ledger)
    assert "FAULT the witness police says that this ledger is not the one it saw" in found
    assert any(f.startswith("NOTE the witness prosecution is silent since") for f in found)
    assert "GOOD the witness customs answers" in found


async def test_the_doctor_sees_that_the_published_ledger_is_another_one(
    people: World, visit: Browsers, sequencer: Sequencer, key: SigningKey, witnesses: dict[str, SigningKey],
    ledger: Dsn,
) -> None:  # fmt: skip
    admin = visit(people.admin)
    await admin.submit("/ledger/policy", {"policy": written(key, witnesses), "reason": "x", "step": "change"})
    await sequencer.advance()
    await publish(ledger, 1, sequencer.size, await cosign(ledger, sequencer.size, *witnesses.values()))
    connection = await asyncpg.connect(ledger.dba)
    await connection.execute("alter table ledger.checkpoint disable trigger user")
    await connection.execute("update ledger.checkpoint set root = sha256(root) where size = $1", sequencer.size)
    await connection.close()
    assert "FAULT the ledger is not the one that was published" in await findings(ledger)


async def test_the_doctor_sees_a_policy_that_was_changed_behind_its_event(
    people: World, visit: Browsers, sequencer: Sequencer, key: SigningKey, witnesses: dict[str, SigningKey], ledger: Dsn
) -> None:
    admin = visit(people.admin)
    await admin.submit("/ledger/policy", {"policy": written(key, witnesses), "reason": "x", "step": "change"})
    await sequencer.advance()
    assert not any("is not what the ledger was told" in found for found in await findings(ledger))
    connection = await asyncpg.connect(ledger.dba)
    await connection.execute("alter table ledger.policy disable trigger user")
    await connection.execute("update ledger.policy set text = replace(text, 'agencies 2', 'agencies 1')")
    await connection.close()
    assert "FAULT version 1 of the witness policy is not what the ledger was told" in await findings(ledger)


async def test_the_doctor_sees_a_policy_that_a_restored_backup_has_forgotten(
    people: World, visit: Browsers, sequencer: Sequencer, key: SigningKey, witnesses: dict[str, SigningKey], ledger: Dsn
) -> None:
    """The entries come back from the write-once store, the policy's row does not."""
    admin, lost = visit(people.admin), "FAULT the ledger was told of version 2 of the witness policy, and an older one"
    for count in (2, 3):
        values = {"policy": written(key, witnesses, count=count), "reason": "x", "step": "change"}
        assert (await admin.submit("/ledger/policy", values)).status_code == 303
    await sequencer.advance()
    assert not any(found.startswith(lost) for found in await findings(ledger))
    connection = await asyncpg.connect(ledger.dba)
    await connection.execute("alter table ledger.policy disable trigger user")
    await connection.execute("delete from ledger.policy where version = 2")
    await connection.close()
    assert any(found.startswith(lost) for found in await findings(ledger))
    await admin.submit("/ledger/policy", values)  # as the event has it
    assert not any(found.startswith(lost) for found in await findings(ledger))


async def test_before_the_log_has_begun_the_page_says_so(people: World, visit: Browsers) -> None:
    answer = await visit(people.admin).get("/ledger")
    assert answer.status_code == 409
