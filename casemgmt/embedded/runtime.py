"""Everything on one machine: database, store, keys, web server and worker in one data directory and one command."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Mapping
from pathlib import Path

import uvloop

from casemgmt import migrations
from casemgmt.embedded.cluster import Cluster
from casemgmt.embedded.errors import EmbeddedError
from casemgmt.embedded.keys import make_keys
from casemgmt.embedded.lan_door import Door, for_everybody, open_door
from casemgmt.embedded.lock import InstanceLock
from casemgmt.embedded.witnesses import DemonstrationWitnesses, log_key, put_in_force
from casemgmt.server import WebServer, configuration, listen, serve_until
from casemgmt.settings import PREFIX, Settings, load
from casemgmt.signing.demonstration import ensure_demonstration
from casemgmt.signing.openssl import OpensslError
from casemgmt.storage.config import open_store

_log = logging.getLogger(__name__)

_OURS = {
    "APP_URL": "app",
    "GATE_URL": "gate",
    "SEQUENCER_URL": "sequencer",
    "VERIFIER_URL": "verifier",
    "OWNER_URL": "owner_login",
}
_DATABASE_CHECK = 2.0  # seconds


class ConfiguredDatabaseError(EmbeddedError):
    """A database is configured, and the one-machine default would ignore it."""


class AddressError(EmbeddedError):
    """The address to serve on is taken or not ours."""


def run_embedded(
    data: Path, environ: Mapping[str, str], log_name: str | None = None, *, lan: str | None = None
) -> None:
    """Run an instance in ``data`` until SIGINT or SIGTERM, and leave nothing running behind.

    Settings come from ``environ``; the database and, unless they are given, the store and the keys are our own.
    ``lan``: serve HTTPS to the local network under this name; empty: under this machine's address.
    """
    for name in _OURS:
        if environ.get(PREFIX + name) or environ.get(f"{PREFIX}{name}_FILE"):
            raise ConfiguredDatabaseError(
                f"{PREFIX}{name} is set, but `casemgmt up` runs a database of its own. "
                "Use `casemgmt serve` and `casemgmt worker` with it, or unset it."
            )
    if lan is not None:
        environ = for_everybody(environ)
    data.mkdir(parents=True, exist_ok=True)
    with InstanceLock(data) as lock:
        cluster = Cluster(data / "postgres")
        own = with_own_parts(environ, data, cluster, log_name)
        with contextlib.closing(_listener(load(own))) as listener:
            port = listener.getsockname()[1]
            door = None if lan is None else open_door(data, lan, port)
            address = {f"{PREFIX}PUBLIC_URL": door.url} if door else {}
            settings = load({f"{PREFIX}PORT": str(port), **address, **_without(own, "PORT")})
            try:
                cluster.start()
                with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                    runner.run(_run(settings, cluster, listener, lock, door))
            finally:
                cluster.stop()


async def _run(
    settings: Settings, cluster: Cluster, listener: socket.socket, lock: InstanceLock, door: Door | None
) -> None:
    # Imported late: the parts above can be used, and tested, without the whole application.
    from casemgmt.app import create_app  # noqa: PLC0415
    from casemgmt.embedded.lan_guide import guide_app, invitation, serve_guide  # noqa: PLC0415
    from casemgmt.worker import run_worker  # noqa: PLC0415

    await cluster.create_roles_and_database()
    await migrations.upgrade(cluster.dsn("owner_login"))
    await asyncio.to_thread(_prepare_store, settings)
    witnesses = DemonstrationWitnesses(settings.data_dir)
    if settings.demo or witnesses.made:
        witnesses.start(log_key(settings))
    try:
        cast = await _demonstration(settings, witnesses) if settings.demo else []
    except BaseException:
        witnesses.stop()
        raise

    def say_ready() -> None:
        lock.announce(settings.public_url)
        invited = [invitation(settings.public_url, door.guide_url, door.files)] if door else []
        print(f"casemgmt is ready: {settings.public_url}", *cast, *invited, "Stop with Ctrl-C.", sep="\n", flush=True)

    stop = asyncio.Event()
    server = WebServer(configuration(settings, create_app(settings), door.certificate if door else None), say_ready)
    beside = [run_worker(settings, stop), _keep_database_up(cluster, stop), witnesses.keep_up(stop)]
    if door is not None:
        guide = guide_app(settings.public_url, door.files, settings.language)
        beside.append(serve_guide(guide, door.guide, stop))
    await serve_until(stop, server, listener, *beside)


def _without(environ: Mapping[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in environ.items() if key != PREFIX + name}


def with_own_parts(environ: Mapping[str, str], data: Path, cluster: Cluster, log_name: str | None) -> dict[str, str]:
    """The environment completed by what this machine brings itself."""
    keys = make_keys(data / "keys", log_name)
    own = {
        "STORE_URL": (data / "store").as_uri(),
        "LOG_KEY_FILE": str(keys.log_key),
        "HASHIDS_SALT_FILE": str(keys.hashids_salt),
    }
    if environ.get(f"{PREFIX}HASHIDS_SALT"):
        del own["HASHIDS_SALT_FILE"]
    if environ.get(f"{PREFIX}DEMO") == "1":
        own |= _demonstration_keys(environ, data / "keys" / "demonstration")
    named = {PREFIX + name: value for name, value in own.items()}
    named |= {name: value for name, value in environ.items() if name.startswith(PREFIX)}
    named |= {PREFIX + name: cluster.dsn(role) for name, role in _OURS.items()}
    named[f"{PREFIX}DATA_DIR"] = str(data)
    return named


def _demonstration_keys(environ: Mapping[str, str], directory: Path) -> dict[str, str]:
    """A demonstration signs and stamps too, with certificates that say what they are; given ones come first."""
    given = {name.removeprefix(PREFIX) for name, value in environ.items() if value}
    try:
        made = ensure_demonstration(directory)
    except OpensslError as error:
        _log.warning("the demonstration's packages will be unsigned and without timestamps: %s", error)
        return {}
    own: dict[str, str] = {}
    if not given & {"SEAL_PKCS12_FILE", "SEAL_PKCS11_MODULE"}:
        own |= {"SEAL_PKCS12_FILE": str(made.pkcs12), "SEAL_PKCS12_PASSWORD_FILE": str(made.password)}
    if not given & {"TIMESTAMP_AUTHORITIES", "TIMESTAMP_AUTHORITIES_FILE"}:
        own["TIMESTAMP_AUTHORITIES"] = made.authority
    return own


def _listener(settings: Settings) -> socket.socket:
    try:
        return listen(settings.host, settings.port)
    except OSError as error:
        raise AddressError(
            f"Cannot listen on {settings.host} port {settings.port}: {error.strerror}. "
            "Choose another port with --port, or another address with CASEMGMT_HOST."
        ) from error


def _prepare_store(settings: Settings) -> None:
    store = open_store(settings.store_url, access=settings.store_access_key, secret=settings.store_secret_key)
    try:
        store.prepare()
    finally:
        store.close()


async def _demonstration(settings: Settings, witnesses: DemonstrationWitnesses) -> list[str]:
    from casemgmt.demo import ensure_demo  # noqa: PLC0415  (only a demonstration loads it)
    from casemgmt.demo.setup import begin_log  # noqa: PLC0415

    told = await ensure_demo(settings)
    await begin_log(settings)
    await put_in_force(settings, witnesses.policy(log_key(settings)))
    return [*told, "Three witnesses run beside it: they show how it works, and on this machine they prove nothing."]


async def _keep_database_up(cluster: Cluster, stop: asyncio.Event) -> None:
    """Start PostgreSQL again when it died: nobody else on this machine would."""
    while not stop.is_set():
        if not await asyncio.to_thread(cluster.running):
            _log.error("PostgreSQL has ended by itself; starting it again. Its log is in %s", cluster.data / "log")
            await asyncio.to_thread(cluster.start)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _DATABASE_CHECK)
