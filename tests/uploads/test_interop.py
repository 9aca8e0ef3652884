"""Clients that are not ours, unchanged: tuspy, tus-js-client and curl."""

from __future__ import annotations

import asyncio
import base64
import json
import random
import shutil
import time
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path

import pytest
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError

from tests.evidence.conftest import JPEG, Site, sha256
from tests.servers import REPOSITORY
from tests.uploads.client import PATH
from tests.uploads.conftest import Client
from tests.uploads.cutting import cutting

BIG = JPEG + random.Random(3).randbytes((11 << 20) + 77)
MODULES = REPOSITORY / ".tools" / "tus-js-client" / "node_modules"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(BIG)
    return path


def said(client: Client, **more: str) -> dict[str, str]:
    return {
        "exhibit": client().exhibit,
        "filename": "photo.jpg",
        "filetype": "image/jpeg",
        "sha256": sha256(BIG),
        **more,
    }


async def test_tuspy_uploads_stops_and_goes_on(site: Site, world, tus: Client, file: Path):
    headers, up = {"Authorization": f"Bearer {world.aida.token}"}, tus()
    metadata = said(tus, id=up.id)

    def first() -> str:
        uploader = TusClient(site.address + PATH, headers=headers).uploader(
            str(file), chunk_size=3 << 20, metadata=metadata
        )
        uploader.upload(stop_at=6 << 20)
        return str(uploader.url)

    def second(url: str) -> int:
        uploader = TusClient(site.address + PATH, headers=headers).uploader(str(file), chunk_size=1 << 30, url=url)
        went_on_at = int(uploader.offset)
        uploader.upload()
        return went_on_at

    url = await asyncio.to_thread(first)
    assert url.endswith(up.url)
    assert await asyncio.to_thread(second, url) == 6 << 20
    assert (await up.state())["file"]["sha256"] == sha256(BIG)


async def test_tuspy_goes_on_after_the_network_cut_it(site: Site, world, tus: Client, file: Path):
    headers, up = {"Authorization": f"Bearer {world.aida.token}"}, tus()

    def upload(address: str) -> list[int]:
        """Where it went on, each time the network had ended it."""
        client, offsets, url = TusClient(address + PATH, headers=headers), [], None
        for _ in range(60):
            try:
                uploader = client.uploader(
                    str(file), chunk_size=1 << 30, url=url, metadata=said(tus, id=up.id), retries=0
                )
                url = f"{address}{up.url}"
                offsets.append(int(uploader.offset))
                uploader.upload()
            except (TusCommunicationError, OSError, HTTPException):  # cut, or its last request is not over yet
                time.sleep(0.2)
            else:
                return offsets
        raise AssertionError(offsets)

    async with cutting(site.address, *[5 << 20] * 8) as (address, proxy):
        offsets = await asyncio.to_thread(upload, address)
    assert proxy.made >= 2
    assert 0 < offsets[-1] < len(BIG)
    assert offsets == sorted(offsets)
    assert (await up.state())["file"]["sha256"] == sha256(BIG)


async def test_tuspy_checks_its_pieces(site: Site, world, tus: Client, file: Path):
    def upload() -> str:
        client = TusClient(site.address + PATH, headers={"Authorization": f"Bearer {world.aida.token}"})
        uploader = client.uploader(str(file), chunk_size=4 << 20, metadata=said(tus), upload_checksum=True)
        uploader.upload()
        return str(uploader.url)

    up = tus(id=(await asyncio.to_thread(upload)).rsplit("/", 1)[1])
    assert (await up.state())["file"]["sha256"] == sha256(BIG)


@pytest.mark.parametrize("chunk", [0, 5 << 20], ids=["in one go", "in pieces of 5 MiB"])
async def test_tus_js_client_survives_three_cuts(
    site: Site, world, tus: Client, file: Path, missing_part: Callable[[str], None], chunk: int
):
    if not MODULES.exists() or shutil.which("node") is None:
        missing_part("tus-js-client is not there: run tools/get-tus-js-client.sh (needs node and npm)")
    up = tus()
    async with cutting(site.address, 3 << 20, 5 << 20, 1 << 20) as (address, proxy):
        asked = {
            "modules": str(MODULES.parent / "package.json"), "endpoint": address + PATH, "id": up.id, "file": str(file),
            "headers": {"Authorization": f"Bearer {world.aida.token}"}, "metadata": said(tus, id=up.id),
            "chunkSize": chunk,
        }  # fmt: skip
        script = Path(__file__).with_name("tus_js_client.mjs")
        node = await asyncio.create_subprocess_exec(
            "node", str(script), json.dumps(asked), stdout=asyncio.subprocess.PIPE
        )
        told, _ = await asyncio.wait_for(node.communicate(), 90)
    outcome = json.loads(told)
    assert outcome["ok"], outcome
    assert proxy.made >= 2
    assert (await up.state())["file"]["sha256"] == sha256(BIG)
    assert proxy.offsets[0] == 0
    assert proxy.offsets == sorted(proxy.offsets), "it never began again"
    assert any(offset % (5 << 20) for offset in proxy.offsets), "it went on where a cut had left it"


async def test_curl_goes_on_where_the_server_is_after_every_cut(site: Site, world, tus: Client, file: Path):
    """Each ``curl`` that sends more than 5 MiB is cut there; the script asks where the server is, and goes on."""
    up = tus()
    async with cutting(site.address, *[5 << 20] * 40) as (address, proxy):
        await curl(address, world.aida.token, said(tus, id=up.id), file)
    assert proxy.made >= 2
    assert (await up.state())["file"]["sha256"] == sha256(BIG)


async def curl(address: str, token: str, described: dict[str, str], file: Path) -> None:
    metadata = ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in described.items())
    script = f"""
set -eu
H='Authorization: Bearer {token}'
url=$(curl -fsS -D - -o /dev/null -X POST {address}{PATH} -H "$H" -H 'Tus-Resumable: 1.0.0' \
  -H 'Upload-Length: {len(BIG)}' -H 'Upload-Metadata: {metadata}' | tr -d '\\r' | sed -n 's/^[Ll]ocation: //p')
send() {{
  tail -c +$(($1 + 1)) {file} | curl -fsS -X PATCH {address}$url -H "$H" -H 'Tus-Resumable: 1.0.0' \
    -H "Upload-Offset: $1" -H 'Content-Type: application/offset+octet-stream' --data-binary @-
}}
at() {{
  curl -fsS --retry 20 --retry-all-errors --retry-delay 1 -I {address}$url -H "$H" -H 'Tus-Resumable: 1.0.0' \
    | tr -d '\\r' | sed -n 's/^[Uu]pload-[Oo]ffset: //p'
}}
n=0
until send "$(at)"; do n=$((n + 1)); test $n -lt 20; done
"""
    shell = await asyncio.create_subprocess_exec("sh", "-c", script, stderr=asyncio.subprocess.PIPE)
    _, errors = await asyncio.wait_for(shell.communicate(), 120)
    assert shell.returncode == 0, errors.decode()
