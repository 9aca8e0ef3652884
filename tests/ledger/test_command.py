from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from casemgmt.ledger.sequencer import Sequencer
from casemgmt.trust.keys import SigningKey
from tests.db import Dsn
from tests.ledger.entries import Writer
from tests.ledger.test_sequencer import drain


async def verify(ledger: Dsn, folder: Path, *arguments: str, verifier: str | None = None) -> tuple[int, str]:
    """Run the command as an auditor would, in a process of its own."""
    named = {
        "APP_URL": ledger.app,
        "GATE_URL": ledger.gate,
        "SEQUENCER_URL": ledger.sequencer,
        "VERIFIER_URL": ledger.verifier if verifier is None else verifier,
        "STORE_URL": (folder / "store").as_uri(),
        "LOG_KEY_FILE": str(folder / "not-here"),
        "HASHIDS_SALT": "test",
    }
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CASEMGMT_")}
    environ |= {f"CASEMGMT_{name}": value for name, value in named.items() if value}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "casemgmt", "ledger", "verify", *arguments,
        env=environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


async def test_it_answers_0_for_a_sound_ledger_without_the_private_key(
    ledger: Dsn, writer: Writer, sequencer: Sequencer, key: SigningKey, tmp_path: Path
) -> None:
    await writer.write(count=20)
    await drain(sequencer, 20)
    code, output = await verify(ledger, tmp_path, "--log-key", str(key.verifier))
    assert code == 0, output
    assert "20 entries in the tree" in output
    assert "VERIFIED: every hash, tile, signed root and chain holds, and custody is as its entries say." in output


async def test_it_answers_1_and_names_the_entry_that_was_rewritten(
    ledger: Dsn, writer: Writer, sequencer: Sequencer, tmp_path: Path
) -> None:
    await writer.write(count=20)
    await drain(sequencer, 20)
    await writer.connection.execute("alter table ledger.entry disable trigger no_change")
    await writer.connection.execute(
        "update ledger.entry set body = overlay(body placing '2025'::bytea from position('2026'::bytea in body))"
        " where stream_seq = 7"
    )
    code, output = await verify(ledger, tmp_path)
    assert code == 1
    assert "FAULT: leaf 6, entry 7 (event 7 of exhibit:one), is not what was sequenced" in output
    assert output.endswith("NOT VERIFIED.\n")


async def test_it_answers_2_when_it_cannot_look(ledger: Dsn, tmp_path: Path) -> None:
    code, output = await verify(ledger, tmp_path, verifier="")
    assert (code, "CASEMGMT_VERIFIER_URL is not set" in output) == (2, True)
    code, output = await verify(ledger, tmp_path, verifier="postgresql://verifier@/x?host=/nowhere")
    assert (code, "cannot be reached" in output) == (2, True)
    code, output = await verify(ledger, tmp_path, "--log-key", "nonsense")
    assert (code, "not a verifier key" in output) == (2, True)
