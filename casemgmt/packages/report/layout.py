"""What stands where: a report and its words become the plain data the template prints, every value already written."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import segno

from casemgmt.packages.report.glyphs import Shown, shown
from casemgmt.packages.report.model import Exhibit, File, Ledger, Report, Seizure
from casemgmt.packages.report.steps import Writer, event
from casemgmt.packages.report.truths import truths
from casemgmt.packages.report.words import Words

LONG = 1500
"""Characters from which a block may be cut by the end of a page: a shorter one always fits on the next."""

Fact = list[Any]


@dataclass(frozen=True, slots=True)
class Pages:
    """``data`` for the template, and the previews it names by file."""

    data: dict[str, Any]
    previews: dict[str, bytes]
    made_at: datetime


def lay_out(report: Report, words: Words) -> Pages:
    write = Writer(words, report.zone)
    previews: dict[str, bytes] = {}
    made = write.moment(report.made_at)
    data = {
        "language": words.language,
        "words": words.tree,
        "draft": words.tree["draft"],
        "number": report.number,
        "case": report.case_number,
        "title": f"{words('report.title')} {report.number}",
        "author": report.agency,
        "date": {"year": report.made_at.year, "month": report.made_at.month, "day": report.made_at.day},
        "made": f"{words('report.made')} {made}",
        # numbers of pages are known to the template alone
        "page": words("report.page", page="\x01", pages="\x02"),
        "code": _code(report.number),
        "demonstration": report.demonstration,
        "head": _head(report, write, made),
        "truths": truths(report, words),
        "seizures": [_seizure(seizure, write) for seizure in report.seizures],
        "exhibits": [_exhibit(exhibit, write, previews) for exhibit in report.exhibits],
        "files": [_file(file, write) for file in report.files],
        "ledger": _ledger(report, write),
        "steps": [[number, *texts] for number, texts in words.tree["verification"]["steps"].items()],
    }
    return Pages(data, previews, report.made_at)


def _code(number: str) -> str:
    """The number as a QR code; never a Micro QR code, which telephones do not read."""
    picture = io.BytesIO()
    segno.make_qr(number, error="m").save(picture, kind="svg", border=0, xmldecl=False, omitsize=True)
    return picture.getvalue().decode()


def _head(report: Report, write: Writer, made: str) -> list[Fact]:
    words = write.words
    return [
        [words("report.package"), report.number],
        [words("report.case"), shown(f"{report.case_number} · {report.case_title}")],
        [words("report.agency"), shown(report.agency)],
        [words("report.made"), made],
        [words("report.by"), shown(write.person(report.made_by))],
        [words("report.exhibits"), str(len(report.exhibits))],
        [words("report.files"), str(len(report.files))],
        [words("report.events"), str(sum(len(exhibit.chain) for exhibit in report.exhibits))],
    ]


def _seizure(seizure: Seizure, write: Writer) -> dict[str, Any]:
    words = write.words
    facts = [
        (words("seizures.seized"), write.moment(seizure.seized_at)),
        (words("seizures.recorded"), write.moment(seizure.recorded_at)),
        (words("seizures.device"), write.claimed(seizure.claimed_at)),
        (words("seizures.officer"), write.person(seizure.officer)),
        (words("seizures.unit"), f"{seizure.unit}, {seizure.agency}"),
        (words("seizures.place"), write.place(seizure.place)),
        (words("seizures.ground"), seizure.ground),
        (words("seizures.circumstances"), seizure.circumstances),
        (
            words("seizures.conveyances"),
            "\n".join(f"{words.code('conveyances', kind)} {painted}" for kind, painted in seizure.conveyances),
        ),
        (words("seizures.left_out"), ", ".join(seizure.left_out)),
    ]
    return {
        "number": seizure.number,
        "facts": _facts(facts),
        "present": [
            {
                "role": shown(words.code("participant_roles", person.role)),
                "name": shown(person.name),
                "note": shown(
                    ", ".join(
                        filter(None, [words("seizures.refused_signature")] * person.refused_signature + [person.note])
                    )
                ),
            }
            for person in seizure.present
        ],
        "corrections": [
            shown(
                words(
                    "seizures.correction", field=c.field, words=c.words, reason=c.reason, by=c.by, at=write.moment(c.at)
                )
            )
            for c in seizure.corrections
        ],
    }


def _exhibit(exhibit: Exhibit, write: Writer, previews: dict[str, bytes]) -> dict[str, Any]:
    words = write.words
    photographs = []
    for photograph in exhibit.photographs:
        file = None
        if photograph.preview is not None:
            file = f"{len(previews)}.jpg"
            previews[file] = photograph.preview
        name = photograph.path.rpartition("/")[2]
        point = words.code("photo_points", photograph.shows.point) if photograph.shows else ""
        caption = " · ".join(filter(None, [name, point]))
        photographs.append({"file": file, "path": photograph.path, "shown": shown(caption)})
    facts = [
        (words("exhibits.description"), exhibit.description),
        (words("exhibits.quantity"), write.quantity(exhibit)),
        (words("exhibits.seal"), write.seal(exhibit.seal) or words("exhibits.no_seal")),
        (words("exhibits.holder"), write.person(exhibit.holder)),
    ]
    return {
        "number": exhibit.number,
        "category": words.code("categories", exhibit.category),
        "broken": not exhibit.unbroken,
        "facts": _facts(facts),
        "photographs": photographs,
        "more": words("exhibits.more", more=exhibit.more_photographs) if exhibit.more_photographs else "",
        "chain": [event(step, write, LONG) for step in exhibit.chain],
    }


def _file(file: File, write: Writer) -> dict[str, Any]:
    words = write.words
    said = [words("files.received", at=write.moment(file.received_at), by=file.received_by)]
    if file.claimed_at is not None:
        said.append(words("files.device", at=write.moment(file.claimed_at)))
    if file.shows is not None:
        point = words.code("photo_points", file.shows.point)
        said.append(words("files.shows", point=point, by=file.shows.by, at=write.moment(file.shows.at)))
    return {
        "path": shown(file.path),
        "size": f"{file.size:,} {words('files.bytes')}".replace(",", "\u00a0"),
        "sha256": file.sha256,
        "said": shown(" · ".join(filter(None, [file.name, *said]))),
        "checked": words(f"files.{file.checked}") if file.checked else "",
        "withheld": shown(words("files.withheld", why=write.why(file.withheld))) if file.withheld else "",
        "fault": file.checked not in {"", "unchanged"},
        "long": len(file.name) > LONG,
    }


def _ledger(report: Report, write: Writer) -> list[Fact]:
    words, ledger, certificate = write.words, report.ledger, report.certificate
    authorities = ", ".join(report.authorities)
    rows: list[Fact] = [
        [words("ledger.origin"), shown(ledger.origin)],
        [words("ledger.key"), shown(ledger.key)],
        [words("ledger.checkpoint"), words("ledger.entries", size=ledger.size)],
        [words("ledger.root"), ledger.root, True],
        [words("ledger.quorum"), shown(words("ledger.no_quorum") if ledger.quorum == "none" else ledger.quorum)],
        [words("ledger.cosigned"), _cosigners(ledger, write)],
        [words("ledger.stamp"), shown(_stamp(ledger, write))],
        [
            words("ledger.package_stamp"),
            shown(
                words("ledger.package_stamped", authorities=authorities)
                if authorities
                else words("ledger.package_not_stamped")
            ),
        ],
    ]
    if certificate is None:
        return [*rows, [words("ledger.certificate"), words("ledger.unsigned")]]
    rows.append([words("ledger.certificate"), shown(certificate.subject)])
    return [*rows, [words("ledger.fingerprint"), certificate.fingerprint, True]]


def _cosigners(ledger: Ledger, write: Writer) -> Shown:
    if not ledger.cosigners:
        return write.words("ledger.nobody")
    return shown("\n".join(f"{cosigner.name}, {write.moment(cosigner.at)}" for cosigner in ledger.cosigners))


def _stamp(ledger: Ledger, write: Writer) -> str:
    stamp = ledger.stamp
    if stamp is None:
        return write.words("ledger.not_stamped")
    said = {"size": stamp.size, "time": write.moment(stamp.time), "authority": stamp.authority}
    return write.words("ledger.stamped", **said)


def _facts(rows: Sequence[tuple[str, str]]) -> list[Fact]:
    return [[name, shown(said)] for name, said in rows if said.strip()]
