"""Which event of the ledger received which payload file, and where the file lies in the bag."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from casemgmt.trust.encoding import is_hash_hex, shown
from casemgmt.trust.errors import EventError, PackageError
from casemgmt.trust.events import EXHIBIT_STREAM, Event, Link, read_events
from casemgmt.trust.file_list import FileRow
from casemgmt.trust.manifest import check_path
from casemgmt.trust.withheld import FILE, WithheldRow

RECEIVED = "evidence:file:received"
DESCRIBED = "evidence:file:described"

EXHIBITS = "data/exhibits/"
SEIZURES = "data/seizures/"

_EXTENSION = re.compile(r"[a-z0-9]{1,10}", re.ASCII)


def payload_directory(event: Event) -> str:
    """Where the file a `RECEIVED` event names lies: with its exhibit, or with the seizure as a whole.

    The number is that of the event, each "/" written as "-".
    """
    exhibit = event.data.get("exhibit")
    parent, number = (EXHIBITS, exhibit) if exhibit is not None else (SEIZURES, event.data.get("seizure"))
    if not isinstance(number, str):
        raise EventError(f"a received event of no exhibit and no seizure: {shown(event.stream)} event {event.seq}")
    return check_path(parent + number.replace("/", "-"))


def payload_path(event: Event, ordinal: int, extension: str) -> str:
    """Path of the `ordinal`-th (1, 2, ...) file of its directory, e.g. ``data/exhibits/KG-26-7/0001.jpg``.

    `extension`, without its dot, follows from the type found in the content, never from the name a stranger gave.
    """
    if not _EXTENSION.fullmatch(extension):
        raise PackageError(f"not a file extension: {shown(extension)}")
    return check_path(f"{payload_directory(event)}/{ordinal:04d}.{extension}")


def file_row(path: str, event: Event) -> FileRow:
    """The line of the file list for the file that a `RECEIVED` event names."""
    file, name, sha256, size = (event.data.get(member) for member in ("file", "name", "sha256", "size"))
    actor = event.actor.get("name")
    if not (
        event.type == RECEIVED
        and isinstance(file, str)
        and isinstance(name, str)
        and isinstance(sha256, str)
        and is_hash_hex(sha256)
        and isinstance(size, int)
        and not isinstance(size, bool)
        and isinstance(actor, str)
    ):
        raise EventError(f"not a complete received event: {shown(event.stream)} event {event.seq}")
    return FileRow(path, file, name, sha256, size, event.at, actor)


def match_receipts(
    rows: Iterable[FileRow], streams: Mapping[str, list[Link]], withheld: Collection[WithheldRow] = ()
) -> int:
    """How many of the files these events received are neither among `rows` nor `withheld`.

    Raises `PackageError` unless every row has a `RECEIVED` event of its own that says the same and
    belongs to the directory the file lies in, and the chain of the file's exhibit is here too.
    A withheld file needs the same, unless the event that received it is withheld with it.
    """
    receipts: Counter[tuple[str, FileRow]] = Counter()
    owners: dict[str, object] = {}
    by_hash: dict[bytes, tuple[str, FileRow]] = {}
    for event in read_events(streams):
        if event.type == RECEIVED:
            directory, owner = payload_directory(event), event.data.get("exhibit") or event.data.get("seizure")
            if owners.setdefault(directory, owner) != owner:
                raise PackageError(f"two numbers share the directory {directory}")
            receipt = by_hash[event.hash] = directory, file_row("", event)
            receipts[receipt] += 1
    for row in rows:
        directory = row.path.rpartition("/")[0]
        receipt = directory, replace(row, path="")
        if not receipts[receipt]:
            raise PackageError(f"no received event says of {row.path} what the file list says")
        if directory.startswith(EXHIBITS) and f"{EXHIBIT_STREAM}{owners[directory]}" not in streams:
            raise PackageError(f"{row.path} without the events of its exhibit")
        receipts[receipt] -= 1
    for file in withheld:
        if file.kind == FILE:
            _match_withheld(file, streams, by_hash, receipts)
    return receipts.total()


def _match_withheld(
    file: WithheldRow,
    streams: Mapping[str, list[Link]],
    by_hash: Mapping[bytes, tuple[str, FileRow]],
    receipts: Counter[tuple[str, FileRow]],
) -> None:
    place = file.unread
    if place in streams.get(place.stream, ()):
        return
    receipt = by_hash.get(place.hash)
    known = next((link for link in streams.get(place.stream, ()) if link.seq == place.seq), None)
    if receipt is None or known is None or known.hash != place.hash or not receipts[receipt]:
        raise PackageError(f"no event received the withheld file {file.path}")
    directory, row = receipt
    if (file.path.rpartition("/")[0], file.sha256, file.size) != (directory, row.sha256, row.size):
        raise PackageError(f"the withheld file {file.path} is not what was received")
    receipts[receipt] -= 1
