"""Tables of seizures. Rows are never changed: what was wrong is corrected by an event beside them."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, Column, FetchedValue, Identity, Table, Text
from sqlalchemy.orm import Mapped, mapped_column

from casemgmt.core.db import Base


class Seizure(Base):
    """``ntk`` (need to know) hides it from everybody not named on its list."""

    __tablename__ = "seizure"
    __table_args__ = {"schema": "seizures"}

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    client_id: Mapped[uuid.UUID]
    number: Mapped[str]
    agency_id: Mapped[int] = mapped_column(BigInteger)
    unit_id: Mapped[int] = mapped_column(BigInteger)
    ntk: Mapped[bool] = mapped_column(server_default=FetchedValue())
    created_by: Mapped[int] = mapped_column(BigInteger, server_default=FetchedValue())
    created_at: Mapped[datetime] = mapped_column(server_default=FetchedValue())
    seized_at: Mapped[datetime]
    # The device's own claims; nothing here confirms them.
    device_at: Mapped[datetime | None]
    device_offset: Mapped[int | None]
    place: Mapped[str]
    latitude: Mapped[Decimal | None]
    longitude: Mapped[Decimal | None]
    accuracy_m: Mapped[Decimal | None]
    direction: Mapped[str | None]
    detection: Mapped[str | None]
    ground: Mapped[str]
    circumstances: Mapped[str]


class NumberBlock(Base):
    """Serial numbers ``first`` to ``first + count - 1`` of a unit's year, which only this device gives."""

    __tablename__ = "number_block"
    __table_args__ = {"schema": "seizures"}

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    client_id: Mapped[uuid.UUID]
    device: Mapped[uuid.UUID]
    person_id: Mapped[int] = mapped_column(BigInteger, server_default=FetchedValue())
    unit_id: Mapped[int] = mapped_column(BigInteger)
    year: Mapped[int]
    first: Mapped[int]
    count: Mapped[int]
    at: Mapped[datetime] = mapped_column(server_default=FetchedValue())


class Participant(Base):
    """A person who was present. Personal data: the ledger holds a commitment made with ``salt``, never the values."""

    __tablename__ = "participant"
    __table_args__ = {"schema": "seizures"}

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    seizure_id: Mapped[int] = mapped_column(BigInteger)
    role: Mapped[str]
    name: Mapped[str]
    document: Mapped[str]
    address: Mapped[str]
    note: Mapped[str]
    refused_signature: Mapped[bool]
    salt: Mapped[bytes]


class Conveyance(Base):
    """``identifier`` is as painted, even when wrong; ``verdict`` is what its check said then (see ``rules``)."""

    __tablename__ = "conveyance"
    __table_args__ = {"schema": "seizures"}

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    seizure_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str]
    identifier: Mapped[str]
    country: Mapped[str]
    verdict: Mapped[str]


SEARCH_KEY = Table(
    "search_key",
    Base.metadata,
    Column("key", Text),
    Column("kind", Text),
    Column("seizure_id", BigInteger),
    Column("unit_id", BigInteger),
    Column("agency_id", BigInteger),
    schema="access",
)
