"""Tables of exhibits. What was recorded never changes; holder, offer, seal and chain head move with custody events."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, FetchedValue, Identity
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from casemgmt.core.db import Base


class Exhibit(Base):
    """``last_seq`` and ``last_hash`` are the head of its custody chain: the next event must name them."""

    __tablename__ = "exhibit"
    __table_args__ = {"schema": "exhibits"}

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    seizure_id: Mapped[int] = mapped_column(BigInteger)
    agency_id: Mapped[int] = mapped_column(BigInteger)
    unit_id: Mapped[int] = mapped_column(BigInteger)
    ntk: Mapped[bool]
    no: Mapped[int]
    number: Mapped[str]
    category: Mapped[str]
    description: Mapped[str]
    quantity: Mapped[Decimal | None]
    unit: Mapped[str | None]
    quantity_basis: Mapped[str]
    value: Mapped[Decimal | None]
    currency: Mapped[str | None]
    seal_no: Mapped[str | None]
    seal_state: Mapped[str]
    created_by: Mapped[int] = mapped_column(BigInteger, server_default=FetchedValue())
    created_at: Mapped[datetime] = mapped_column(server_default=FetchedValue())
    status: Mapped[str] = mapped_column(server_default=FetchedValue())
    holder_id: Mapped[int] = mapped_column(BigInteger)
    offered_to: Mapped[int | None] = mapped_column(BigInteger)
    last_seq: Mapped[int]
    last_hash: Mapped[bytes]


class ExhibitText(Base):
    """The words an exhibit is found by, with the unit as one more lexeme."""

    __tablename__ = "exhibit_text"
    __table_args__ = {"schema": "access"}

    exhibit_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    seizure_id: Mapped[int] = mapped_column(BigInteger)
    unit_id: Mapped[int] = mapped_column(BigInteger)
    agency_id: Mapped[int] = mapped_column(BigInteger)
    ntk: Mapped[bool]
    tsv: Mapped[str] = mapped_column(TSVECTOR)
