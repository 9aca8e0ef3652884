"""What a C2PA manifest inside a file says and whether it holds. Runs only in the looking process.

Nothing is fetched: manifests that lie elsewhere count as none, and revocation is not asked for.
"""

from __future__ import annotations

import io
import json
from typing import Any

import c2pa

from casemgmt.inspection.cleaning import clean

MOST_CODES, LONGEST_CODE, LONGEST_JSON = 20, 80, 96 << 10
FORMATS = frozenset(
    {"image/jpeg", "image/png", "image/webp", "image/gif", "image/tiff", "image/heic", "image/heif", "image/avif",
     "video/mp4", "video/quicktime"}
)  # fmt: skip
_STATES = {"Trusted": "trusted", "Valid": "valid", "Invalid": "invalid"}
_PIXEL = bytes.fromhex("ffd8ffdb004300" + "01" * 64 + "ffd9")

_settings: dict[str, Any] = {}


def prepare(anchors: str) -> None:
    """``anchors``: PEM certificates whose signers count as trusted; empty: none do."""
    _settings.clear()
    _settings.update(
        {
            "version": 1,
            "verify": {"verify_trust": bool(anchors), "remote_manifest_fetch": False, "ocsp_fetch": False},
            **({"trust": {"trust_anchors": anchors}} if anchors else {}),
        }
    )
    read(_PIXEL, "image/jpeg")


def version() -> str:
    return clean(c2pa.sdk_version(), 40)


def read(data: bytes, media_type: str) -> dict[str, Any]:
    """``state``: trusted, valid (holds; the signer is not on our list), invalid, none, unreadable, not-looked."""
    if media_type not in FORMATS:
        return {"state": "not-looked"}
    try:
        context = c2pa.Context.from_dict(_settings)
        with c2pa.Reader(media_type, io.BytesIO(data), context=context) as reader:
            return _told(reader)
    except c2pa.C2paError.ManifestNotFound:
        return {"state": "none"}
    except (c2pa.C2paError, ValueError, RecursionError, OSError) as error:
        return {"state": "unreadable", "error": clean(f"{type(error).__name__}: {error}", 200)}


def _told(reader: Any) -> dict[str, Any]:
    raw = reader.json()
    told = json.loads(raw)
    active = _mapping(_mapping(told.get("manifests")).get(told.get("active_manifest")))
    signature = _mapping(active.get("signature_info"))
    results = _mapping(_mapping(reader.get_validation_results()).get("activeManifest"))
    return {
        "state": _STATES.get(str(reader.get_validation_state()), "invalid"),
        "failures": _codes(results.get("failure")),
        "remarks": _codes(results.get("informational")),
        "generator": clean(_generator(active), 100),
        "title": clean(active.get("title") or "", 100),
        "issuer": clean(signature.get("issuer") or "", 100),
        "signer": clean(signature.get("common_name") or "", 100),
        "signed_at": clean(signature.get("time") or "", 40),
        "sources": _sources(active),
        "manifests": len(_mapping(told.get("manifests"))),
        "json": raw if len(raw) <= LONGEST_JSON else None,
    }


def _generator(active: dict[str, Any]) -> str:
    infos = active.get("claim_generator_info")
    first = _mapping(infos[0]) if isinstance(infos, list) and infos else {}
    named = f"{first.get('name', '')} {first.get('version', '')}".strip()
    return named or str(active.get("claim_generator") or "")


def _sources(active: dict[str, Any]) -> list[str]:
    """How the picture says it came to be, e.g. ``digitalCapture`` or ``trainedAlgorithmicMedia``."""
    found: list[str] = []
    for assertion in active.get("assertions") or []:
        data = _mapping(_mapping(assertion).get("data"))
        for action in data.get("actions") or []:
            source = clean(str(_mapping(action).get("digitalSourceType") or "").rpartition("/")[2], 60)
            if source and source not in found:
                found.append(source)
    return found[:MOST_CODES]


def _codes(results: object) -> list[str]:
    entries = results if isinstance(results, list) else []
    return [clean(_mapping(entry).get("code") or "", LONGEST_CODE) for entry in entries[:MOST_CODES]]


def _mapping(value: object) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}
