"""Composes the application from the rooms, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import metadata
from typing import Any

from litestar import Litestar, Request, get
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, YamlRenderPlugin

from casemgmt.core.assets import Assets
from casemgmt.core.codes import Codes
from casemgmt.core.db import Database
from casemgmt.core.errors import DomainError
from casemgmt.core.installable import installable_routes
from casemgmt.core.logs import configure_logs
from casemgmt.core.render import template_config
from casemgmt.core.shell import shell_routes
from casemgmt.core.web.answers import on_domain_error, on_http_error, on_unexpected
from casemgmt.core.web.headers import security_headers
from casemgmt.core.web.signin import before_request
from casemgmt.inspection.pool import open_inspectors
from casemgmt.navigation import navigation
from casemgmt.rooms import feature_handlers, install_globals
from casemgmt.settings import Settings
from casemgmt.signing.opening import open_signing
from casemgmt.storage.config import open_store
from casemgmt.uploads.actions import Uploads
from casemgmt.uploads.api import tus_headers
from casemgmt.uploads.locks import Locks

MAX_BODY = 1 << 20  # of everything but the streaming upload routes, which have limits of their own


@get("/healthz", opt={"public": True}, include_in_schema=False)
async def healthz(request: Request[Any, Any, Any]) -> dict[str, bool]:
    """Alive, and the database answers."""
    return {"ok": await request.app.state.database.alive()}


def create_app(settings: Settings) -> Litestar:
    """The whole application for these settings. It connects when it is started, not before."""
    configure_logs()
    assets = Assets()
    codes = Codes(settings.hashids_salt)
    database = Database(settings.app_dsn, settings.gate_dsn)
    inspectors = open_inspectors(settings.inspectors, settings.c2pa_anchors_file)
    store = open_store(settings.store_url, access=settings.store_access_key, secret=settings.store_secret_key)
    locks = Locks(settings.app_dsn)
    uploads = Uploads(
        database, store, locks,
        limit=settings.max_upload_bytes, retention=settings.retention, life=settings.upload_life,
    )  # fmt: skip
    config = template_config(assets)
    install_globals(config.engine_instance.engine, codes)

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        await database.open()
        try:
            yield
        finally:
            await inspectors.close()
            await locks.close()
            await database.close()

    handlers: list[HTTPRouteHandler] = [
        healthz, *shell_routes(assets), *installable_routes(assets), *feature_handlers()
    ]  # fmt: skip
    return Litestar(
        route_handlers=handlers,
        lifespan=[lifespan],
        state=State(
            {
                "settings": settings,
                "database": database,
                "codes": codes,
                "store": store,
                "signing": open_signing(settings),
                "inspectors": inspectors,
                "uploads": uploads,
                "zone": settings.zone,
                "navigation": navigation,
                "assets": assets,
            }
        ),
        template_config=config,
        before_request=before_request,
        before_send=[security_headers, tus_headers],
        exception_handlers={DomainError: on_domain_error, HTTPException: on_http_error, Exception: on_unexpected},
        request_max_body_size=MAX_BODY,
        logging_config=None,  # the process decides about logging, see casemgmt.cli
        openapi_config=OpenAPIConfig(
            title="casemgmt",
            version=metadata.version("casemgmt"),
            path="/api/v1/schema",
            use_handler_docstrings=True,
            # the schema itself; Litestar's pages for looking at it load scripts from elsewhere
            render_plugins=[JsonRenderPlugin(), YamlRenderPlugin()],
        ),
    )
