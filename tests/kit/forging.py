"""Packages forged by somebody who holds every key but the people's own: the organisation's, the log's, the witnesses'.

Whatever is changed, the lists are made to fit, the organisation signs and stamps them, the ledger seals them. What is
refused then is refused by the one step that looks at it.
"""

from __future__ import annotations

from collections.abc import Callable

from casemgmt.trust.events import Event, Link
from casemgmt.trust.package import SEAL_EVENT, SEAL_PROOF
from casemgmt.trust.promise import SIGNATURE, TIMESTAMP
from casemgmt.trust.proof import pack_hashes
from casemgmt.trust.seal import SEALED, seal_data
from casemgmt.trust.withheld import ENTRY, PATH, parse_withheld
from tests.trust.factory import NAME, Draft
from tests.trust.repacking import TAG_MANIFEST, files_of, laid_out, relisted

Files = dict[str, bytes]
Change = Callable[[Files], object]


def forged(package: Draft, change: Change, *, afterwards: Change = lambda _: None) -> bytes:
    """The archive after `change`, sealed anew; `afterwards` changes what no list names: the seal itself."""
    files = files_of(package)
    change(files)
    relisted(files)
    manifest = files[TAG_MANIFEST]
    if package.authorities is not None:
        files[SIGNATURE] = package.authorities.sign(manifest)
        files[TIMESTAMP] = package.authorities.stamp(manifest)
    data = seal_data(
        *(NAME, manifest, _streams(files), package.size),
        signature=files.get(SIGNATURE),
        timestamp=files.get(TIMESTAMP),
    )
    ledger = package.ledger
    index = ledger.append("package:" + NAME, SEALED, data)
    ledger.append("exhibit:elsewhere", "exhibits:exhibit:described", {})
    size = ledger.tree.size
    files[SEAL_EVENT] = ledger.bodies[index]
    growth = pack_hashes(ledger.tree.consistency(package.size, size))
    files[SEAL_PROOF] = str(ledger.proof(index, size, growth)).encode()
    afterwards(files)
    return laid_out(files)


def _streams(files: Files) -> dict[str, list[Link]]:
    """As they are, whole or not."""
    links: list[Link] = [Event.parse(data) for path, data in files.items() if _is_entry(path)]
    links += [row.unread for row in parse_withheld(files[PATH]) if row.kind == ENTRY] if PATH in files else []
    streams: dict[str, list[Link]] = {}
    for link in sorted(links, key=lambda link: link.seq):
        streams.setdefault(link.stream, []).append(link)
    return streams


def _is_entry(path: str) -> bool:
    return path.startswith("ledger/") and path.endswith(".event")
