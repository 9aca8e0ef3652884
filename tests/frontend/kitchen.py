"""A small site that shows every part of the house style, served only to the tests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from litestar import Litestar, Request, Response, get, post
from litestar.params import FromPath
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.response import Template
from litestar.template.config import TemplateConfig

from casemgmt.core import i18n
from casemgmt.core.assets import Assets
from casemgmt.core.i18n import N_
from casemgmt.core.parts import Flash, Moment, NavItem, Sign, Tab, Task, pager
from casemgmt.core.render import CONTENT_SECURITY_POLICY, TEMPLATE_ROOT, build_environment, page, see_other
from casemgmt.core.shell import shell_routes
from casemgmt.core.web.forms import read_urlencoded
from tests.frontend.pseudo import PSEUDO, pseudo_locale

TEMPLATES = Path(__file__).parent / "templates"
AnyRequest = Request[Any, Any, Any]

_MOMENT = datetime(2026, 11, 20, 21, 12, 31, tzinfo=UTC)
_NAV = [NavItem("/shift", N_("My shift")), NavItem("/kitchen", N_("Cases")), NavItem("/audit", N_("Audit"))]
_SIGNS = [
    Sign(N_("File unchanged"), "ok", "Все 12 файлов совпадают с отпечатками.", _MOMENT, short="SHA"),
    Sign(N_("Custody unbroken"), "bad", "14 h 20 min", short="Custody"),
    Sign(N_("Seal intact"), "warn", "2026-0412-00139-0", short="Seal"),
]
_CATEGORIES = {
    "drugs": "Наркотики", "cash": "Наличные", "wildlife": "Дикие животные и растения", "arms": "Оружие",
    "tobacco": "Сигареты", "papers": "Документы", "vehicle": "Транспорт", "precursors": "Прекурсоры",
}  # fmt: skip


@dataclass(frozen=True)
class Person:
    name: str


async def _remember_reader(request: AnyRequest) -> None:
    # Async on purpose: a plain function would run in another thread, and the language with it.
    state = request.state
    state.lang = i18n.choose_language(None, request.cookies.get("lang"))
    state.theme = request.cookies.get("theme", "auto")
    state.actor, state.csrf, state.nav = Person("Асанов Азамат Кубанычбекович"), "token", _NAV
    state.flash = [Flash("ok", "Сохранено.")] if "flash" in request.query_params else ()
    i18n.activate(state.lang, ZoneInfo("Asia/Bishkek"))
    if request.cookies.get("lang") == PSEUDO:
        i18n.use(pseudo_locale())
    if request.headers.get("content-type") == "application/x-www-form-urlencoded":
        state.form = await read_urlencoded(request)


def _desk() -> dict[str, Any]:
    return {
        "items": [
            Tab("/x", N_("Evidence"), current=True, count=12),
            Tab("/x", N_("Timeline")),
            Tab("/x", N_("Links")),
            Tab("/x", N_("People"), count=4),
            Tab("/x", N_("History")),
        ],
        "three": _SIGNS,
        "weight": Decimal("1512.50"),
        "pager": pager("/kitchen/desk", {"q": "a"}, 2, has_next=True),
        "moment": _MOMENT,
        "moments": [
            Moment(_MOMENT, "Изъято", who="Асанов А. К.", kind="ok"),
            Moment(_MOMENT, "14 h 20 min", kind="gap"),
            Moment(_MOMENT, "Принято", href="/x", detail="Пломба 00417"),
        ],
        "tasks": [
            Task("Закрыть разрыв хранения по предмету 2026-0412-00139-0", "Препятствует", "bad", "/x"),
            Task("Проверены все отпечатки", "Готово", "ok"),
        ],
    }


def _phone(errors: dict[str, str]) -> dict[str, Any]:
    return {
        "errors": errors,
        "error_title": bool(errors),
        "categories": list(_CATEGORIES.items()),
        "units": [("g", "г"), ("kg", "кг"), ("pcs", "шт.")],
        "amount": "512",
        "seal": "",
    }


@get("/kitchen/{name:str}")
async def show(request: AnyRequest, name: FromPath[str]) -> Template:
    if name == "flash":
        request.state.flash = [Flash("bad", "Не сохранено: номер занят.")]
        return page(request, "kitchen/receipt.html", **_desk())
    if name == "error":
        return page(request, "error.html", status_code=404, status=404, message="Nothing.", errors={})
    context = _phone({}) if name == "phone" else _desk()
    return page(request, f"kitchen/{name}.html", **context)


@post("/kitchen/{name:str}")
async def save(request: AnyRequest, name: FromPath[str]) -> Template | Response[None]:
    plain = request.state.get("form")
    form = plain if plain is not None else await request.form()
    if form.get("seal"):
        return see_other(request, "/kitchen/receipt?flash")
    errors = {"amount": "Введите количество.", "seal": "Отсканируйте или введите номер пакета."}
    return page(request, "kitchen/phone.html", status_code=422, **_phone(errors))


def kitchen() -> Litestar:
    assets = Assets()
    environment = build_environment(assets, (TEMPLATE_ROOT, TEMPLATES))
    return Litestar(
        [show, save, *shell_routes(assets)],
        before_request=_remember_reader,
        template_config=TemplateConfig(instance=JinjaTemplateEngine.from_environment(environment)),
        response_headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY},
        openapi_config=None,
    )
