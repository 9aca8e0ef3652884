"""Tables of packages. A package and its parts are only ever added to, and never changed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, FetchedValue, Identity
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from casemgmt.core.db import Base


class Package(Base):
    """``ledger_size`` is the tree size of every proof inside. It exists for those who see all of ``seizure_ids``.

    ``withheld`` counts files and entries kept out of it; ``asked`` is a hash of what was ordered.
    """

    __tablename__ = "package"
    __table_args__ = {"schema": "packages"}

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    client_id: Mapped[UUID]
    number: Mapped[str]
    case_id: Mapped[int] = mapped_column(BigInteger)
    seizure_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    sealed_by: Mapped[int] = mapped_column(BigInteger, server_default=FetchedValue())
    created_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), server_default=FetchedValue())
    ledger_size: Mapped[int] = mapped_column(BigInteger)
    tagmanifest_sha256: Mapped[bytes]
    withheld: Mapped[int] = mapped_column(server_default=FetchedValue())
    asked: Mapped[bytes | None]


class Attempt(Base):
    """The number of a package somebody has begun to make; there may be no package of that number yet, or ever."""

    __tablename__ = "attempt"
    __table_args__ = {"schema": "packages"}

    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    sealed_by: Mapped[int] = mapped_column(BigInteger, primary_key=True, server_default=FetchedValue())
    case_id: Mapped[int] = mapped_column(BigInteger)
    number: Mapped[str]


class Part(Base):
    """One file of the archive, in the order of ``ord``: either its bytes or the evidence file they are read from.

    The seal's own proof is added last, at a place kept free for it: only then is the package complete.
    """

    __tablename__ = "part"
    __table_args__ = {"schema": "packages"}

    package_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    ord: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    crc32: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[bytes]
    data: Mapped[bytes | None]
    file_id: Mapped[int | None] = mapped_column(BigInteger)
