"""Tables of evidence files. The application's role inserts and reads; nobody changes or removes a row."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, FetchedValue, Identity
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from casemgmt.core.db import Base


class File(Base):
    """One file as it was received. ``sha256`` and ``crc32`` are of the stored bytes, computed while they arrived.

    ``media_type`` was told from the bytes; ``original_name``, ``declared_type``, ``device_at`` and the place are the
    sender's claims, and so is ``shows``, what a photograph was said to show when it was sent. ``exhibit_id`` None: the
    file belongs to the seizure as a whole. ``retained_until`` None: the store holds no lock on it.
    """

    __tablename__ = "file"
    __table_args__ = {"schema": "evidence"}

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    client_id: Mapped[UUID]
    seizure_id: Mapped[int] = mapped_column(BigInteger)
    exhibit_id: Mapped[int | None] = mapped_column(BigInteger)
    agency_id: Mapped[int] = mapped_column(BigInteger)
    unit_id: Mapped[int] = mapped_column(BigInteger)
    ntk: Mapped[bool]
    kind: Mapped[str]
    object_key: Mapped[str]
    store_version: Mapped[str | None]
    original_name: Mapped[str]
    media_type: Mapped[str]
    declared_type: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[bytes]
    crc32: Mapped[int] = mapped_column(BigInteger)
    hash_declared: Mapped[bool]
    received_by: Mapped[int] = mapped_column(BigInteger, server_default=FetchedValue())
    received_at: Mapped[datetime] = mapped_column(server_default=FetchedValue())
    device_at: Mapped[datetime | None]
    latitude: Mapped[Decimal | None]
    longitude: Mapped[Decimal | None]
    accuracy_m: Mapped[Decimal | None]
    retained_until: Mapped[datetime | None]
    shows: Mapped[str | None]


class Showing(Base):
    """What a photograph was said to show after it had been received; the newest of a file holds. ``shows`` None: none
    of the points after all. ``device_at``: by the clock of whoever said it, claimed."""

    __tablename__ = "showing"
    __table_args__ = {"schema": "evidence"}

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    file_id: Mapped[int] = mapped_column(BigInteger)
    shows: Mapped[str | None]
    said_by: Mapped[int] = mapped_column(BigInteger, server_default=FetchedValue())
    at: Mapped[datetime] = mapped_column(server_default=FetchedValue())
    device_at: Mapped[datetime | None]


class Refusal(Base):
    """A file that was not taken, and why. ``actual_sha256`` is of the ``size`` bytes that were looked at."""

    __tablename__ = "refusal"
    __table_args__ = {"schema": "evidence"}

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    seizure_id: Mapped[int] = mapped_column(BigInteger)
    exhibit_id: Mapped[int | None] = mapped_column(BigInteger)
    original_name: Mapped[str]
    reason: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    declared_sha256: Mapped[bytes | None]
    actual_sha256: Mapped[bytes | None]
    refused_by: Mapped[int] = mapped_column(BigInteger, server_default=FetchedValue())
    at: Mapped[datetime] = mapped_column(server_default=FetchedValue())


class Fixity(Base):
    """One time the stored bytes were read again: ``unchanged``, ``changed``, ``missing`` or ``unreadable``."""

    __tablename__ = "fixity"
    __table_args__ = {"schema": "evidence"}

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    file_id: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(server_default=FetchedValue())
    outcome: Mapped[str]
    found_sha256: Mapped[bytes | None]


class Reading(Base):
    """One time somebody saw (``view``) or took (``download``) a file."""

    __tablename__ = "reading"
    __table_args__ = {"schema": "evidence"}

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    file_id: Mapped[int] = mapped_column(BigInteger)
    person_id: Mapped[int] = mapped_column(BigInteger, server_default=FetchedValue())
    at: Mapped[datetime] = mapped_column(server_default=FetchedValue())
    how: Mapped[str]
    reason: Mapped[str]


class Observation(Base):
    """What one look into a file found, as its maker claims it. ``body`` is the exact document the event names by its
    SHA-256; ``summary`` is the same without all EXIF fields and the raw C2PA manifests. docs/spec/observation.md."""

    __tablename__ = "observation"
    __table_args__ = {"schema": "evidence"}

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    file_id: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(server_default=FetchedValue())
    body: Mapped[bytes] = mapped_column(deferred=True)
    sha256: Mapped[bytes] = mapped_column(FetchedValue())
    summary: Mapped[dict[str, Any]] = mapped_column(JSONB)
