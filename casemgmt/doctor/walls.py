"""Are the database's walls where the migrations put them? Read from the catalogue, which every role may read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg

from casemgmt.doctor.finding import Finding, fault, good

SCHEMAS = (
    "accounts", "access", "ledger", "seizures", "exhibits", "evidence", "custody", "cases", "sharing", "packages",
)  # fmt: skip

# Rows of nobody in particular: hashes and numbers that outsiders may see.
OPEN_TABLES = frozenset({"ledger.leaf", "ledger.tile", "ledger.checkpoint", "ledger.log"})

# Never changed by anyone, the owner included; the projections (seizure, exhibit, file) guard their other columns.
APPEND_ONLY = (
    "ledger.entry", "ledger.leaf", "ledger.checkpoint", "ledger.batch", "ledger.archived", "ledger.halt",
    "ledger.recovery", "ledger.verification", "custody.event", "custody.handover", "seizures.participant",
    "seizures.conveyance", "evidence.refusal", "evidence.fixity", "evidence.reading", "cases.case_link",
    "sharing.grant", "sharing.grant_end", "sharing.referral", "packages.package", "packages.part",
    "accounts.passkey", "accounts.passkey_revocation", "custody.assertion", "custody.signature",
    "seizures.seizure", "exhibits.exhibit", "evidence.file",
    "ledger.policy", "ledger.cosignature", "ledger.published", "ledger.alarm", "ledger.log", "ledger.timestamp",
    "ledger.returned", "ledger.returned_entry", "packages.attempt", "evidence.observation", "evidence.showing",
    "seizures.number_block", "custody.agreement", "custody.agreement_item", "custody.agreement_bringing",
    "custody.agreement_outcome",
)  # fmt: skip

_POWERFUL = """
select rolname from pg_roles
 where rolname in ('owner', 'owner_login', 'access_fn', 'app', 'gate', 'sequencer', 'verifier')
   and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication)
"""
_INHERITING = """
select m.rolname || ' inherits ' || r.rolname from pg_auth_members g
  join pg_roles r on r.oid = g.roleid join pg_roles m on m.oid = g.member
 where r.rolname in ('owner', 'access_fn') and g.inherit_option
"""
_UNPROTECTED = """
select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = any ($1) and c.relkind in ('r', 'p')
   and has_any_column_privilege('app', c.oid, 'select, insert, update')
   and not (c.relrowsecurity and c.relforcerowsecurity)
"""
_TRIGGERS = """
select t.name, (select count(*) from pg_trigger g
                 where g.tgrelid = t.name::regclass and g.tgname in ('no_change', 'no_truncate') and g.tgenabled = 'A')
  from unnest($1::text[]) t(name)
"""
_CHANGEABLE = """
select role || ' may ' || p || ' ' || t from unnest($1::text[]) t, unnest(array['delete', 'truncate', 'update']) p,
       unnest(array['app', 'gate', 'sequencer', 'verifier']) role
 where has_table_privilege(role, t, p)
"""


async def examine_walls(connection: asyncpg.Connection[Any]) -> AsyncIterator[Finding]:
    """Findings about roles, row-level security and append-only tables."""
    wrong = [row[0] for row in await connection.fetch(_POWERFUL)] + [
        row[0] for row in await connection.fetch(_INHERITING)
    ]
    yield _list("no role of ours is above the rules", "these roles can pass the rules", wrong)
    bare = {row[0] for row in await connection.fetch(_UNPROTECTED, list(SCHEMAS))} - OPEN_TABLES
    yield _list("row-level security is forced on every protected table", "tables without it", sorted(bare))
    triggers = await connection.fetch(_TRIGGERS, list(APPEND_ONLY))
    yield _list(
        "append-only tables refuse change and removal to everybody",
        "tables whose guards are missing or switched off",
        [row["name"] for row in triggers if row["count"] != 2],
    )
    rights = [row[0] for row in await connection.fetch(_CHANGEABLE, list(APPEND_ONLY))]
    yield _list("no running process may update or delete in them", "rights that should not be there", rights)


def _list(fine: str, wrong: str, found: list[str]) -> Finding:
    return fault(wrong, "\n".join(found)) if found else good(fine)
