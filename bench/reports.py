"""The custody report and its signature: beside bare typesetting of the same words, and pyHanko without our checks."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import typst
from asn1crypto import tsp
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.timestamps import TimeStamper

from bench.harness import Row, Samples, delay, turns
from bench.sizes import Sizes
from casemgmt import fonts
from casemgmt.packages.report.model import Claim, Exhibit, Ledger, Person, Report, Seal, Signed, Step
from casemgmt.packages.report.render import render
from casemgmt.signing.authority import Authorities
from casemgmt.signing.certificates import read_certificates
from casemgmt.signing.credentials import Pkcs12
from casemgmt.signing.demonstration import Demonstration, ensure_demonstration
from casemgmt.signing.local_authority import LocalAuthority
from casemgmt.signing.signer import RESERVED, OrganisationSigner

EVENTS = 200
TARGET = 500.0  # milliseconds for a report of so many events
AT = datetime(2027, 3, 1, 21, 15, tzinfo=UTC)
AIDA, NURLAN = Person(name="Aida Asanova", badge="04412"), Person(name="Нурлан Өмүрбек уулу", badge="03977")

_BARE = """
#set page(paper: "a4", margin: 15mm, numbering: "1 / 1")
#set text(font: "Noto Sans", size: 9pt)
#let rows = json(bytes(sys.inputs.rows))
#table(columns: (auto, auto, 1fr, 1fr, 1fr, 1.4fr), stroke: .3pt, inset: 1mm, ..rows.flatten().map(c => [#c]))
"""


def measure(folder: Path, sizes: Sizes) -> Iterator[Row]:
    report = _report(EVENTS)
    what = f"custody report of {EVENTS} events, tagged PDF/A-3b"
    samples = turns(lambda: _timed(lambda: render(report, "ru")), lambda: _timed(_bare(report)), sizes.rounds)
    yield delay(what, "typst alone: the same words in one table", samples, 4)
    yield delay(what, "the target", Samples(samples.ours, [TARGET] * len(samples.ours)), 1)

    demonstration = ensure_demonstration(folder / "demonstration")
    local = LocalAuthority(
        demonstration.directory, read_certificates(demonstration.tsa_ca.read_bytes(), "root"), None, 20.0
    )
    pdf = render(report, "ru")
    signer = _signer(demonstration, Authorities([local]))
    samples = turns(
        lambda: _timed(lambda: asyncio.run(signer.sign_pdf(pdf, reason="Custody report"))),
        lambda: _timed(lambda: asyncio.run(_pyhanko_alone(demonstration, local, pdf))),
        sizes.rounds,
    )
    yield delay("PAdES-B-T on that report", "pyHanko alone: no look at chain, dates or timestamp", samples, 1.5)


async def _pyhanko_alone(demonstration: Demonstration, local: LocalAuthority, pdf: bytes) -> None:
    signer = SimpleSigner.load_pkcs12_data(
        demonstration.pkcs12.read_bytes(), [], demonstration.password.read_text().encode()
    )
    about = PdfSignatureMetadata(field_name="Alone", md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES)
    await PdfSigner(about, signer=signer, timestamper=Unchecked(local)).async_sign_pdf(
        IncrementalPdfFileWriter(io.BytesIO(pdf)), bytes_reserved=RESERVED
    )


class Unchecked(TimeStamper):
    """pyHanko's own request, answered by the same authority."""

    def __init__(self, local: LocalAuthority) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._local = local

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        return tsp.TimeStampResp.load(self._local.ask(req.dump()))


def _signer(demonstration: Demonstration, authorities: Authorities) -> OrganisationSigner:
    password = demonstration.password.read_text()
    return OrganisationSigner(lambda: Pkcs12(demonstration.pkcs12, password), [], [], authorities)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def _bare(report: Report) -> Callable[[], object]:
    rows = [
        [str(step.seq), f"{step.at}", step.kind, step.actor.name, step.place.words, step.sha256]
        for step in report.exhibits[0].chain
    ]
    found = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[fonts.FOLDER])

    def compile_() -> object:
        compiler = typst.Compiler(_BARE.encode(), font_paths=found, ignore_system_fonts=True)
        return compiler.compile(format="pdf", pdf_standards=["a-3b"], sys_inputs={"rows": json.dumps(rows)})

    return compile_


def _report(events: int) -> Report:
    number = "2027-0412-00137-9/1"
    steps = [
        Step(
            seq=seq, kind="offered" if seq % 2 == 0 else "accepted", at=AT + timedelta(minutes=seq),
            claimed_at=AT + timedelta(minutes=seq), actor=AIDA, giver=AIDA, receiver=NURLAN,
            handover="2027-0412-8-00003-5", purpose="storage", place=Claim(words="Пост «Ак-Тилек»"),
            seal=Seal(number="A1234567", state="intact"), signed=Signed(means="passkey", key=_hash("key")),
            index=40 + seq, sha256=_hash(str(seq)),
        )
        for seq in range(1, events + 1)
    ]  # fmt: skip
    exhibit = Exhibit(
        number=number, seizure=number.partition("/")[0], category="DRUG", description="Брикет", quantity=None,
        unit=None, basis="not_weighed", seal=Seal(number="A1234567", state="intact"), holder=NURLAN, unbroken=True,
        chain=steps,
    )  # fmt: skip
    ledger = Ledger(
        origin="customs.example.org", size=9_000, root=_hash("root"), key="customs.example.org+0", quorum="none"
    )
    return Report(
        number="2027-0412-9-00001-2", case_number="2027-0701-3-00007-1", case_title="Ак-Тилек", made_at=AT,
        made_by=AIDA, agency="Customs", zone=UTC, seizures=[], exhibits=[exhibit], files=[], ledger=ledger,
        certificate=None,
    )  # fmt: skip


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
