"""Three separate answers: files unchanged, custody unbroken, seals intact. They are never summed up."""

from __future__ import annotations

from typing import Any

from casemgmt.packages.report.glyphs import shown
from casemgmt.packages.report.model import Report
from casemgmt.packages.report.words import Words

_NOT_INTACT = {"damaged", "missing", "differs"}
_HANDED = {"offered", "accepted", "refused", "withdrawn"}


def truths(report: Report, words: Words) -> list[dict[str, Any]]:
    """``state``: good, remark, bad, or open where nothing can be said."""
    answered = ((name, *ask(report, words)) for name, ask in _QUESTIONS.items())
    return [
        {"question": words(f"truths.{name}"), "state": state, "answer": shown(answer)}
        for name, state, answer in answered
    ]


def _files(report: Report, words: Words) -> tuple[str, str]:
    outcomes = [file.checked for file in report.files]
    unread, bad = outcomes.count(""), sum(outcome not in {"", "unchanged"} for outcome in outcomes)
    if bad:
        return "bad", words("truths.files_bad", bad=bad, files=len(outcomes))
    if unread:
        return "open", words("truths.files_unread", files=len(outcomes), unread=unread)
    return "good", words("truths.files_good", files=len(outcomes))


def _custody(report: Report, words: Words) -> tuple[str, str]:
    broken = [exhibit.number for exhibit in report.exhibits if not exhibit.unbroken]
    if broken:
        return "bad", words("truths.custody_bad", broken=", ".join(broken))
    steps = [step for exhibit in report.exhibits for step in exhibit.chain]
    handed = [step.signed.means for step in steps if step.kind in _HANDED and step.withheld is None]
    passkey, pin = handed.count("passkey"), handed.count("pin")
    said = {
        "events": len(steps), "exhibits": len(report.exhibits), "passkey": passkey, "pin": pin,
        "session": len(handed) - passkey - pin, "withheld": sum(step.withheld is not None for step in steps),
    }  # fmt: skip
    remark = said["pin"] or said["session"] or said["withheld"]
    answer = words("truths.custody_remark" if remark else "truths.custody_good", **said)
    standing = [exhibit.number for exhibit in report.exhibits if exhibit.disputed]
    ended = [e.number for e in report.exhibits if not e.disputed and any(step.kind == "disputed" for step in e.chain)]
    if standing:
        answer += " " + words("truths.custody_disputed", numbers=", ".join(standing))
    if ended:
        answer += " " + words("truths.custody_resolved", numbers=", ".join(ended))
    return "remark" if remark or standing or ended else "good", answer


def _seals(report: Report, words: Words) -> tuple[str, str]:
    events = [(exhibit.number, step.seal) for exhibit in report.exhibits for step in exhibit.chain]
    now = [(exhibit.number, exhibit.seal) for exhibit in report.exhibits]
    reported = [number for number, seal in events if seal.state in _NOT_INTACT]
    numbers = dict.fromkeys(number for number, seal in [*events, *now] if seal.state in _NOT_INTACT)
    if numbers:
        return "bad", words("truths.seals_bad", events=len(reported), numbers=", ".join(numbers))
    if not any(seal.number for _, seal in [*events, *now]):
        return "open", words("truths.seals_none")
    return "good", words("truths.seals_good")


_QUESTIONS = {"files": _files, "custody": _custody, "seals": _seals}
