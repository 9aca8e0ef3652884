"""What a file is, told from its first bytes: the name and the declared type are claims.

Signatures after the formats' own specifications (JPEG ITU-T T.81, PNG, ISO/IEC 14496-12 brands, RIFF, PDF, ZIP) and
the WHATWG MIME Sniffing Standard where both have one. Only what customs and police receive; the rest is bytes.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MediaType:
    """A type's registered name and the extension, without a dot, under which the file is handed out."""

    name: str
    extension: str


UNKNOWN = MediaType("application/octet-stream", "bin")
TEXT = MediaType("text/plain", "txt")
ZIP = MediaType("application/zip", "zip")

STARTS: tuple[tuple[bytes, MediaType], ...] = (
    (b"\xff\xd8\xff", MediaType("image/jpeg", "jpg")),
    (b"\x89PNG\r\n\x1a\n", MediaType("image/png", "png")),
    (b"GIF87a", MediaType("image/gif", "gif")),
    (b"GIF89a", MediaType("image/gif", "gif")),
    (b"II*\x00", MediaType("image/tiff", "tif")),
    (b"MM\x00*", MediaType("image/tiff", "tif")),
    (b"%PDF-", MediaType("application/pdf", "pdf")),
    (b"ID3", MediaType("audio/mpeg", "mp3")),
    (b"OggS", MediaType("application/ogg", "ogg")),
    (b"fLaC", MediaType("audio/flac", "flac")),
    (b"#!AMR", MediaType("audio/amr", "amr")),
    (b"\x1a\x45\xdf\xa3", MediaType("video/webm", "webm")),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", MediaType("application/x-ole-storage", "ole")),
    (b"7z\xbc\xaf\x27\x1c", MediaType("application/x-7z-compressed", "7z")),
    (b"Rar!\x1a\x07", MediaType("application/vnd.rar", "rar")),
    (b"\x1f\x8b\x08", MediaType("application/gzip", "gz")),
)
RIFF = {
    b"WEBP": MediaType("image/webp", "webp"),
    b"WAVE": MediaType("audio/wav", "wav"),
    b"AVI ": MediaType("video/x-msvideo", "avi"),
}
MOV = MediaType("video/quicktime", "mov")
MP4 = MediaType("video/mp4", "mp4")
HEIC = MediaType("image/heic", "heic")
BRANDS = {
    b"heic": HEIC,
    b"heix": HEIC,
    b"heim": HEIC,
    b"heis": HEIC,
    b"hevc": MediaType("image/heic-sequence", "heics"),
    b"hevx": MediaType("image/heic-sequence", "heics"),
    b"mif1": MediaType("image/heif", "heif"),
    b"msf1": MediaType("image/heif-sequence", "heifs"),
    b"avif": MediaType("image/avif", "avif"),
    b"qt  ": MOV,
    b"M4A ": MediaType("audio/mp4", "m4a"),
}
OFFICE = (
    (b"word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
    (b"xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    (b"ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx"),
)
OPEN_DOCUMENT = {b"text": "odt", b"spreadsheet": "ods", b"presentation": "odp"}

ALIASES = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "audio/mp3": "audio/mpeg",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/x-m4a": "audio/mp4",
    "audio/ogg": "application/ogg",
    "video/ogg": "application/ogg",
    "audio/webm": "video/webm",
    "video/x-matroska": "video/webm",
    "video/x-m4v": "video/mp4",
    "video/avi": "video/x-msvideo",
    "application/x-pdf": "application/pdf",
    "application/x-zip-compressed": "application/zip",
}
# One container, several names: phones and browsers disagree about which to declare.
FAMILIES = (
    {"image/heic", "image/heif", "image/heic-sequence", "image/heif-sequence"},
    {"video/mp4", "video/quicktime", "video/3gpp", "video/3gpp2", "audio/mp4", "audio/3gpp"},
)
ZIPPED = ("application/vnd.openxmlformats-", "application/vnd.oasis.opendocument.", "application/vnd.google-earth.kmz")
OLE = ("application/msword", "application/vnd.ms-")
TEXTUAL = ("text/", "application/json", "application/xml", "application/gpx+xml", "image/svg+xml")


def sniff(head: bytes) -> MediaType:
    """The type of a file by its first bytes (4 KiB are enough). Never fails: bytes are at least bytes."""
    for start, found in STARTS:
        if head.startswith(start):
            return found
    if head.startswith(b"RIFF") and head[8:12] in RIFF:
        return RIFF[head[8:12]]
    if head[4:8] == b"ftyp":
        return _by_brand(head)
    if head[4:8] in (b"moov", b"wide", b"mdat") and head[:2] == b"\x00\x00":
        return MOV  # QuickTime from before brands
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _in_zip(head)
    if _is_mpeg_audio(head):
        return MediaType("audio/mpeg", "mp3")
    return TEXT if _is_text(head) else UNKNOWN


def contradicts(declared: str, found: MediaType) -> bool:
    """Whether what a client declares cannot be what was found. Saying nothing, or nothing exact, contradicts nothing;
    neither does a type this module cannot tell."""
    name = declared.partition(";")[0].strip().lower()
    name = ALIASES.get(name, name)
    if name in ("", UNKNOWN.name, found.name):
        return False
    if any({name, found.name} <= family for family in FAMILIES):
        return False
    if name.startswith(TEXTUAL):
        return found not in (TEXT, UNKNOWN)  # the older Cyrillic encodings look like noise
    if name.startswith(ZIPPED) and found == ZIP:
        return False  # which office document it is may stand beyond the head
    if name.startswith(OLE) and found.name == "application/x-ole-storage":
        return False
    return name in _TOLD or found not in (UNKNOWN, TEXT, ZIP)


def _by_brand(head: bytes) -> MediaType:
    """ISO base media: the major brand, or for the general picture brand the first compatible one that says more."""
    length = min(int.from_bytes(head[:4], "big"), len(head))
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, length - 3, 4))]
    major = brands[0]
    if major.startswith(b"3gp"):
        return MediaType("video/3gpp", "3gp")
    if major.startswith(b"3g2"):
        return MediaType("video/3gpp2", "3g2")
    if major == b"mif1":
        return next((BRANDS[brand] for brand in brands[1:] if brand in (b"heic", b"heix", b"avif")), BRANDS[major])
    return BRANDS.get(major, MP4)


def _in_zip(head: bytes) -> MediaType:
    if head[30:38] == b"mimetype":  # OpenDocument stores its type first and uncompressed
        kind = head[38:].removeprefix(b"application/vnd.oasis.opendocument.")
        for word, extension in OPEN_DOCUMENT.items():
            if len(kind) < len(head[38:]) and kind.startswith(word):
                return MediaType(f"application/vnd.oasis.opendocument.{word.decode()}", extension)
    if b"[Content_Types].xml" in head or b"_rels/.rels" in head:
        for folder, name, extension in OFFICE:
            if folder in head:
                return MediaType(name, extension)
    return ZIP


def _is_mpeg_audio(head: bytes) -> bool:
    """An MPEG-1/2 layer III frame without a tag before it: sync, layer, and no reserved bit rate or sampling rate."""
    return (
        len(head) > 3
        and head[0] == 0xFF
        and head[1] & 0xE6 == 0xE2
        and head[1] & 0x18 != 0x08
        and head[2] >> 4 not in (0x0, 0xF)
        and head[2] & 0x0C != 0x0C
    )


def _is_text(head: bytes) -> bool:
    if not head:
        return False
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True  # UTF-16 with its mark
    if any(byte < 0x20 and byte not in b"\t\n\f\r\x1b" for byte in head) or b"\x7f" in head:
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        # The head may end inside a letter. Windows-1251 and the like are left as bytes.
        return error.reason == "unexpected end of data" and len(head) - error.start < 4
    return True


_TOLD = {
    *(found.name for _, found in STARTS),
    *(found.name for found in RIFF.values()),
    *(found.name for found in BRANDS.values()),
    *(name for _, name, _ in OFFICE),
    "video/mp4",
    "video/3gpp",
    "video/3gpp2",
    "application/zip",
    "text/plain",
}
