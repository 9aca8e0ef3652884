"""A tus client of a few lines, for tests that need to do things a good client would not."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import AsyncIterable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.cast import Member

TUS = {"Tus-Resumable": "1.0.0"}
PATH = "/api/v1/uploads"


def encoded(**said: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in said.items())


def checksum(data: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"


@dataclass
class Tus:
    """One person's client; ``id`` is the upload's."""

    address: str
    member: Member
    exhibit: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def url(self) -> str:
        return f"{PATH}/{self.id}"

    def open(self) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {self.member.token}", **TUS}
        return httpx.AsyncClient(base_url=self.address, headers=headers, timeout=60)

    async def ask(self, method: str, url: str | None = None, **more: Any) -> httpx.Response:
        async with self.open() as client:
            return await client.request(method, self.url if url is None else url, **more)

    async def begin(self, data: bytes, *, length: int | str | None = None, **said: str) -> httpx.Response:
        """``sha256`` is told unless it is given; an empty value leaves a name out."""
        told = {
            "id": self.id, "exhibit": self.exhibit, "filename": "photo.jpg", "filetype": "image/jpeg",
            "sha256": hashlib.sha256(data).hexdigest(), **said,
        }  # fmt: skip
        headers = {
            "Upload-Length": str(len(data) if length is None else length),
            "Upload-Metadata": encoded(**{name: value for name, value in told.items() if value}),
        }
        return await self.ask("POST", PATH, headers=headers)

    async def send(self, data: bytes | AsyncIterable[bytes], offset: int, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.ask(
            "PATCH", content=data,
            headers={"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset), **named},
        )  # fmt: skip

    async def offset(self) -> int:
        answer = await self.ask("HEAD")
        assert answer.status_code == 200, answer.status_code
        return int(answer.headers["upload-offset"])

    async def state(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.ask("GET")).json()
        return found
