"""Tables of sharing. A grant is never changed: its early end is a row of its own, so what was shared stays readable."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Identity
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from casemgmt.core.db import Base

Moment = TIMESTAMP(timezone=True)


class Grant(Base):
    """One record, of a seizure or of a case, opened to one principal: a person, a unit or an agency.

    ``with_seizures``, of a case: also what the case's own agency put into it. ``onward``: the receiver may refer it
    to a prosecutor. ``until`` is 'infinity' for a grant without end, which only PostgreSQL can express: read it
    through ``queries``.
    """

    __tablename__ = "grant"
    __table_args__ = {"schema": "sharing"}

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    seizure_id: Mapped[int | None] = mapped_column(BigInteger)
    case_id: Mapped[int | None] = mapped_column(BigInteger)
    with_seizures: Mapped[bool]
    to_id: Mapped[int] = mapped_column(BigInteger)
    purpose: Mapped[str]
    note: Mapped[str]
    onward: Mapped[bool]
    starts_at: Mapped[datetime] = mapped_column(Moment)
    until: Mapped[datetime] = mapped_column(Moment)
    referral_id: Mapped[int | None] = mapped_column(BigInteger)
    given_by: Mapped[int] = mapped_column(BigInteger)
    given_at: Mapped[datetime] = mapped_column(Moment)


class GrantEnd(Base):
    __tablename__ = "grant_end"
    __table_args__ = {"schema": "sharing"}

    grant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Moment)
    ended_by: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str]


class Referral(Base):
    """A case sent to a prosecution unit; what went with it are the grants that name it."""

    __tablename__ = "referral"
    __table_args__ = {"schema": "sharing"}

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    client_id: Mapped[UUID]
    case_id: Mapped[int] = mapped_column(BigInteger)
    to_id: Mapped[int] = mapped_column(BigInteger)
    qualification: Mapped[str]
    note: Mapped[str]
    made_by: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(Moment)
