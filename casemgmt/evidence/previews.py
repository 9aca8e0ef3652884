"""Small pictures of stored photographs, for printed reports."""

from __future__ import annotations

from casemgmt.evidence.models import File
from casemgmt.evidence.rereading import Changed, reread
from casemgmt.inspection.pool import EDGE, Inspectors
from casemgmt.storage.contract import Store

PICTURES = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif", "image/tiff"})


async def preview(inspectors: Inspectors, store: Store, file: File, *, edge: int = EDGE) -> bytes | None:
    """A JPEG of at most ``edge`` pixels a side and 1 MiB, upright, with nothing of the file's own metadata.

    None for what is no picture, too large, broken, hostile or changed since it was received. The bytes come from a
    process that has seen the file: give them to a decoder that can be trusted with that. Raises StoreError or
    NotLooking.
    """
    if file.media_type not in PICTURES:
        return None
    try:
        return await inspectors.preview(
            file.size, lambda: reread(store, file.object_key, file.store_version, file.size, file.sha256), edge
        )
    except Changed:
        return None
