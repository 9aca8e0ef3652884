"""Every setting, typed, from ``CASEMGMT_*`` variables. Nothing else in casemgmt reads the environment."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

PREFIX = "CASEMGMT_"
LANGUAGES = ("en", "ru", "ky", "kk")

_AUTHORITY = re.compile(r"((?:https?|file)://\S+)\s+(\S.*?)(?:\s+([0-2](?:\.[0-9]+)+))?")


class SettingError(Exception):
    """A variable is missing, misspelt or has a value we cannot use; the message names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """Where the organisation's certificate and its private key are; neither given: packages are not signed."""

    pkcs12_file: Path | None
    pkcs12_password: str = field(repr=False)
    pkcs11_module: Path | None  # the token's library; the key never leaves the token
    pkcs11_token: str
    pkcs11_label: str  # of both the certificate and its key
    pkcs11_pin: str = field(repr=False)
    chain_file: Path | None  # PEM: issuers up to the root, as far as the others do not hold them
    crl_file: Path | None  # PEM: revocation lists of those issuers, one after the other


@dataclass(frozen=True, slots=True)
class TimestampAuthority:
    """A timestamp authority (RFC 3161). ``url`` may hold a password; ``file:`` is a demonstration's own directory."""

    url: str = field(repr=False)
    ca_file: Path
    policy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an instance is told from outside. Secrets do not show in ``repr``."""

    data_dir: Path  # uploads under way; in the one-machine default also the database, the store and the keys
    host: str
    port: int  # 0: any free one
    public_url: str  # what people type, without a trailing slash; https makes cookies Secure
    trusted_proxies: str  # addresses whose X-Forwarded-* are believed, as uvicorn's forwarded_allow_ips
    app_dsn: str = field(repr=False)
    gate_dsn: str = field(repr=False)
    sequencer_dsn: str = field(repr=False)
    owner_dsn: str | None = field(repr=False)  # only migrations need it; a web process should not have it
    verifier_dsn: str | None = field(repr=False)  # only `casemgmt ledger verify` needs it
    store_url: str  # see casemgmt.storage.config.open_store
    store_access_key: str = field(repr=False)
    store_secret_key: str = field(repr=False)
    log_key_file: Path | None  # the ledger's signing key; only the worker opens it
    signer_socket: Path | None  # where `casemgmt signer` listens; instead of the key
    signing_record: Path | None  # what the key signed last; beside the key when not given
    checkpoint_pace: float  # seconds between two signed checkpoints while entries keep coming
    verify_every: timedelta  # how often the worker recomputes the whole ledger; 0: never
    seal: Seal
    timestamp_authorities: tuple[TimestampAuthority, ...]  # asked in this order
    timestamp_timeout: float  # seconds each of them may take
    seal_without_timestamp: bool  # when no authority answers; otherwise nothing is sealed then
    timestamp_interval: timedelta  # between two timestamps of the ledger, while there is news
    policy_file: Path | None  # the witness policy that must be in force; the worker publishes under no other
    hashids_salt: str = field(repr=False)
    session_lifetime: timedelta
    max_upload_bytes: int
    upload_life: timedelta  # how long an upload in pieces is kept that gets no more bytes
    retention: timedelta  # how long a store that has Object Lock keeps each file from deletion
    language: str
    zone: ZoneInfo
    demo: bool
    ingest_threads: int
    synced_passkeys: bool  # may people sign with keys that can be copied to other devices?
    workers: int  # web processes of `casemgmt serve`
    inspectors: int  # processes that look into files at a time, in each process of ours
    c2pa_anchors_file: Path | None  # PEM certificates of those whose C2PA signatures count as trusted


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process. Raises SettingError for the first variable that is wrong."""
    reader = Reader(os.environ if environ is None else environ)
    settings = read(reader)
    reader.refuse_unknown()
    return settings


def read(reader: "Reader") -> Settings:
    """Ask the reader for every setting there is."""
    host = reader.text("HOST", "127.0.0.1")
    port = reader.integer("PORT", 8000, 0, 65535)
    named_host = "localhost" if host in ("127.0.0.1", "::1", "0.0.0.0", "::") else host  # noqa: S104
    return Settings(
        data_dir=reader.path("DATA_DIR", "data"),
        host=host,
        port=port,
        public_url=reader.web_address("PUBLIC_URL", f"http://{named_host}:{port}"),
        trusted_proxies=reader.text("TRUSTED_PROXIES", "127.0.0.1"),
        app_dsn=reader.database("APP_URL"),
        gate_dsn=reader.database("GATE_URL"),
        sequencer_dsn=reader.database("SEQUENCER_URL"),
        owner_dsn=reader.database("OWNER_URL") if reader.given("OWNER_URL") else None,
        verifier_dsn=reader.database("VERIFIER_URL") if reader.given("VERIFIER_URL") else None,
        store_url=reader.text("STORE_URL"),
        store_access_key=reader.secret("STORE_ACCESS_KEY", ""),
        store_secret_key=reader.secret("STORE_SECRET_KEY", ""),
        log_key_file=reader.path_if_given("LOG_KEY_FILE"),
        signer_socket=reader.path_if_given("SIGNER_SOCKET"),
        signing_record=reader.path_if_given("SIGNING_RECORD"),
        checkpoint_pace=reader.integer("CHECKPOINT_MILLISECONDS", 500, 0, 60_000) / 1000,
        verify_every=timedelta(hours=reader.integer("LEDGER_VERIFY_HOURS", 24, 0, 24 * 30)),
        seal=_read_seal(reader),
        timestamp_authorities=reader.authorities("TIMESTAMP_AUTHORITIES"),
        timestamp_timeout=float(reader.integer("TIMESTAMP_TIMEOUT", 10, 1, 120)),
        seal_without_timestamp=reader.flag("SEAL_WITHOUT_TIMESTAMP"),
        timestamp_interval=timedelta(minutes=reader.integer("TIMESTAMP_MINUTES", 60, 1, 24 * 60)),
        policy_file=reader.path_if_given("POLICY_FILE"),
        hashids_salt=reader.secret("HASHIDS_SALT"),
        session_lifetime=timedelta(hours=reader.integer("SESSION_HOURS", 12, 1, 24 * 30)),
        max_upload_bytes=reader.integer("MAX_UPLOAD_MIB", 16 * 1024, 1, 1024 * 1024) * 1024 * 1024,
        upload_life=timedelta(days=reader.integer("UPLOAD_DAYS", 7, 1, 90)),
        retention=timedelta(days=reader.integer("RETENTION_DAYS", 10 * 365, 1, 100 * 365)),
        language=reader.choice("LANGUAGE", LANGUAGES),
        zone=reader.zone("TIME_ZONE", "UTC"),
        demo=reader.flag("DEMO"),
        ingest_threads=reader.integer("INGEST_THREADS", 4, 2, 64),
        synced_passkeys=reader.choice("SYNCED_PASSKEYS", ("allow", "refuse")) == "allow",
        workers=reader.integer("WORKERS", 1, 1, 64),
        inspectors=reader.integer("INSPECTORS", 2, 1, 16),
        c2pa_anchors_file=reader.path("C2PA_ANCHORS_FILE") if reader.given("C2PA_ANCHORS_FILE") else None,
    )


def _read_seal(reader: "Reader") -> Seal:
    seal = Seal(
        pkcs12_file=reader.path_if_given("SEAL_PKCS12_FILE"),
        pkcs12_password=reader.secret("SEAL_PKCS12_PASSWORD", ""),
        pkcs11_module=reader.path_if_given("SEAL_PKCS11_MODULE"),
        pkcs11_token=reader.text("SEAL_PKCS11_TOKEN", ""),
        pkcs11_label=reader.text("SEAL_PKCS11_LABEL", ""),
        pkcs11_pin=reader.secret("SEAL_PKCS11_PIN", ""),
        chain_file=reader.path_if_given("SEAL_CHAIN_FILE"),
        crl_file=reader.path_if_given("SEAL_CRL_FILE"),
    )
    if seal.pkcs12_file and seal.pkcs11_module:
        raise SettingError(f"{PREFIX}SEAL_PKCS12_FILE and {PREFIX}SEAL_PKCS11_MODULE are both set: which one signs?")
    if seal.pkcs11_module and not (seal.pkcs11_token and seal.pkcs11_label):
        raise SettingError(f"{PREFIX}SEAL_PKCS11_MODULE needs {PREFIX}SEAL_PKCS11_TOKEN and {PREFIX}SEAL_PKCS11_LABEL")
    return seal


class Reader:
    """Turns variables into values, and remembers which were asked for, so that a misspelt one is noticed."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.asked: list[str] = []
        self._secret_files: list[str] = []

    def text(self, name: str, default: str | None = None) -> str:
        if name not in self.asked:
            self.asked.append(name)
        value = self._environ.get(PREFIX + name, "").strip() or default
        if value is None:
            raise SettingError(f"{PREFIX}{name} is not set, and there is no default for it")
        return value

    def secret(self, name: str, default: str | None = None) -> str:
        """A secret, given itself or as ``…_FILE``, the path of a file that holds it."""
        self._secret_files.append(f"{name}_FILE")
        file = self._environ.get(f"{PREFIX}{name}_FILE")
        if not file:
            return self.text(name, default)
        self.asked.append(name)
        if self._environ.get(PREFIX + name):
            raise SettingError(f"{PREFIX}{name} and {PREFIX}{name}_FILE are both set: which one counts?")
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingError(f"{PREFIX}{name}_FILE: {file} cannot be read ({error})") from error

    def given(self, name: str) -> bool:
        self.asked.append(name)
        return any(self._environ.get(PREFIX + variable) for variable in (name, f"{name}_FILE"))

    def integer(self, name: str, default: int, least: int, most: int) -> int:
        value = self.text(name, str(default))
        try:
            number = int(value)
        except ValueError:
            raise self._bad(name, value, "a whole number") from None
        if not least <= number <= most:
            raise self._bad(name, value, f"between {least} and {most}")
        return number

    def flag(self, name: str) -> bool:
        return self.choice(name, ("0", "1")) == "1"

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """One of ``choices``; the first is the default."""
        value = self.text(name, choices[0])
        if value not in choices:
            raise self._bad(name, value, f"one of {', '.join(choices)}")
        return value

    def path(self, name: str, default: str | None = None) -> Path:
        return Path(self.text(name, default)).expanduser().absolute()

    def path_if_given(self, name: str) -> Path | None:
        return self.path(name) if self.text(name, "") else None

    def authorities(self, name: str) -> tuple[TimestampAuthority, ...]:
        """``URL CA-FILE`` or ``URL CA-FILE POLICY``, several of them separated by semicolons."""
        found: list[TimestampAuthority] = []
        for entry in filter(None, map(str.strip, self.secret(name, "").split(";"))):
            parts = _AUTHORITY.fullmatch(entry)
            if parts is None:
                # An address may hold a password: it is not repeated.
                raise SettingError(
                    f"{PREFIX}{name}: entry {len(found) + 1} must be the authority's address and the path of its CA "
                    "certificates, as in https://tsa.example.org/tsr /etc/casemgmt/tsa-ca.pem"
                )
            found.append(TimestampAuthority(parts[1], Path(parts[2]).expanduser().absolute(), parts[3]))
        return tuple(found)

    def zone(self, name: str, default: str) -> ZoneInfo:
        value = self.text(name, default)
        try:
            return ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise self._bad(name, value, "the name of a time zone, as in Asia/Bishkek") from None

    def web_address(self, name: str, default: str) -> str:
        value = self.text(name, default)
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/") or parts.query:
            raise self._bad(name, value, "an address without a path, as in https://evidence.example.org")
        return value.rstrip("/")

    def database(self, name: str) -> str:
        value = self.secret(name)
        if urlsplit(value).scheme not in ("postgresql", "postgres"):
            # The value may hold a password: it is not repeated.
            raise SettingError(f"{PREFIX}{name} must begin with postgresql://")
        return value

    def refuse_unknown(self) -> None:
        known = [PREFIX + name for name in (*self.asked, *self._secret_files)]
        for name in sorted(self._environ):
            if name.startswith(PREFIX) and name not in known:
                near = get_close_matches(name, known, 1)
                hint = f": did you mean {near[0]}?" if near else ""
                raise SettingError(f"{name} is not a setting{hint}")

    @staticmethod
    def _bad(name: str, value: str, wanted: str) -> SettingError:
        return SettingError(f"{PREFIX}{name} must be {wanted}, not {value!r}")
