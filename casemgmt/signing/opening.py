"""From the settings to what signs and stamps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from casemgmt.settings import PREFIX, Seal, SettingError, Settings, TimestampAuthority
from casemgmt.signing.authority import Authorities, Authority, HttpAuthority
from casemgmt.signing.certificates import read_certificates, read_lists
from casemgmt.signing.credentials import Credential, Pkcs11, Pkcs12
from casemgmt.signing.errors import CredentialError
from casemgmt.signing.local_authority import LocalAuthority
from casemgmt.signing.signer import OrganisationSigner


@dataclass(frozen=True, slots=True)
class Signing:
    """What this installation signs and stamps with. Without ``signer`` packages are unsigned, without ``authorities``
    nothing is timestamped: both are said wherever it matters."""

    signer: OrganisationSigner | None
    authorities: Authorities | None

    def demonstration(self) -> bool:
        """Is any of it a demonstration's? Then everything made with it says so. Blocks; raises CredentialError."""
        return bool(
            (self.authorities is not None and self.authorities.demonstration)
            or (self.signer is not None and self.signer.chain().demonstration)
        )

    def key_files(self) -> Mapping[str, bytes]:
        """What goes into a package's ``keys/``, by file name. Blocks; raises CredentialError."""
        files = {}
        if self.signer is not None:
            files["organisation-ca.pem"] = self.signer.chain().issuers_pem
        if self.authorities is not None:
            files["timestamp-ca.pem"] = self.authorities.chain_pem
        return files


def open_signing(settings: Settings) -> Signing:
    """A PKCS#12 file is opened now, so that a wrong password stops the start; a token when it is first needed, so that
    one that is away stops nothing else. Raises SettingError."""
    authorities = None
    if settings.timestamp_authorities:
        timeout = settings.timestamp_timeout
        authorities = Authorities([_authority(given, timeout) for given in settings.timestamp_authorities])
    return Signing(_signer(settings.seal, authorities), authorities)


def _signer(seal: Seal, authorities: Authorities | None) -> OrganisationSigner | None:
    if seal.pkcs12_file is None and seal.pkcs11_module is None:
        return None
    try:
        others = read_certificates(*_named(seal.chain_file)) if seal.chain_file else []
        lists = read_lists(*_named(seal.crl_file)) if seal.crl_file else []
        signer = OrganisationSigner(lambda: _credential(seal), others, lists, authorities)
        if seal.pkcs12_file is not None:
            signer.chain()
    except CredentialError as error:
        raise SettingError(f"{PREFIX}SEAL_…: {error}") from error
    return signer


def _credential(seal: Seal) -> Credential:
    if seal.pkcs12_file is not None:
        return Pkcs12(seal.pkcs12_file, seal.pkcs12_password)
    if seal.pkcs11_module is None:
        raise CredentialError("neither a PKCS#12 file nor a token is configured")
    return Pkcs11(seal.pkcs11_module, seal.pkcs11_token, seal.pkcs11_label, seal.pkcs11_pin)


def _authority(given: TimestampAuthority, timeout: float) -> Authority:
    try:
        trusted = read_certificates(*_named(given.ca_file))
    except CredentialError as error:
        raise SettingError(f"{PREFIX}TIMESTAMP_AUTHORITIES: {error}") from error
    parts = urlsplit(given.url)
    if parts.scheme == "file":
        return LocalAuthority(Path(url2pathname(parts.path)), trusted, given.policy, timeout)
    return HttpAuthority(given.url, trusted, given.policy, timeout)


def _named(path: Path) -> tuple[bytes, str]:
    try:
        return path.read_bytes(), str(path)
    except OSError as error:
        raise CredentialError(f"{path} cannot be read: {error.strerror}") from error
