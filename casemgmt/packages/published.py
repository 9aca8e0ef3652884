"""What a reader of a package must not take from the package: published here for everybody, with fingerprints.

The page, the scripts, the policy in force and the certificates, each at an address that stays. Nothing here is about
any case. A reader who does not trust this server either compares with what a witness or another agency holds.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Mapping
from contextlib import suppress

from litestar import Response, get
from litestar.params import FromPath
from litestar.response import Template

from casemgmt.core.errors import NotFound
from casemgmt.core.render import page
from casemgmt.core.web.signin import AnyRequest
from casemgmt.signing.errors import SigningError
from casemgmt.signing.opening import Signing
from casemgmt.trust import kit
from casemgmt.trust.keys import VerifierKey
from casemgmt.trust.policy import Policy

POLICY = "trust.policy"
TOOLS = (kit.PAGE, *kit.SCRIPTS)

_OWN_POLICY = re.compile(r'http-equiv="Content-Security-Policy" content="([^"]+)"')
_TYPES = {"html": "text/html; charset=utf-8", "sh": "text/plain; charset=utf-8", "pem": "application/x-pem-file"}


@get("/verify", opt={"public": True}, include_in_schema=False)
async def published(request: AnyRequest) -> Template:
    """What there is, and the SHA-256 of each file."""
    files = {**{name: kit.tool(name) for name in TOOLS}, **await _trusted(request)}
    listed = [(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in files.items()]
    signing = request.app.state.signing
    return page(
        request, "packages/published.html",
        tools=[one for one in listed if one[0] in TOOLS], trusted=[one for one in listed if one[0] not in TOOLS],
        demonstration=await _is_demonstration(signing),
    )  # fmt: skip


@get("/verify/{name:str}", opt={"public": True}, include_in_schema=False)
async def file(request: AnyRequest, name: FromPath[str]) -> Response[bytes]:
    """The exact bytes. verify.html opens at once, under the policy that it carries itself."""
    if name in TOOLS:
        data = kit.tool(name)
    else:
        found = (await _trusted(request)).get(name)
        if found is None:
            raise NotFound
        data = found
    headers = {"Cache-Control": "no-cache", "Content-Disposition": f'attachment; filename="{name}"'}
    if name == kit.PAGE:
        own = _OWN_POLICY.search(data.decode())
        headers["Content-Security-Policy"] = f"{own[1] if own else ''}; frame-ancestors 'none'"
        headers["Content-Disposition"] = f'inline; filename="{name}"'
    return Response(data, media_type=_TYPES.get(name.rpartition(".")[2], "text/plain; charset=utf-8"), headers=headers)


async def _trusted(request: AnyRequest) -> Mapping[str, bytes]:
    """The policy in force and the certificates, as far as this installation has them."""
    found: dict[str, bytes] = {}
    database, signing = request.app.state.database, request.app.state.signing
    policy = await database.call("select text from ledger.policy order by version desc limit 1")
    if policy is None and (vkey := await database.call("select vkey from ledger.log")):
        policy = str(Policy((VerifierKey.parse(vkey),)))
    if policy is not None:
        found[POLICY] = policy.encode()
    with suppress(SigningError):  # a token that is away: the certificates are not published meanwhile
        found.update(await asyncio.to_thread(signing.key_files))
    return found


async def _is_demonstration(signing: Signing) -> bool:
    try:
        return await asyncio.to_thread(signing.demonstration)
    except SigningError:
        return False


handlers = [published, file]
