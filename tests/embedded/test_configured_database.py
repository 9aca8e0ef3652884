"""Configured mode from nothing: the DBA's script through psql, keys, migration, and the roles it made."""

import os
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from casemgmt.embedded import roles
from casemgmt.embedded.cluster import Cluster, server_binaries


def casemgmt(*arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "casemgmt", *arguments],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


async def test_the_documented_steps_lead_to_a_migrated_database(home: Path) -> None:
    # The server's rules admit our roles by password, as a DBA's would; `dba` plays the DBA.
    cluster = Cluster(home / "postgres", durable=False)
    cluster.start()
    script = home / "roles.sql"
    script.write_text(casemgmt("roles-sql").stdout)
    variables = [part for role in roles.LOGIN_ROLES for part in ("-v", f"{role}_password={role} 'quoted'")]
    psql = server_binaries() / "psql"
    made = subprocess.run(
        [psql, "-q", *variables, "-f", script, cluster.dsn("dba", "postgres")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (made.returncode, made.stderr) == (0, "")

    keys = casemgmt("make-keys", str(home / "keys"), "--log-name", "customs.example.org/evidence")
    assert keys.returncode == 0, keys.stderr
    settings = dict(line.split("=", 1) for line in keys.stdout.splitlines())
    for name, role in {"APP": "app", "GATE": "gate", "SEQUENCER": "sequencer", "OWNER": "owner_login"}.items():
        address = f"postgresql://{role}:{role}%20%27quoted%27@/casemgmt?host={cluster.socket_directory}"
        settings[f"CASEMGMT_{name}_URL"] = address
    settings["CASEMGMT_STORE_URL"] = (home / "store").as_uri()

    behind = casemgmt("migrate", "--check", **settings)
    assert behind.returncode == 1, behind.stderr
    done = casemgmt("migrate", **settings)
    assert done.returncode == 0, done.stderr
    assert (home / "store").is_dir()

    app = await asyncpg.connect(settings["CASEMGMT_APP_URL"])
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.execute("set role owner")
    assert await app.fetchval("select count(*) from exhibits.exhibit") == 0
    await app.close()
