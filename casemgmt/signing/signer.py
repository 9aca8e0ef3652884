"""The organisation's signature over bytes (CAdES, detached) and over a PDF (PAdES), with a timestamp where there is an
authority: levels B-T and B-B of ETSI EN 319 122 and 319 142."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from threading import Lock
from typing import Any, TypeVar

from asn1crypto import cms
from cryptography import x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.general import SigningError as PyHankoError
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, Signer
from pyhanko.sign.timestamps import TimeStamper

from casemgmt.signing.authority import Authorities
from casemgmt.signing.certificates import Chain, Condition, build_chain
from casemgmt.signing.credentials import Credential
from casemgmt.signing.errors import NotValidNowError, SigningError

DIGEST = "sha256"
FIELD = "OrganisationSignature"
RESERVED = 2 * 24 * 1024  # hex digits kept free in a PDF for the signature, its chain and its timestamp

T = TypeVar("T")


def utcnow() -> datetime:
    return datetime.now(UTC)


class OrganisationSigner:
    """Signs as the organisation. ``open_credential`` is called when the key is first needed and, until it succeeds,
    every time again: a token that is away at the start may come back."""

    def __init__(
        self,
        open_credential: Callable[[], Credential],
        others: list[x509.Certificate],
        lists: list[x509.CertificateRevocationList],
        authorities: Authorities | None,
        clock: Callable[[], datetime] = utcnow,
    ) -> None:
        self._open, self._others, self._lists = open_credential, others, lists
        self._authorities = authorities
        self._clock = clock
        self._opened: tuple[Credential, Chain] | None = None
        self._opening = Lock()

    @property
    def level(self) -> str:
        """What a signature made now will be: with a timestamp in it (B-T), or without (B-B)."""
        return "B-T" if self._authorities else "B-B"

    def without_timestamps(self) -> OrganisationSigner:
        """The same certificate and key, asking no authority."""
        other = OrganisationSigner(self._open, self._others, self._lists, None, self._clock)
        other._opened = self._opened
        return other

    def chain(self) -> Chain:
        """Blocks while a token is asked for the first time. Raises CredentialError."""
        return self._credential()[1]

    def condition(self) -> Condition:
        """What is known of the certificate now. Blocks like ``chain``. Raises CredentialError."""
        return self.chain().condition(self._clock())

    async def sign_detached(self, content: bytes) -> bytes:
        """CAdES over ``content``, which is not inside: a CMS SignedData in DER.

        Raises NotValidNowError, CredentialError, or NoTimestampError when authorities are configured and none answers.
        """
        return await asyncio.to_thread(self._sign, lambda signer, stamper: _detached(signer, content, stamper))

    async def sign_pdf(self, pdf: bytes, *, reason: str, location: str = "") -> bytes:
        """PAdES over a PDF, as one incremental update with a widget nobody sees: a PDF/A stays one.

        Raises as ``sign_detached``, and SigningError for bytes that are not a PDF that can be signed.
        """
        about = PdfSignatureMetadata(
            field_name=FIELD, md_algorithm=DIGEST, subfilter=SigSeedSubFilter.PADES,
            reason=reason, location=location or None,
        )  # fmt: skip
        return await asyncio.to_thread(self._sign, lambda signer, stamper: _in_pdf(signer, pdf, about, stamper))

    def _credential(self) -> tuple[Credential, Chain]:
        with self._opening:
            if self._opened is None:
                credential = self._open()
                others = [*credential.others, *self._others]
                self._opened = credential, build_chain(credential.certificate, others, self._lists)
            return self._opened

    def _sign(self, work: Callable[[Signer, TimeStamper | None], Coroutine[Any, Any, T]]) -> T:
        """In a thread with an event loop of its own: key, hash and authority may all block."""
        credential, chain = self._credential()
        condition = chain.condition(self._clock())
        if not condition.usable:
            raise NotValidNowError(str(condition))
        stamper = _Stamper(self._authorities) if self._authorities else None
        try:
            with credential.signer(chain.certificates) as signer:
                return asyncio.run(work(signer, stamper))
        except (PyHankoError, PdfError) as error:
            raise SigningError(f"not signed: {error}") from error


class _Stamper(TimeStamper):
    """Timestamps inside signatures come from the same authorities, checked the same way."""

    def __init__(self, authorities: Authorities) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._authorities = authorities

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> cms.ContentInfo:
        return cms.ContentInfo.load(self._authorities.stamp_digest(message_digest, md_algorithm).token)


async def _detached(signer: Signer, content: bytes, stamper: TimeStamper | None) -> bytes:
    made = await signer.async_sign_general_data(content, DIGEST, detached=True, use_cades=True, timestamper=stamper)
    return bytes(made.dump())


async def _in_pdf(signer: Signer, pdf: bytes, about: PdfSignatureMetadata, stamper: TimeStamper | None) -> bytes:
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    signed = io.BytesIO()
    await PdfSigner(about, signer=signer, timestamper=stamper).async_sign_pdf(
        writer, bytes_reserved=RESERVED, output=signed
    )
    return signed.getvalue()
