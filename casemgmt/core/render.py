"""The Jinja environment, and the one way a handler answers with a page."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from datetime import date, datetime
from gettext import NullTranslations
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, nodes
from jinja2.compiler import CodeGenerator, Frame
from litestar import Litestar, Request, Response
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.response import Template
from litestar.response.base import ASGIResponse
from litestar.status_codes import HTTP_204_NO_CONTENT, HTTP_303_SEE_OTHER
from litestar.template.config import TemplateConfig
from markupsafe import Markup

from casemgmt.core import formats, i18n
from casemgmt.core.assets import Assets
from casemgmt.core.masking import mask
from casemgmt.core.parts import NavItem

TEMPLATE_ROOT = Path(__file__).resolve().parent.parent / "templates"

# No inline script or style anywhere; pictures chosen in the page are shown from blob: addresses.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "manifest-src 'self'",
        "worker-src 'self'",
    )
)


class _NothingFrozen(CodeGenerator):
    """Leaves every expression to the moment of rendering.

    Jinja computes what it can while compiling: ``5200000|filesize`` would be written once, in the
    language of the first reader. ``optimized=False`` stops that only outside of output.
    """

    def _output_child_to_const(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> str:
        if isinstance(node, nodes.TemplateData):
            return super()._output_child_to_const(node, frame, finalize)
        raise nodes.Impossible


def build_environment(assets: Assets, folders: Sequence[Path] = (TEMPLATE_ROOT,)) -> Environment:
    """The environment every page is rendered in.

    An undefined name is an error, never an empty string: a record with a silent hole in it
    is worse than no record.
    """
    environment = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
        optimized=False,
    )
    environment.code_generator_class = _NothingFrozen
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        lambda message: _catalogue().gettext(message),
        lambda one, many, num: _catalogue().ngettext(one, many, num),
        newstyle=True,
        pgettext=lambda context, message: _catalogue().pgettext(context, message),
        npgettext=lambda context, one, many, num: _catalogue().npgettext(context, one, many, num),
    )
    environment.globals.update(
        asset=assets.url, modules=assets.modules, languages=i18n.LANGUAGES, draft_languages=i18n.DRAFTS
    )
    environment.filters.update(
        datetime=datetime_filter,
        date=date_filter,
        number=formats.format_number,
        quantity=formats.format_quantity,
        filesize=formats.format_filesize,
        distance=formats.format_distance,
        hashgroups=hashgroups,
        code=code,
    )
    return environment


def _catalogue() -> NullTranslations:
    return i18n.current_locale().translations


def datetime_filter(moment: datetime, *, seconds: bool = False, zone: bool = True) -> Markup:
    """A ``<time>`` element: the reader's own zone in words, the exact moment for machines."""
    shown = formats.format_datetime(moment, seconds=seconds, zone=zone)
    return Markup('<time datetime="{}">{}</time>').format(moment.isoformat(), shown)


def date_filter(day: date) -> Markup:
    shown = formats.format_date(day)
    return Markup('<time datetime="{}">{}</time>').format(day.isoformat(), shown)


def hashgroups(digest: str) -> Markup:
    """A hex digest in groups of eight to be compared by eye, yet copied without the gaps."""
    groups = (digest[start : start + 8] for start in range(0, len(digest), 8))
    spans = Markup("<wbr>").join(Markup("<span>{}</span>").format(group) for group in groups)
    return Markup('<code class="hash">{}</code>').format(spans)


def code(number: str) -> Markup:
    """A record's number: fixed-width digits, never broken over two lines."""
    return Markup('<code class="ref">{}</code>').format(number)


def template_config(assets: Assets) -> TemplateConfig[JinjaTemplateEngine]:
    engine = JinjaTemplateEngine.from_environment(build_environment(assets))
    return TemplateConfig(instance=engine)


def page(
    request: Request[Any, Any, Any],
    template: str,
    *,
    status_code: int = 200,
    **context: Any,
) -> Template:
    """Answer with a page. Every page knows who is asking, in which language and theme.

    The middleware has put ``actor``, ``csrf``, ``lang``, ``theme``, ``nav`` and ``flash`` into
    ``request.state``; a missing one is shown as a stranger's page, so that an error page can
    still be written when the middleware itself failed.
    """
    state = request.state
    shell = {
        "actor": state.get("actor"),
        "csrf": mask(state.get("csrf", "")),
        "person": state.get("person", ""),
        "lang": state.get("lang", i18n.current_locale().language),
        "theme": state.get("theme", "auto"),
        "nav": state.get("nav", ()),
        "flash": state.get("flash", ()),
        "path": request.url.path,
        "place": _place(state.get("nav", ()), request.url.path),
    }
    return Page(
        template_name=template,
        context={**shell, **context},
        status_code=status_code,
        headers={"Vary": "Cookie, Accept-Language, Accept-Encoding, HX-Request"},
    )


class Page(Template):
    """A page, compressed for whoever can unpack it: on the line of a border post it comes in a third of the time.

    Nothing secret may stand in it twice in the same way, see ``core.masking``.
    """

    __slots__ = ()

    def to_asgi_response(self, app: Litestar | None, request: Request[Any, Any, Any], **options: Any) -> ASGIResponse:
        answer = super().to_asgi_response(app, request, **options)
        if "gzip" in request.headers.get("accept-encoding", "") and not answer.is_head_response:
            answer.body = gzip.compress(answer.body, compresslevel=6, mtime=0)
            answer.headers["content-encoding"] = "gzip"
            answer.headers["content-length"] = str(len(answer.body))
        return answer


def _place(nav: Sequence[NavItem], path: str) -> str | None:
    """The address of the menu's place that this page belongs to: the longest that contains it; ``/`` is only itself."""
    within = (item.href for item in nav if path == item.href or (item.href != "/" and path.startswith(item.href + "/")))
    return max(within, key=len, default=None)


def see_other(request: Request[Any, Any, Any], path: str) -> Response[None]:
    """Send the reader to another page after a change, so that reloading repeats nothing.

    A form sent by htmx is told to open the page itself: a redirect would be followed unseen and
    leave the old address in the browser.
    """
    if request.headers.get("HX-Request"):
        return Response(None, status_code=HTTP_204_NO_CONTENT, headers={"HX-Redirect": path})
    return Response(None, status_code=HTTP_303_SEE_OTHER, headers={"Location": path})
