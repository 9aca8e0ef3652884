"""Why a piece was not taken, each with its HTTP status and a sentence. docs/spec/upload.md."""

from __future__ import annotations

from casemgmt.core.errors import DomainError
from casemgmt.core.i18n import N_


class WrongVersion(DomainError):
    status, slug = 412, "tus-version"
    default = N_("This address speaks tus 1.0.0; the request says another version or none.")

    def __init__(self) -> None:
        super().__init__()
        self.headers["Tus-Version"] = "1.0.0"


class NotAPiece(DomainError):
    status, slug = 415, "not-a-piece"
    default = N_("A piece of a file comes as application/offset+octet-stream.")


class BadRequest(DomainError):
    status, slug = 400, "bad-request"
    default = N_("The request could not be read.")


class Cut(DomainError):
    status, slug = 400, "upload-cut"
    default = N_("The connection ended. What came is kept; go on from there.")


class Slow(DomainError):
    status, slug = 408, "upload-slow"
    default = N_("The piece arrived too slowly. What came is kept; go on from there.")


class Elsewhere(DomainError):
    """The client believes in another offset than there is."""

    status, slug = 409, "upload-offset"
    default = N_("Another number of bytes is here than the request says. Nothing was taken; go on from there.")

    def __init__(self, offset: int) -> None:
        super().__init__()
        self.headers["Upload-Offset"] = str(offset)


class Over(DomainError):
    """Given up, refused or expired: to be begun again."""

    status, slug = 410, "upload-over"
    default = N_("This upload is over. Begin it again.")


class Lost(Over):
    """What was here of it is not there any more: the store let go of it. Nothing of it had become evidence."""

    default = N_("The bytes that were here of this upload are lost. Begin it again.")


class Stored(DomainError):
    status, slug = 403, "upload-stored"
    default = N_("The file is stored. What is stored is evidence and stays.")


class BeingWritten(DomainError):
    status, slug = 423, "upload-locked"
    default = N_("Another request is writing this upload. Wait a moment and ask again.")

    def __init__(self) -> None:
        super().__init__()
        self.headers["Retry-After"] = "1"


class ChecksumDiffers(DomainError):
    status, slug = 460, "upload-checksum"
    default = N_(
        "The piece is not the one that was announced: its checksum differs. Nothing of it was kept; send it again."
    )


class TooManyUnderWay(DomainError):
    status, slug = 429, "uploads-under-way"
    default = N_("You have too many uploads under way. Finish some of them, or give them up, before beginning others.")
