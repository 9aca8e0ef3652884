"""The routes of all rooms in one list, and what all templates may call."""

from __future__ import annotations

from datetime import date
from typing import Any

from jinja2 import Environment
from litestar.handlers import HTTPRouteHandler

from casemgmt.accounts import api as accounts_api
from casemgmt.accounts import directory_pages, key_api, key_pages
from casemgmt.accounts import pages as accounts_pages
from casemgmt.cases import api as cases_api
from casemgmt.cases import pages as cases_pages
from casemgmt.core.clock import utcnow
from casemgmt.core.codes import Codes
from casemgmt.core.i18n import gettext
from casemgmt.custody import agreement_api, agreement_pages, here_pages, sign_api, sign_pages
from casemgmt.custody import api as custody_api
from casemgmt.custody import live as custody_live
from casemgmt.custody import pages as custody_pages
from casemgmt.custody.agreement_rules import in_words
from casemgmt.desk import case_forms, case_page, exhibit_page, seizure_page, shift
from casemgmt.evidence import api as evidence_api
from casemgmt.evidence import pages as evidence_pages
from casemgmt.exhibits import api as exhibits_api
from casemgmt.exhibits import pages as exhibits_pages
from casemgmt.intake import api as intake_api
from casemgmt.intake import pages as intake_pages
from casemgmt.intake import phone as intake_phone
from casemgmt.labels import pages as labels_pages
from casemgmt.ledger import api as ledger_api
from casemgmt.ledger import monitor, timestamp_pages
from casemgmt.ledger import oversight_pages as ledger_oversight_pages
from casemgmt.ledger import pages as ledger_pages
from casemgmt.packages import api as packages_api
from casemgmt.packages import pages as packages_pages
from casemgmt.packages import preparing as packages_preparing
from casemgmt.packages import published as packages_published
from casemgmt.reference import lists
from casemgmt.search import pages as search_pages
from casemgmt.seizures import api as seizures_api
from casemgmt.seizures import numbers_page
from casemgmt.seizures import pages as seizures_pages
from casemgmt.sharing import api as sharing_api
from casemgmt.sharing import pages as sharing_pages
from casemgmt.uploads import api as uploads_api


def feature_handlers() -> list[HTTPRouteHandler]:
    """Every route of every room: the access matrix is made from this list."""
    return [
        *accounts_pages.handlers,
        *directory_pages.handlers,
        *accounts_api.handlers,
        *key_pages.handlers,
        *key_api.handlers,
        *ledger_pages.handlers,
        *ledger_oversight_pages.handlers,
        *ledger_api.handlers,
        *monitor.handlers,
        *timestamp_pages.handlers,
        *packages_pages.handlers,
        *packages_published.handlers,
        *packages_preparing.handlers,
        *packages_api.handlers,
        *evidence_pages.handlers,
        *evidence_api.handlers,
        *uploads_api.handlers,
        *custody_pages.handlers,
        *custody_live.handlers,
        *custody_api.handlers,
        *agreement_api.handlers,
        *agreement_pages.handlers,
        *sign_pages.handlers,
        *here_pages.handlers,
        *sign_api.handlers,
        *seizures_pages.handlers,
        *seizures_api.handlers,
        *numbers_page.handlers,
        *exhibits_pages.handlers,
        *exhibits_api.handlers,
        *intake_pages.handlers,
        *intake_api.handlers,
        *intake_phone.handlers,
        *labels_pages.handlers,
        *exhibit_page.handlers,
        *seizure_page.handlers,
        *shift.handlers,
        *cases_pages.handlers,
        *cases_api.handlers,
        *case_page.handlers,
        *case_forms.handlers,
        *sharing_pages.handlers,
        *sharing_api.handlers,
        *search_pages.handlers,
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
    environment.globals["in_words"] = in_words  # of what an agreement waits for or is disputed about
