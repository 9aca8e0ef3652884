"""Act 5: an unrelated police investigator and the administrator can see none of it."""

from __future__ import annotations

from urllib.parse import quote

from casemgmt.walkthrough.stage import CONTAINER, CONTAINER_TYPED_IN_CYRILLIC, DRIVER, Stage
from casemgmt.walkthrough.visitor import Visitor

_LISTS = ("/seizures", "/exhibits", "/cases", "/hand-overs", "/")


def see_nothing(stage: Stage) -> None:
    stage.transcript.heading("5. The outsiders")
    for login in ("oleg", "admin"):
        visitor = stage.enter(login)
        _guess_addresses(stage, visitor)
        _search(stage, visitor)
        _lists(stage, visitor)


def _guess_addresses(stage: Stage, visitor: Visitor) -> None:
    things = stage.things
    addresses = {
        "the seizure": f"/seizures/{things['seizure']['id']}",
        "an exhibit": f"/exhibits/{things['exhibits'][0]['id']}",
        "the hand-over": f"/hand-overs/{things['handover']['id']}",
        "the case": f"/cases/{things['case']['id']}",
        "the package": f"/packages/{things['package']['id']}",
        "a file": f"/files/{things['file']}",
    }
    for what, address in addresses.items():
        stage.expect(visitor.page(address), 404, f"{visitor.name} guesses the address of {what}: not found")
        stage.expect(visitor.api("GET", address), 404, "nor through the API")
    path = f"/packages/{things['package']['id']}/downloads"
    stage.expect(visitor.api("POST", path, {"reason": "curiosity"}), 404, "and gets no package")


def _search(stage: Stage, visitor: Visitor) -> None:
    secrets = _secrets(stage)
    words = (CONTAINER, CONTAINER_TYPED_IN_CYRILLIC, DRIVER, stage.things["seizure"]["number"], "Resin", "MSKU")
    for text in words:
        answer = visitor.api("GET", f"/search?q={quote(text)}")
        told = answer.data.decode().replace(text, "")
        empty = answer.status == 200 and not any(secret in told for secret in secrets)
        stage.transcript.check(empty, f"{visitor.name} searches for {text} and finds nothing")


def _lists(stage: Stage, visitor: Visitor) -> None:
    for path in _LISTS:
        text = visitor.page(path).data.decode()
        stage.transcript.check(not any(secret in text for secret in _secrets(stage)), f"{path} shows nothing of it")


def _secrets(stage: Stage) -> list[str]:
    things = stage.things
    numbers = [things[name]["number"] for name in ("seizure", "other_seizure", "case", "customs_case", "package")]
    return [*numbers, *(exhibit["number"] for exhibit in things["exhibits"]), DRIVER, CONTAINER]
