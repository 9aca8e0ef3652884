"""Tables of the ledger. Entries are written by ``core.events``, the rest by the sequencer alone."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Identity, Text
from sqlalchemy.orm import Mapped, mapped_column

from casemgmt.core.db import Base


class Entry(Base):
    """One event: the exact bytes that are its leaf. Row-level security shows it to those who see what it is about."""

    __tablename__ = "entry"
    __table_args__ = {"schema": "ledger"}

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    event_id: Mapped[UUID]
    stream: Mapped[str]
    stream_seq: Mapped[int]
    type: Mapped[str]
    seizure_id: Mapped[int | None] = mapped_column(BigInteger)
    exhibit_id: Mapped[int | None] = mapped_column(BigInteger)
    case_id: Mapped[int | None] = mapped_column(BigInteger)
    actor_id: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]
    body: Mapped[bytes]
    leaf_hash: Mapped[bytes]


class Leaf(Base):
    """Where an entry stands in the tree. An entry without one is not sequenced yet."""

    __tablename__ = "leaf"
    __table_args__ = {"schema": "ledger"}

    leaf_index: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entry_id: Mapped[int] = mapped_column(BigInteger)


class Tile(Base):
    """Up to 256 hashes of one level (C2SP tlog-tiles); only the widest form of a tile is kept."""

    __tablename__ = "tile"
    __table_args__ = {"schema": "ledger"}

    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    n: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    width: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    data: Mapped[bytes]


class SignedCheckpoint(Base):
    """A tree size with its root and the note the log signed over it."""

    __tablename__ = "checkpoint"
    __table_args__ = {"schema": "ledger"}

    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    root: Mapped[bytes]
    note: Mapped[str]
    at: Mapped[datetime]


class Log(Base):
    """The one row that says under which name and key this installation's log signs."""

    __tablename__ = "log"
    __table_args__ = {"schema": "ledger"}

    origin: Mapped[str] = mapped_column(primary_key=True)
    vkey: Mapped[str]
    since: Mapped[datetime]


class PolicyVersion(Base):
    """One policy after another; the newest is in force. ``entry_id`` is the event that made it so."""

    __tablename__ = "policy"
    __table_args__ = {"schema": "ledger"}

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    text: Mapped[str]
    witnessed: Mapped[bool]
    entry_id: Mapped[int] = mapped_column(BigInteger)
    changed_by: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]


class Cosignature(Base):
    """A witness's signature over the checkpoint of ``size``, as it came after the key id: 72 bytes."""

    __tablename__ = "cosignature"
    __table_args__ = {"schema": "ledger"}

    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    vkey: Mapped[str] = mapped_column(primary_key=True)
    signature: Mapped[bytes]
    at: Mapped[datetime]


class Alarm(Base):
    """A witness that knows another history of ours. Open until its key cosigns again or leaves the policy."""

    __tablename__ = "alarm"
    __table_args__ = {"schema": "ledger"}

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    vkey: Mapped[str]
    status: Mapped[int]
    asked: Mapped[int] = mapped_column(BigInteger)
    told: Mapped[int | None] = mapped_column(BigInteger)
    detail: Mapped[str]
    at: Mapped[datetime]


class WitnessState(Base):
    """How it goes with one witness now. ``failing_since`` is null when its last answer was a cosignature."""

    __tablename__ = "witness_state"
    __table_args__ = {"schema": "ledger"}

    vkey: Mapped[str] = mapped_column(primary_key=True)
    failing_since: Mapped[datetime | None]
    problem: Mapped[str | None]
    detail: Mapped[str | None]
    at: Mapped[datetime]


class Timestamp(Base):
    """A timestamp (RFC 3161) over a published checkpoint: ``response`` is over the bytes of ``note``."""

    __tablename__ = "timestamp"
    __table_args__ = {"schema": "ledger"}

    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    note: Mapped[str]
    time: Mapped[datetime]
    authority: Mapped[str]
    policy: Mapped[str]
    response: Mapped[bytes]
    at: Mapped[datetime]


class Verification(Base):
    """What one recomputation of the whole ledger found. Row-level security shows it to administrators and auditors."""

    __tablename__ = "verification"
    __table_args__ = {"schema": "ledger"}

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    began: Mapped[datetime]
    ended: Mapped[datetime]
    entries: Mapped[int] = mapped_column(BigInteger)
    objects: Mapped[int] = mapped_column(BigInteger)
    faults: Mapped[list[str]] = mapped_column(ARRAY(Text))
