"""Tables of case files. Members and seizures that left stay as rows with ``left_at``."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Identity
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from casemgmt.core.db import Base

Moment = TIMESTAMP(timezone=True)


class CaseFile(Base):
    __tablename__ = "case_file"
    __table_args__ = {"schema": "cases"}

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    client_id: Mapped[UUID]
    number: Mapped[str]
    agency_id: Mapped[int] = mapped_column(BigInteger)
    unit_id: Mapped[int] = mapped_column(BigInteger)
    ntk: Mapped[bool]
    title: Mapped[str]
    summary: Mapped[str]
    status: Mapped[str]
    opened_by: Mapped[int] = mapped_column(BigInteger)
    opened_at: Mapped[datetime] = mapped_column(Moment)


class CaseMember(Base):
    __tablename__ = "case_member"
    __table_args__ = {"schema": "cases"}

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    case_id: Mapped[int] = mapped_column(BigInteger)
    person_id: Mapped[int] = mapped_column(BigInteger)
    role: Mapped[str]
    since: Mapped[datetime] = mapped_column(Moment)
    left_at: Mapped[datetime | None] = mapped_column(Moment)


class CaseSeizure(Base):
    """A seizure's place in a case. Hidden from whoever may not see the seizure itself."""

    __tablename__ = "case_seizure"
    __table_args__ = {"schema": "cases"}

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    case_id: Mapped[int] = mapped_column(BigInteger)
    seizure_id: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str]
    added_by: Mapped[int] = mapped_column(BigInteger)
    since: Mapped[datetime] = mapped_column(Moment)
    left_at: Mapped[datetime | None] = mapped_column(Moment)


class CaseLink(Base):
    """What two cases have in common. Hidden from whoever does not see both."""

    __tablename__ = "case_link"
    __table_args__ = {"schema": "cases"}

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    case_id: Mapped[int] = mapped_column(BigInteger)
    other_id: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str]
    note: Mapped[str]
    made_by: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(Moment)


class CaseKey(Base):
    """Under what a case is found; the owner's columns are copies, so that a search starts from what one may see."""

    __tablename__ = "case_key"
    __table_args__ = {"schema": "access"}

    case_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(BigInteger)
    agency_id: Mapped[int] = mapped_column(BigInteger)
    ntk: Mapped[bool]
