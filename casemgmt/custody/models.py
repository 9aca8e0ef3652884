"""Tables of custody. Written only by the functions ``custody.offer`` and ``custody.answer``; read from here."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, FetchedValue, Identity
from sqlalchemy.orm import Mapped, mapped_column

from casemgmt.core.db import Base


class Handover(Base):
    """An offer of exhibits by one person to another. The place and ``device_at`` are the giver's device's claims."""

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
