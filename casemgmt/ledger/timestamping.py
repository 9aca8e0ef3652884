"""The ledger under other people's clocks: published checkpoints are timestamped while there is news.

One timestamp covers every entry below its checkpoint. When no authority answers, work goes on: the outage is logged,
stands on the page of timestamps, and ends by itself.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncpg
import structlog

from casemgmt.signing.authority import Authorities, Stamped
from casemgmt.signing.errors import NoTimestampError

LOOK = timedelta(seconds=20)
"""How often it is looked whether a timestamp is due; after an outage, how soon one is asked for again."""

_NEWS = """
select n.size, n.note from ledger.newest_published() n
 where n.size > coalesce((select max(t.size) from ledger.timestamp t), 0)
   and not exists (select from ledger.timestamp t where t.at > now() - $1::interval)"""
_KEEP = """
insert into ledger.timestamp(size, note, time, authority, policy, response) values ($1, $2, $3, $4, $5, $6)
on conflict (size) do nothing"""
_FAILING = """
insert into ledger.timestamp_state(failing_since, problem) values (now(), $1)
on conflict (one) do update set failing_since = coalesce(ledger.timestamp_state.failing_since, now()),
  problem = excluded.problem, at = now()"""
_ANSWERING = """
insert into ledger.timestamp_state(failing_since) values (null)
on conflict (one) do update set failing_since = null, problem = '', at = now()"""

log = structlog.get_logger()


async def stamp_news(
    connection: asyncpg.Connection[Any], authorities: Authorities, interval: timedelta
) -> Stamped | None:
    """Timestamp the newest published checkpoint when it is newer than the last one stamped and ``interval`` has passed.

    None when nothing was due or no authority answered; the latter is recorded and tried again at the next look.
    """
    news = await connection.fetchrow(_NEWS, interval)
    if news is None:
        return None
    try:
        stamped = await authorities.stamp(news["note"].encode())
    except NoTimestampError as error:
        log.error("ledger.not_timestamped", size=news["size"], reasons=error.reasons)  # noqa: TRY400
        await connection.execute(_FAILING, "\n".join(error.reasons)[:2000])
        return None
    await connection.execute(
        _KEEP, news["size"], news["note"], stamped.time, stamped.authority, stamped.policy, stamped.response
    )
    await connection.execute(_ANSWERING)
    log.info("ledger.timestamped", size=news["size"], authority=stamped.authority)
    return stamped
