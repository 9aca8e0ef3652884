"""Tables of custody. Written only by ``custody.offer``, ``custody.answer`` and ``custody.sign``; read from here."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, FetchedValue, Identity, Integer, Text
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.orm import Mapped, mapped_column

from casemgmt.core.db import Base


class Handover(Base):
    """An offer of exhibits by one person to another. The place and ``device_at`` are the giver's device's claims.

    ``agreement_id``: it was agreed between two phones without a network, and answered before it came here.
    """

    __tablename__ = "handover"
    __table_args__ = {"schema": "custody"}

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    client_id: Mapped[UUID]
    number: Mapped[str]
    from_id: Mapped[int] = mapped_column(BigInteger, server_default=FetchedValue())
    to_id: Mapped[int] = mapped_column(BigInteger)
    purpose: Mapped[str]
    place: Mapped[str]
    note: Mapped[str]
    latitude: Mapped[Decimal | None]
    longitude: Mapped[Decimal | None]
    accuracy_m: Mapped[Decimal | None]
    device_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=FetchedValue())
    agreement_id: Mapped[int | None] = mapped_column(BigInteger)


class HandoverItem(Base):
    """One exhibit of a hand-over. ``state``: offered, accepted, refused or withdrawn; it moves once, from offered."""

    __tablename__ = "handover_item"
    __table_args__ = {"schema": "custody"}

    handover_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    exhibit_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    seizure_id: Mapped[int] = mapped_column(BigInteger)
    from_id: Mapped[int] = mapped_column(BigInteger)
    to_id: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(server_default=FetchedValue())
    answered_at: Mapped[datetime | None]


class CustodyEvent(Base):
    """One link of an exhibit's chain. ``hash`` is the leaf hash of its body in the ledger, ``prev`` of the one before.

    ``seal_no`` is what whoever acted read on the exhibit. ``at`` is the server's time, ``device_at`` the device's.
    ``agreement_id``: it comes from an agreement of two phones; kinds ``disputed`` and ``resolved`` always do.
    """

    __tablename__ = "event"
    __table_args__ = {"schema": "custody"}

    exhibit_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    seizure_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str]
    actor_id: Mapped[int] = mapped_column(BigInteger, server_default=FetchedValue())
    handover_id: Mapped[int | None] = mapped_column(BigInteger)
    from_id: Mapped[int | None] = mapped_column(BigInteger)
    to_id: Mapped[int | None] = mapped_column(BigInteger)
    seal_no: Mapped[str | None]
    seal_state: Mapped[str | None]
    reason: Mapped[str | None]
    discrepancy: Mapped[str | None]
    note: Mapped[str | None]
    at: Mapped[datetime] = mapped_column(server_default=FetchedValue())
    device_at: Mapped[datetime | None]
    hash: Mapped[bytes]
    prev: Mapped[bytes | None]
    agreement_id: Mapped[int | None] = mapped_column(BigInteger)


class SignatureRequest(Base):
    """An offer or answer that waits for its person's key: the exact bytes, and all that writing them takes.

    It belongs to one session and ends with it, with its time, or when it is signed. ``asked`` is the form as it was
    sent (JSON). The arrays have one element for each exhibit.
    """

    __tablename__ = "signature_request"
    __table_args__ = {"schema": "custody"}

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(BigInteger, server_default=FetchedValue())
    token_hash: Mapped[bytes]
    passkey_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str]
    asked: Mapped[bytes]
    statement: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=FetchedValue())
    expires_at: Mapped[datetime]
    client_id: Mapped[UUID | None]
    number: Mapped[str | None]
    to_id: Mapped[int | None] = mapped_column(BigInteger)
    purpose: Mapped[str | None]
    place: Mapped[str | None]
    note: Mapped[str | None]
    latitude: Mapped[Decimal | None]
    longitude: Mapped[Decimal | None]
    accuracy_m: Mapped[Decimal | None]
    device_at: Mapped[datetime | None]
    handover_id: Mapped[int | None] = mapped_column(BigInteger)
    exhibits: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    kinds: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    expected: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    prevs: Mapped[list[bytes]] = mapped_column(ARRAY(BYTEA))
    events: Mapped[list[UUID]] = mapped_column(ARRAY(PG_UUID(as_uuid=True)))
    bodies: Mapped[list[bytes]] = mapped_column(ARRAY(BYTEA))
    seals: Mapped[list[str | None]] = mapped_column(ARRAY(Text))
    seal_states: Mapped[list[str | None]] = mapped_column(ARRAY(Text))
    reasons: Mapped[list[str | None] | None] = mapped_column(ARRAY(Text))
    discrepancies: Mapped[list[str | None] | None] = mapped_column(ARRAY(Text))
    notes: Mapped[list[str | None] | None] = mapped_column(ARRAY(Text))


class AssertionRow(Base):
    """What a key said yes to, byte for byte (docs/spec/signature.md). ``spki``, ``rp_id``, ``origin`` are the key's.

    A signature by PIN has no ``rp_id``, ``client_data`` and ``authenticator_data``. ``record``: what was signed on a
    phone without a network, where the events only repeat it.
    """

    __tablename__ = "assertion"
    __table_args__ = {"schema": "custody"}

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    request_id: Mapped[UUID]
    person_id: Mapped[int] = mapped_column(BigInteger, server_default=FetchedValue())
    passkey_id: Mapped[int] = mapped_column(BigInteger)
    handover_id: Mapped[int] = mapped_column(BigInteger)
    spki: Mapped[bytes]
    rp_id: Mapped[str | None]
    origin: Mapped[str]
    statement: Mapped[bytes]
    client_data: Mapped[bytes | None]
    authenticator_data: Mapped[bytes | None]
    signature: Mapped[bytes]
    record: Mapped[bytes | None]
    at: Mapped[datetime] = mapped_column(server_default=FetchedValue())


class SignatureRow(Base):
    """A custody event that is signed, and the assertion that signs it. An event without one is signed in only."""

    __tablename__ = "signature"
    __table_args__ = {"schema": "custody"}

    exhibit_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    assertion_id: Mapped[int] = mapped_column(BigInteger)
