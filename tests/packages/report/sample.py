"""A report of two exhibits, and one of any number of rows."""

import hashlib
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

from PIL import Image

from casemgmt.packages.report.model import (
    Certificate,
    Claim,
    Correction,
    Cosigner,
    Exhibit,
    File,
    Ledger,
    Person,
    Photograph,
    Present,
    Report,
    Seal,
    Seizure,
    Showing,
    Signed,
    Stamp,
    Step,
)

AT = datetime(2027, 3, 1, 21, 15, 4, tzinfo=UTC)
POINT = Decimal("42.874621"), Decimal("74.569762")
BISHKEK = timezone(timedelta(hours=6))
AIDA, NURLAN = Person(name="Aida Asanova", badge="04412"), Person(name="Нурлан Өмүрбек уулу Ңаманов", badge="03977")


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def photograph(colour: str = "#7a5c3e", size: tuple[int, int] = (480, 360)) -> bytes:
    picture = io.BytesIO()
    Image.new("RGB", size, colour).save(picture, "JPEG")
    return picture.getvalue()


def chain(number: str, length: int, first_index: int = 40) -> list[Step]:
    """Registered, then offers and answers in turn; every third hand-over by session only."""
    steps = [
        Step(
            seq=1, kind="registered", at=AT, claimed_at=AT.astimezone(BISHKEK) - timedelta(seconds=8), actor=AIDA,
            seal=Seal(number="A1234567", state="intact"), signed=Signed(means="session"), index=first_index,
            sha256=sha(f"{number} 1"),
        )
    ]  # fmt: skip
    for seq in range(2, length + 1):
        offer = seq % 2 == 0
        giver, receiver = (AIDA, NURLAN) if (seq // 2) % 2 else (NURLAN, AIDA)
        signed = Signed(means="passkey", key=sha(giver.name)) if seq % 3 else Signed(means="session")
        steps.append(
            Step(
                seq=seq, kind="offered" if offer else "accepted", at=AT + timedelta(minutes=7 * seq),
                claimed_at=None if seq % 5 == 0 else (AT + timedelta(minutes=7 * seq)).astimezone(BISHKEK),
                actor=giver if offer else receiver, giver=giver, receiver=receiver, handover="2027-0412-8-00003-5",
                purpose="storage",
                place=Claim(words="Пост «Ак-Тилек»", latitude=POINT[0], longitude=POINT[1], accuracy_m=Decimal("12.0")),
                seal=Seal(number="A1234567", state="intact"), signed=signed, index=first_index + seq,
                sha256=sha(f"{number} {seq}"),
            )
        )  # fmt: skip
    return steps


def report(rows: int = 5) -> Report:
    number = "2027-0412-00137-9"
    first = Exhibit(
        number=f"{number}/1", seizure=number, category="DRUG",
        description="Брикет, обёрнут коричневой лентой, за обшивкой кабины", quantity=Decimal("1.250"), unit="kg",
        basis="gross", seal=Seal(number="A1234567", state="intact"), holder=NURLAN, unbroken=True,
        photographs=(
            Photograph(path=f"data/exhibits/{number}-1/0001.jpg", sha256=sha("p1"), preview=photograph()),
            Photograph(path=f"data/exhibits/{number}-1/0002.jpg", sha256=sha("p2"), preview=photograph("#41566b")),
            Photograph(path=f"data/exhibits/{number}-1/0003.heic", sha256=sha("p3"), preview=None),
        ),
        more_photographs=2, chain=chain(f"{number}/1", rows),
    )  # fmt: skip
    torn = replace(
        chain(f"{number}/2", 3, 300)[2], kind="refused", seal=Seal(number="A7654322", state="differs"),
        reason="seal_differs", discrepancy="The seal reads A7654322", note="Сфотографировано при свидетелях",
    )  # fmt: skip
    second = Exhibit(
        number=f"{number}/2", seizure=number, category="TOBA", description="", quantity=None, unit=None,
        basis="not_weighed", seal=Seal(number="A7654321", state="intact"), holder=AIDA, unbroken=True,
        chain=[*chain(f"{number}/2", 2, 300), torn],
    )  # fmt: skip
    return Report(
        number="2027-0412-9-00001-2", case_number="2027-0701-3-00007-1", case_title="Trafficking through Ak-Tilek",
        made_at=AT + timedelta(days=2), made_by=Person(name="Elena Petrova", badge="11802"),
        agency="Customs of Kyrgyzstan",
        zone=ZoneInfo("Asia/Bishkek"),
        seizures=[
            Seizure(
                number=number, agency="Customs", unit="Ak-Tilek post", officer=AIDA,
                seized_at=AT - timedelta(minutes=20),
                recorded_at=AT, claimed_at=AT.astimezone(BISHKEK) - timedelta(minutes=3),
                place=Claim(words="Пост «Ак-Тилек», полоса 3", latitude=POINT[0], longitude=POINT[1]),
                ground="Art. 146", circumstances="Found behind the lining of the cab.",
                present=[
                    Present(role="attesting_witness", name="Өмүркан Бекова"),
                    Present(role="driver", name="Üsön Ñurlanovich", refused_signature=True, note="read the record"),
                ],
                conveyances=[("truck", "01KG777AAA (KG)"), ("container", "CSQU3054383")],
                corrections=[Correction(field="place", words="lane 4", reason="misread", by="Aida Asanova", at=AT)],
                left_out=[f"{number}/3"],
            )
        ],
        exhibits=[first, second],
        files=[
            File(
                path=f"data/exhibits/{number}-1/{n:04}.jpg", name=f"IMG_{n:04} — фото.jpg", size=2_345_678 + n,
                sha256=sha(f"p{n}"), received_at=AT, received_by="Aida Asanova", claimed_at=AT.astimezone(BISHKEK),
                checked="unchanged" if n < 3 else "",
                shows=Showing(point="left_inside", by="Aida Asanova", at=AT) if n == 2 else None,
            )
            for n in (1, 2, 3)
        ],
        ledger=Ledger(
            origin="customs.example.org/evidence", size=8_412, root=sha("root"),
            key="customs.example.org/evidence+4f3a2b1c+AZx0mQ",
            quorum="2 of customs, police, prosecution",
            cosigners=[Cosigner(name="police.example.org", at=AT), Cosigner(name="prosecution.example.org", at=AT)],
            stamp=Stamp(size=8_400, time=AT, authority="tsa.example.org"),
        ),
        certificate=Certificate(subject="CN=DEMONSTRATION evidence office", fingerprint=sha("certificate")),
        authorities=["tsa.example.org"], demonstration=True,
    )  # fmt: skip


def hashes(of: Report) -> set[str]:
    """Every hash the report must show whole."""
    found = {step.sha256 for exhibit in of.exhibits for step in exhibit.chain}
    found |= {step.signed.key for exhibit in of.exhibits for step in exhibit.chain if step.signed.key}
    found |= {file.sha256 for file in of.files} | {of.ledger.root}
    return found | ({of.certificate.fingerprint} if of.certificate else set())
