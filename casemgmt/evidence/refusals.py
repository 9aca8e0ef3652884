"""Why a file was not taken or cannot be given, each with its HTTP status and a sentence."""

from __future__ import annotations

from typing import ClassVar

from casemgmt.core.errors import DomainError
from casemgmt.core.i18n import N_


class FileRefused(DomainError):
    """The file was not taken; nothing is stored and the refusal is on record. ``reason`` is for programs."""

    reason: ClassVar[str] = "refused"


class EmptyFile(FileRefused):
    status, slug, reason = 422, "file-empty", "empty"
    default = N_("The file has no bytes. Nothing was stored.")


class WrongLength(FileRefused):
    status, slug, reason = 400, "file-length", "length"
    default = N_("The number of bytes is not the one that was announced. Nothing was stored; send the file again.")


class WrongHash(FileRefused):
    status, slug, reason = 422, "file-hash", "hash"
    default = N_(
        "The bytes that arrived are not the ones that were announced: their SHA-256 differs."
        " Nothing was stored and this was recorded. Send the file again."
    )


class TooLong(FileRefused):
    status, slug, reason = 413, "file-too-large", "too-long"
    default = N_("The file is larger than is taken here. Nothing was stored.")


class CutOff(FileRefused):
    status, slug, reason = 400, "file-cut", "cut"
    default = N_("The connection ended before the file did. Nothing was stored; send the file again.")


class TooSlow(FileRefused):
    status, slug, reason = 408, "file-slow", "slow"
    default = N_("The file arrived too slowly. Nothing was stored; send the file again.")


class NotAPicture(FileRefused):
    status, slug, reason = 415, "file-type", "type"
    default = N_("The bytes are not a picture or a film. Nothing was stored. Add other files as documents.")


BY_REASON: dict[str, type[FileRefused]] = {
    refusal.reason: refusal for refusal in (EmptyFile, WrongLength, WrongHash, TooLong, CutOff, TooSlow, NotAPicture)
}


class StoreFailed(DomainError):
    """The store did not do its part. Nothing was acknowledged."""

    status = 503
    slug = "store-unavailable"
    default = N_("The store for evidence files does not answer. Nothing was stored; try again in a few minutes.")


class NoRoom(DomainError):
    status = 507
    slug = "store-full"
    default = N_("The store for evidence files is full. Nothing was stored; tell your administrator.")


class TakenForAForm(DomainError):
    """A raw body that named itself a form was read as one before it came here."""

    status = 415
    slug = "not-a-file"
    default = N_("These bytes came as a web form. Send a file with its own type, or as application/octet-stream.")


class BytesChanged(DomainError):
    """The stored bytes are not those that were received. Raised before the last of them is handed out."""

    status = 410
    slug = "file-changed"
    default = N_(
        "The stored bytes are not the ones that were received, so they are not handed out."
        " This was recorded; tell your administrator."
    )


class BytesGone(DomainError):
    """The row is there and the bytes are not: never silent, never a 404."""

    status = 410
    slug = "file-missing"
    default = N_("The bytes of this file are not in the store any more. This was recorded; tell your administrator.")
