"""The routes of all rooms in one list, and what all templates may call."""

from __future__ import annotations

from datetime import date
from typing import Any

from jinja2 import Environment
from litestar.handlers import HTTPRouteHandler

from casemgmt.accounts import api as accounts_api
from casemgmt.accounts import directory_pages
from casemgmt.accounts import pages as accounts_pages
from casemgmt.core.clock import utcnow
from casemgmt.core.codes import Codes
from casemgmt.core.i18n import gettext
from casemgmt.ledger import api as ledger_api
from casemgmt.ledger import pages as ledger_pages
from casemgmt.evidence import api as evidence_api
from casemgmt.evidence import pages as evidence_pages
from casemgmt.reference import lists


def feature_handlers() -> list[HTTPRouteHandler]:
    """Every route of every room: the access matrix is made from this list."""
    return [
        *accounts_pages.handlers,
        *directory_pages.handlers,
        *accounts_api.handlers,
        *ledger_pages.handlers,
        *ledger_api.handlers,
        *evidence_pages.handlers,
        *evidence_api.handlers,
    ]


def install_globals(environment: Environment, codes: Codes) -> None:
    """``id | opaque("seizure")`` for addresses, ``code | label("units")`` and ``options("units")`` for code lists."""

    def label(code: str | None, list_name: str) -> str:
        if not code:
            return ""
        try:
            return gettext(lists.get(list_name, code).label)
        except lists.UnknownCodeError:
            return code

    def options(list_name: str, on: date | None = None) -> list[tuple[str, str]]:
        return [(item.code, gettext(item.label)) for item in lists.choices(list_name, on or utcnow().date())]

    def opaque(id_: int, kind: str) -> str:
        return codes.encode(kind, id_)

    added: dict[str, Any] = {"opaque": opaque, "label": label}
    environment.filters.update(added)
    environment.globals["options"] = options
