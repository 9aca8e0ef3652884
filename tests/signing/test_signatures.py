"""CAdES and PAdES as other people's verifiers see them, and each of them seen saying no."""

import shutil
import sys
from pathlib import Path

import pytest
import typst

from casemgmt.signing.demonstration import Demonstration
from casemgmt.signing.errors import SigningError
from casemgmt.signing.signer import OrganisationSigner
from tests.signing.conftest import pkcs12, run

CONTENT = b"0123456789abcdef  bag-info.txt\n"
PYHANKO = Path(sys.executable).parent / "pyhanko"


@pytest.fixture(scope="module")
def pdf() -> bytes:
    source = '#set document(title: "Отчёт", date: datetime(year: 2027, month: 3, day: 1))\n= Отчёт Ң Ө Ү'
    return typst.compile(source.encode(), format="pdf", pdf_standards=["a-3b"])


@pytest.fixture(scope="module")
async def signed_pdf(signer: OrganisationSigner, pdf: bytes) -> bytes:
    return await signer.sign_pdf(pdf, reason="Custody report")


@pytest.fixture
async def detached(signer: OrganisationSigner, tmp_path: Path, demo: Demonstration, other: Demonstration) -> Path:
    """A directory with the content, its signature and two roots."""
    (tmp_path / "content").write_bytes(CONTENT)
    (tmp_path / "content.p7s").write_bytes(await signer.sign_detached(CONTENT))
    shutil.copy(demo.ca, tmp_path / "ca.pem")
    shutil.copy(other.ca, tmp_path / "other-ca.pem")
    return tmp_path


def cms(where: Path, *more: str, content: str = "content", ca: str = "ca.pem") -> tuple[int, str]:
    done = run(
        "openssl", "cms", "-verify", *more, "-binary", "-inform", "DER", "-in", "content.p7s", "-content", content,
        "-CAfile", ca, "-purpose", "any", "-out", "/dev/null", where=where,
    )  # fmt: skip
    return done.returncode, done.stdout


@pytest.mark.parametrize("form", [(), ("-cades",)])
def test_openssl_verifies_the_detached_signature_with_and_without_cades(detached: Path, form: tuple[str, ...]) -> None:
    code, said = cms(detached, *form)
    assert code == 0, said
    assert "erification successful" in said


def test_openssl_says_no_to_other_content_another_ca_and_a_changed_signature(detached: Path) -> None:
    (detached / "changed").write_bytes(CONTENT.replace(b"0", b"1", 1))
    assert cms(detached, "-cades", content="changed")[0] != 0
    code, said = cms(detached, "-cades", ca="other-ca.pem")
    assert code != 0
    assert "certificate verify error" in said
    signature = bytearray((detached / "content.p7s").read_bytes())
    at = len(signature) // 4  # inside what is signed or the signature itself
    signature[at] ^= 1
    (detached / "content.p7s").write_bytes(signature)
    assert cms(detached, "-cades")[0] != 0


def test_the_detached_signature_carries_a_timestamp(detached: Path) -> None:
    shown = run("openssl", "cms", "-cmsout", "-print", "-inform", "DER", "-in", "content.p7s", where=detached)
    assert "id-smime-aa-timeStampToken" in shown.stdout
    assert "id-smime-aa-signingCertificateV2" in shown.stdout


async def test_without_an_authority_the_signature_is_made_and_says_its_level(
    demo: Demonstration, tmp_path: Path
) -> None:
    plain = OrganisationSigner(lambda: pkcs12(demo), [], [], None)
    assert plain.level == "B-B"
    (tmp_path / "content.p7s").write_bytes(await plain.sign_detached(CONTENT))
    shown = run("openssl", "cms", "-cmsout", "-print", "-inform", "DER", "-in", "content.p7s", where=tmp_path)
    assert "timeStampToken" not in shown.stdout


def test_after_the_certificate_has_expired_a_reader_gives_the_time_of_the_signature(detached: Path) -> None:
    after = "2200000000"  # 2039: after the demonstration's certificates have ended
    code, said = cms(detached, "-cades", "-attime", after)
    assert code != 0
    assert "certificate has expired" in said
    during = str(int((detached / "content.p7s").stat().st_mtime))
    assert cms(detached, "-cades", "-attime", during)[0] == 0


def pdfsig(content: bytes, where: Path) -> str:
    (where / "report.pdf").write_bytes(content)
    return run("pdfsig", "-nocert", "report.pdf", where=where).stdout


def test_pdfsig_says_valid_and_whole_and_after_a_flipped_byte_digest_mismatch(
    signed_pdf: bytes, tmp_path: Path
) -> None:
    said = pdfsig(signed_pdf, tmp_path)
    assert "Signature is Valid" in said
    assert "Total document signed" in said
    at = signed_pdf.index(b"stream\n") + 20
    broken = bytearray(signed_pdf)
    broken[at] ^= 1
    assert "Digest Mismatch" in pdfsig(bytes(broken), tmp_path)


def test_pdfsig_notices_what_was_added_behind_the_signature(signed_pdf: bytes, tmp_path: Path) -> None:
    assert "Not total document signed" in pdfsig(signed_pdf + b"\n% added\n", tmp_path)


def pyhanko(content: bytes, where: Path, *roots: Path) -> tuple[int, str]:
    (where / "report.pdf").write_bytes(content)
    trust = [part for root in roots for part in ("--trust", str(root))]
    done = run(PYHANKO, "sign", "validate", *trust, "--trust-replace", "--pretty-print", "report.pdf", where=where)
    return done.returncode, done.stdout


def test_pyhanko_judges_it_valid_with_its_timestamp(signed_pdf: bytes, demo: Demonstration, tmp_path: Path) -> None:
    code, said = pyhanko(signed_pdf, tmp_path, demo.ca, demo.tsa_ca)
    assert code == 0, said
    assert "The signature is judged VALID" in said
    assert "Signature timestamp token" in said
    assert "The TSA certificate is trusted" in said


def test_pyhanko_says_no_to_a_flipped_byte_and_to_another_ca(
    signed_pdf: bytes, demo: Demonstration, other: Demonstration, tmp_path: Path
) -> None:
    broken = bytearray(signed_pdf)
    broken[signed_pdf.index(b"stream\n") + 20] ^= 1
    assert "judged INVALID" in pyhanko(bytes(broken), tmp_path, demo.ca, demo.tsa_ca)[1]
    assert "judged INVALID" in pyhanko(signed_pdf, tmp_path, other.ca, other.tsa_ca)[1]


def test_qpdf_finds_the_signed_file_sound(signed_pdf: bytes, tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(signed_pdf)
    done = run("qpdf", "--check", "report.pdf", where=tmp_path)
    assert done.returncode == 0, done.stdout


async def test_bytes_that_are_no_pdf_are_refused_in_words(signer: OrganisationSigner) -> None:
    with pytest.raises(SigningError, match="not signed"):
        await signer.sign_pdf(b"%PDF-1.7 but no more", reason="Custody report")
