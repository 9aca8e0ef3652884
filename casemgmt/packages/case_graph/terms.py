"""The words of CASE and UCO 1.5 that we use, and how a node is named and written."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

Node = dict[str, Any]
Ref = dict[str, str]

_CASE = "https://ontology.caseontology.org/case/investigation/"
_UCO = "https://ontology.unifiedcyberontology.org/uco/"

CONTEXT: Mapping[str, str] = {
    "case-investigation": _CASE,
    "uco-action": f"{_UCO}action/",
    "uco-core": f"{_UCO}core/",
    "uco-identity": f"{_UCO}identity/",
    "uco-location": f"{_UCO}location/",
    "uco-observable": f"{_UCO}observable/",
    "uco-types": f"{_UCO}types/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
"""Stands in the graph itself: nothing is fetched to read it."""

CORE, ACTION, INVESTIGATION, OBSERVABLE = "uco-core:", "uco-action:", "case-investigation:", "uco-observable:"


def base(origin: str) -> str:
    """The IRI all nodes of a ledger begin with. It is a name and leads nowhere."""
    return f"https://{origin}/kb/"


class Names:
    """The same thing has the same name in every package of one ledger: a UUID made of what it is (RFC 9562, 5)."""

    def __init__(self, origin: str) -> None:
        self._base = base(origin)

    def __call__(self, kind: str, key: object) -> str:
        return f"kb:{kind}-{uuid.uuid5(uuid.NAMESPACE_URL, f'{self._base}{kind}/{key}')}"


def node(name: str, type_: str, values: Mapping[str, Any]) -> Node:
    """What is None or empty is left out."""
    return {"@id": name, "@type": type_, **{key: value for key, value in values.items() if value not in (None, "", [])}}


def ref(name: str) -> Ref:
    return {"@id": name}


def time(moment: str) -> dict[str, str]:
    return {"@type": "xsd:dateTime", "@value": moment}


def hexadecimal(sha256: str) -> dict[str, str]:
    """Its canonical form is in capitals."""
    return {"@type": "xsd:hexBinary", "@value": sha256.upper()}
