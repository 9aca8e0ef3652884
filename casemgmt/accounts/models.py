"""Tables of the directory. Credentials and sessions have none here: no query of ours can read them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, Identity
from sqlalchemy.dialects.postgresql import TSTZRANGE, Range
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
