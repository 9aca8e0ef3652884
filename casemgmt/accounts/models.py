"""Tables of the directory. Credentials and sessions have none here: no query of ours can read them."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, FetchedValue, Identity, Text
from sqlalchemy.dialects.postgresql import ARRAY, TSTZRANGE, Range
from sqlalchemy.orm import Mapped, mapped_column

from casemgmt.core.db import Base


class Principal(Base):
    """One number space for everyone a grant may name."""

    __tablename__ = "principal"
    __table_args__ = {"schema": "accounts"}

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    kind: Mapped[str]


class Agency(Base):
    __tablename__ = "agency"
    __table_args__ = {"schema": "accounts"}

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    code: Mapped[str]
    kind: Mapped[str]
    name: Mapped[str]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class Unit(Base):
    """A post, store or office. ``code`` is the four digits that begin the numbers it issues."""

    __tablename__ = "unit"
    __table_args__ = {"schema": "accounts"}

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    agency_id: Mapped[int] = mapped_column(BigInteger)
    code: Mapped[str]
    name: Mapped[str]
    place: Mapped[str]


class Person(Base):
    __tablename__ = "person"
    __table_args__ = {"schema": "accounts"}

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    login: Mapped[str]
    name: Mapped[str]
    badge: Mapped[str]
    created_at: Mapped[datetime]


class AppointmentRow(Base):
    __tablename__ = "appointment"
    __table_args__ = {"schema": "accounts"}

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    person_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str]
    unit_id: Mapped[int | None] = mapped_column(BigInteger)
    agency_id: Mapped[int | None] = mapped_column(BigInteger)
    valid: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)


class Passkey(Base):
    """A key somebody signs hand-overs with. ``spki`` is DER SubjectPublicKeyInfo, ``fingerprint`` the SHA-256 of it.

    ``kind``: ``passkey``, or ``pin`` for the key in a phone's store that its PIN opens. Of a passkey ``attestation``
    and ``client_data`` are the enrolment as the authenticator made it; of a phone's key there is ``device``, the
    identifier the phone made for itself, and ``proof``, the key's own signature of the enrolment.
    ``backup_eligible``: the key can be copied to other devices. Seen by its holder and by administrators.
    """

    __tablename__ = "passkey"
    __table_args__ = {"schema": "accounts"}

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    person_id: Mapped[int] = mapped_column(BigInteger, server_default=FetchedValue())
    kind: Mapped[str] = mapped_column(server_default=FetchedValue())
    device: Mapped[UUID | None]
    proof: Mapped[bytes | None]
    credential: Mapped[bytes | None]
    spki: Mapped[bytes]
    fingerprint: Mapped[bytes] = mapped_column(server_default=FetchedValue())
    algorithm: Mapped[int]
    name: Mapped[str]
    aaguid: Mapped[UUID | None]
    attestation_format: Mapped[str | None]
    attestation: Mapped[bytes | None]
    client_data: Mapped[bytes | None]
    transports: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=FetchedValue())
    backup_eligible: Mapped[bool]
    backed_up: Mapped[bool]
    rp_id: Mapped[str | None]
    origin: Mapped[str]
    enrolled_at: Mapped[datetime] = mapped_column(server_default=FetchedValue())


class PasskeyRevocation(Base):
    """The end of a key, by its holder or an administrator. What it signed before stays signed."""

    __tablename__ = "passkey_revocation"
    __table_args__ = {"schema": "accounts"}

    passkey_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    revoked_by: Mapped[int] = mapped_column(BigInteger, server_default=FetchedValue())
    reason: Mapped[str]
    note: Mapped[str]
    at: Mapped[datetime] = mapped_column(server_default=FetchedValue())
