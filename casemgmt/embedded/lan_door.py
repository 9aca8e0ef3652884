"""Opening the one-machine default to the local network: which addresses, which certificate, which two listeners."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from casemgmt.embedded.lan import LanFiles, NoNetworkError, lan_addresses, make_certificates, named_address
from casemgmt.server import listen
from casemgmt.settings import PREFIX

PORT = "8443"
GUIDE_PORT = 8080


@dataclass(frozen=True, slots=True)
class Door:
    """``url`` is what people type; ``guide_url`` tells a telephone how to trust it, over plain HTTP."""

    url: str
    guide_url: str
    files: LanFiles
    guide: socket.socket

    @property
    def certificate(self) -> tuple[Path, Path]:
        return self.files.certificate, self.files.key


def for_everybody(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of an instance that listens to the network, where it does not say otherwise."""
    return {f"{PREFIX}HOST": "0.0.0.0", f"{PREFIX}PORT": PORT} | dict(environ)  # noqa: S104 (that is what was asked for)


def open_door(data: Path, name: str, port: int) -> Door:
    """Certificate and guide for ``name``, or for this machine's address when it is empty. Raises NoNetworkError."""
    addresses = lan_addresses()
    if not name and not addresses:
        raise NoNetworkError("this machine has no network address; give --lan a name, or connect it")
    host = named_address(name) if name else str(addresses[0])
    files = make_certificates(data / "keys" / "lan", host, addresses)
    guide = _guide_listener()
    return Door(f"https://{host}:{port}", f"http://{host}:{guide.getsockname()[1]}", files, guide)


def _guide_listener() -> socket.socket:
    try:
        return listen("0.0.0.0", GUIDE_PORT)  # noqa: S104
    except OSError:  # taken: any other will do, its address is printed
        return listen("0.0.0.0", 0)  # noqa: S104
