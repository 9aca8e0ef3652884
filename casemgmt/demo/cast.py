"""Who plays in the demonstration, in the walkthrough and in every test. All of them are invented."""

from __future__ import annotations

from dataclasses import dataclass

PASSWORD = "border-post-2026"  # noqa: S105 - of the demonstration, and printed by it


@dataclass(frozen=True, slots=True)
class Agency:
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Unit:
    agency: str
    code: str
    name: str
    place: str


@dataclass(frozen=True, slots=True)
class Role:
    """``place`` is a unit (for an auditor: an agency; for an administrator: nothing)."""

    name: str
    badge: str
    appointment: str
    place: str | None
    says: str


AGENCIES = {
    "customs": Agency("customs", "State Customs Service"),
    "police": Agency("police", "Ministry of Internal Affairs"),
    "prosecution": Agency("prosecution", "Prosecutor General's Office"),
}

UNITS = {
    "post": Unit("customs", "0412", "Ak-Tilek post", "Ak-Tilek"),
    "store": Unit("customs", "0400", "Customs evidence store", "Bishkek"),
    "customs_investigation": Unit("customs", "0401", "Customs investigation department", "Bishkek"),
    "other_post": Unit("customs", "0413", "Torugart post", "Torugart"),
    "crime_unit": Unit("police", "1101", "Serious crime unit", "Bishkek"),
    "transport_police": Unit("police", "1102", "Transport police", "Osh"),
    "prosecutors": Unit("prosecution", "2101", "Prosecutor's office, border cases", "Bishkek"),
}

PEOPLE = {
    "admin": Role("Administrator", "", "administrator", None, "people and units; no evidence"),
    "aida": Role("Aida Asanova", "04412", "officer", "post", "registers seizures, hands exhibits over"),
    "nurlan": Role("Nurlan Satybaldiev", "03977", "custodian", "store", "receives exhibits into the evidence store"),
    "saule": Role("Saule Bekova", "04400", "supervisor", "post", "grants her post's seizures to others"),
    "timur": Role("Timur Isaev", "04531", "officer", "other_post", "officer at another post"),
    "gulnara": Role("Gulnara Osmonova", "04500", "supervisor", "other_post", "supervisor of the other post"),
    "marat": Role("Marat Jumabekov", "04010", "investigator", "customs_investigation", "customs investigator"),
    "bakyt": Role(
        "Bakyt Sydykov", "04001", "supervisor", "customs_investigation", "supervisor of customs investigation"
    ),
    "elena": Role("Elena Petrova", "77101", "investigator", "crime_unit", "police investigator"),
    "ruslan": Role("Ruslan Kim", "77100", "supervisor", "crime_unit", "supervisor of the serious crime unit"),
    "oleg": Role("Oleg Volkov", "77205", "investigator", "transport_police", "police, unrelated unit: sees none of it"),
    "dinara": Role("Dinara Saparova", "90017", "prosecutor", "prosecutors", "sees what was referred, takes packages"),
    "askar": Role("Askar Tulegenov", "00007", "auditor", "customs", "auditor of the customs service"),
}
