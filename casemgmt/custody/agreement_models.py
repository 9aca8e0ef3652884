"""Tables of what was agreed without a network. Written only by the functions of migration 0012; read from here."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, FetchedValue, Identity
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from casemgmt.core.db import Base


class Agreement(Base):
    """Two signed records, byte for byte (docs/spec/agreement.md). ``offered_at``, ``answered_at``: the phones' claims.

    ``from_unit`` ... ``to_agency`` are where the two were appointed when it arrived.
    """

    __tablename__ = "agreement"
    __table_args__ = {"schema": "custody"}

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    client_id: Mapped[UUID]
    offer: Mapped[bytes]
    offer_signature: Mapped[bytes]
    offer_spki: Mapped[bytes]
    answer: Mapped[bytes]
    answer_signature: Mapped[bytes]
    answer_spki: Mapped[bytes]
    offer_sha256: Mapped[bytes] = mapped_column(server_default=FetchedValue())
    answer_sha256: Mapped[bytes] = mapped_column(server_default=FetchedValue())
    from_id: Mapped[int] = mapped_column(BigInteger)
    to_id: Mapped[int] = mapped_column(BigInteger)
    from_unit: Mapped[int | None] = mapped_column(BigInteger)
    from_agency: Mapped[int | None] = mapped_column(BigInteger)
    to_unit: Mapped[int | None] = mapped_column(BigInteger)
    to_agency: Mapped[int | None] = mapped_column(BigInteger)
    offered_at: Mapped[datetime]
    answered_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(server_default=FetchedValue())


class AgreementItem(Base):
    """An exhibit it names, by its number: it may not be registered yet."""

    __tablename__ = "agreement_item"
    __table_args__ = {"schema": "custody"}

    agreement_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    exhibit: Mapped[str] = mapped_column(primary_key=True)
    decision: Mapped[str]


class AgreementBringing(Base):
    """Who brought it to the server: the giver, the receiver, or each once."""

    __tablename__ = "agreement_bringing"
    __table_args__ = {"schema": "custody"}

    agreement_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    person_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=FetchedValue())


class AgreementOutcome(Base):
    """``kind`` settled (``handover_id``), disputed (``why``), or resolved (``person_id``, ``outcome``, ``words``)."""

    __tablename__ = "agreement_outcome"
    __table_args__ = {"schema": "custody"}

    agreement_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=FetchedValue())
    handover_id: Mapped[int | None] = mapped_column(BigInteger)
    why: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB)
    person_id: Mapped[int | None] = mapped_column(BigInteger)
    outcome: Mapped[str | None]
    words: Mapped[str | None]


class AgreementWaiting(Base):
    """Work, not a record: it is looked at again at ``due``. ``why``: what it waited for at the last look."""

    __tablename__ = "agreement_waiting"
    __table_args__ = {"schema": "custody"}

    agreement_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    due: Mapped[datetime]
    tries: Mapped[int]
    why: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
