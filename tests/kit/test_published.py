"""What a reader must not take from a package is published for everybody, byte for byte."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from casemgmt.commands import verify_html
from casemgmt.trust import kit
from casemgmt.trust.policy import Policy
from tests.cast import Api, Member

__all__ = ["sequenced"]
from tests.ledger.running import sequenced

Clients = Callable[[Member | None], Api]


@pytest.mark.parametrize("name", ["verify.html", "verify_all.sh", "verify_proof.sh", "verify_passkey.sh"])
async def test_a_stranger_gets_each_tool_and_the_page_prints_its_sha256(name: str, api: Clients) -> None:
    stranger = api(None)
    answer = await stranger.get(f"/verify/{name}")
    assert answer.status_code == 200
    assert answer.content == kit.tool(name)
    shown = (await stranger.get("/verify")).text
    assert hashlib.sha256(answer.content).hexdigest() in re.sub(r"<[^>]+>", "", shown)


async def test_the_page_runs_under_its_own_policy_and_in_nobodys_frame(api: Clients) -> None:
    answer = await api(None).get("/verify/verify.html")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert policy.endswith("frame-ancestors 'none'")
    assert answer.headers["Content-Type"].startswith("text/html")


async def test_the_policy_in_force_is_published(api: Clients, sequenced: None) -> None:
    stranger = api(None)
    for _ in range(200):  # until the sequencer has told the database its key
        answer = await stranger.get("/verify/trust.policy")
        if answer.status_code == 200:
            break
        await asyncio.sleep(0.05)
    key = (await stranger.get("/ledger/key")).text.strip()
    assert key in [str(log) for log in Policy.parse(answer.text).logs]


async def test_nothing_else_is_there(api: Clients) -> None:
    for name in ("VERIFY.md", "__init__.py", "..%2fkeys.py", "trust.policy.bak", "page"):
        assert (await api(None).get(f"/verify/{name}")).status_code == 404


def test_the_command_writes_the_page_and_prints_its_sha256(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "usb" / "verify.html"
    assert verify_html.main([str(target)]) == 2
    target.parent.mkdir()
    assert verify_html.main([str(target)]) == 0
    assert target.read_bytes() == kit.tool(kit.PAGE)
    assert capsys.readouterr().out.startswith(hashlib.sha256(target.read_bytes()).hexdigest())
