"""``casemgmt walkthrough``: exit 0 only when every step, refusal and verification went as told."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from casemgmt.embedded.temporary import TemporaryInstance
from casemgmt.walkthrough import border, investigation, outsiders, prosecution, store_room, verification, witnesses
from casemgmt.walkthrough.stage import Stage
from casemgmt.walkthrough.transcript import NotAsToldError, Transcript

ACTS = (
    border.register_from_the_phone,
    border.refuse_a_wrong_hash,
    border.register_at_the_other_post,
    store_room.enrol_keys,
    store_room.hand_over,
    investigation.open_cases,
    investigation.grant_the_seizure,
    investigation.link_the_cases,
    prosecution.refer,
    prosecution.see_only_that,
    prosecution.seal_and_download,
    prosecution.seal_redacted,
    witnesses.watch_over,
    outsiders.see_nothing,
    verification.verify_offline,
    verification.verify_redacted,
    verification.break_it,
)


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="casemgmt walkthrough",
        description="Plays the main job over HTTP against a temporary instance with the demonstration cast.",
    )
    parser.add_argument("--out", metavar="DIR", required=True, help="the package and the transcript are written here")
    out = Path(parser.parse_args(argv).out).absolute()
    out.mkdir(parents=True, exist_ok=True)
    transcript = Transcript(out / "transcript.md")
    transcript.say("A temporary instance starts: own data directory, own port, the demonstration cast.")
    with TemporaryInstance(demo=True, settings={"TIME_ZONE": "Asia/Bishkek"}) as instance:
        stage = Stage(instance.url, out, transcript)
        try:
            for act in ACTS:
                act(stage)
        except NotAsToldError as error:
            print(f"casemgmt: not as told: {error}", file=sys.stderr)
            return 1
    transcript.say(f"\n{transcript.checks} things had to hold, and all of them held.")
    return 0
