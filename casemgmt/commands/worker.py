"""``casemgmt worker``: the sequencer and other background work, over a configured database and store."""

import argparse
import asyncio
import signal
from collections.abc import Sequence

import uvloop

from casemgmt.settings import Settings, load
from casemgmt.worker import run_worker


def main(argv: Sequence[str]) -> int:
    argparse.ArgumentParser(
        prog="casemgmt worker", description="Does the background work until SIGTERM. Settings as for `casemgmt serve`."
    ).parse_args(argv)
    settings = load()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_work(settings))
    return 0


async def _work(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await run_worker(settings, stop)
