"""Printing labels: choose the stock, print, and what a scanned label leads to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from litestar import Response, get
from litestar.datastructures import Cookie
from litestar.params import FromPath
from litestar.response import Redirect, Template

from casemgmt.accounts.queries import names
from casemgmt.core.errors import Invalid
from casemgmt.core.formats import format_datetime, format_quantity
from casemgmt.core.i18n import N_, Text, gettext
from casemgmt.core.render import page
from casemgmt.core.web.signin import AnyRequest, actor_of
from casemgmt.exhibits import queries
from casemgmt.exhibits.models import Exhibit
from casemgmt.exhibits.rules import label_lines
from casemgmt.labels.drawing import MOST, Label, draw
from casemgmt.labels.stocks import DEFAULT, STOCKS, Stock
from casemgmt.reference import lists

STOCK_COOKIE = "label_stock"
_YEAR = 365 * 24 * 3600


@get("/labels")
async def choose(request: AnyRequest) -> Template:
    """``?exhibit=`` names the exhibits, each once or more; one that is hidden is not found."""
    exhibits = await _exhibits(request)
    kept = request.cookies.get(STOCK_COOKIE, "")
    return page(
        request, "labels/choose.html",
        exhibits=exhibits, stocks=STOCKS.values(), chosen=kept if kept in STOCKS else DEFAULT, most=MOST,
    )  # fmt: skip


@get("/labels/print")
async def printed(request: AnyRequest) -> Response[bytes]:
    """A PDF of the stock's exact size, a page for each exhibit. The device keeps which stock it prints on."""
    exhibits = await _exhibits(request)
    stock = STOCKS.get(request.query_params.get("stock", ""))
    wrong = _wrong(stock, len(exhibits))
    if wrong or stock is None:
        raise Invalid(wrong)
    people = await _officers(request, exhibits)
    labels = [_label(request, exhibit, people.get(exhibit.created_by, "")) for exhibit in exhibits]
    signing = [gettext("Date, time"), gettext("Given by"), gettext("Received by")]
    document = await asyncio.to_thread(partial(draw, stock, labels, signing))
    response = Response(
        document,
        media_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="labels-{stock.key}.pdf"', "Cache-Control": "no-store"},
    )
    secure = request.url.scheme == "https"
    response.set_cookie(
        Cookie(key=STOCK_COOKIE, value=stock.key, max_age=_YEAR, secure=secure, httponly=True, samesite="lax")
    )
    return response


@get("/x/{code:str}")
async def scanned(request: AnyRequest, code: FromPath[str]) -> Redirect:
    """What a label's code says, short so that its modules stay large: the exhibit, for whoever may see it."""
    actor = actor_of(request)
    async with request.app.state.database.begin(actor) as db:
        await queries.exhibit(db, request.app.state.codes.decode("exhibit", code))
    return Redirect(f"/exhibits/{code}")


def _wrong(stock: Stock | None, exhibits: int) -> dict[str, Text]:
    wrong = {"stock": N_("Choose one of the given stocks.")} if stock is None else {}
    if not exhibits:
        wrong["exhibit"] = N_("Choose at least one exhibit.")
    if exhibits > MOST:
        wrong["exhibit"] = N_("At most %(num)s labels can be printed in one go.", num=MOST)
    return wrong


async def _exhibits(request: AnyRequest) -> Sequence[Exhibit]:
    """The named exhibits in their order. Raises NotFound for one that does not exist for the reader."""
    actor, codes = actor_of(request), request.app.state.codes
    named = list(dict.fromkeys(request.query_params.getall("exhibit", [])))[: MOST + 1]
    ids = [codes.decode("exhibit", code) for code in named]
    async with request.app.state.database.begin(actor) as db:
        return [await queries.exhibit(db, exhibit_id) for exhibit_id in ids]


async def _officers(request: AnyRequest, exhibits: Sequence[Exhibit]) -> dict[int, str]:
    async with request.app.state.database.begin(actor_of(request)) as db:
        return await names(db, {exhibit.created_by for exhibit in exhibits})


def _label(request: AnyRequest, exhibit: Exhibit, officer: str) -> Label:
    state = request.app.state
    quantity = ""
    if exhibit.quantity is not None and exhibit.unit:
        quantity = format_quantity(exhibit.quantity, gettext(lists.UNITS.get(exhibit.unit).label))
    _, *lines = label_lines(
        number=exhibit.number, what=gettext(lists.CATEGORIES.get(exhibit.category).label), quantity=quantity,
        seal=exhibit.seal_no, officer=officer, taken=format_datetime(exhibit.created_at),
    )  # fmt: skip
    address = f"{state.settings.public_url}/x/{state.codes.encode('exhibit', exhibit.id)}"
    return Label(address, exhibit.number, lines)


handlers = [choose, printed, scanned]
