"""Act 3: a police investigator opens a case, is granted the customs seizure and links what belongs together."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from casemgmt.walkthrough.stage import CONTAINER, CONTAINER_TYPED_IN_CYRILLIC, Stage
from casemgmt.walkthrough.visitor import Visitor, read


def open_cases(stage: Stage) -> None:
    stage.transcript.heading("3. The investigation")
    elena, marat = stage.enter("elena"), stage.enter("marat")
    case = {"client_id": str(uuid.uuid4()), "title": "Trafficking through Ak-Tilek", "summary": "Joint with customs."}
    stage.things["case"] = stage.expect(elena.api("POST", "/cases", case), 201, "Elena (police) opens a case")
    case = {"client_id": str(uuid.uuid4()), "title": "Tobacco from Torugart", "summary": ""}
    stage.things["customs_case"] = stage.expect(marat.api("POST", "/cases", case), 201, "Marat (customs) opens another")


def grant_the_seizure(stage: Stage) -> None:
    elena, saule, aida = stage.enter("elena"), stage.enter("saule"), stage.enter("aida")
    code = stage.things["seizure"]["id"]
    stage.expect(elena.api("GET", f"/seizures/{code}"), 404, "Elena sees nothing of the customs seizure yet")
    stage.transcript.check(not _found(elena, CONTAINER), "nor does her search for the container")
    grant = {
        "person": elena.login, "purpose": "investigation", "onward": True,
        "until": (datetime.now(UTC).date() + timedelta(days=90)).isoformat(),
    }  # fmt: skip
    answer = aida.api("POST", f"/seizures/{code}/grants", grant)
    stage.expect(answer, 403, "the officer herself may not grant her seizure to another agency")
    answer = saule.api("POST", f"/seizures/{code}/grants", grant)
    stage.expect(answer, 201, "Saule, her supervisor, grants it to Elena for 90 days")
    stage.expect(elena.api("GET", f"/seizures/{code}"), 200, "now Elena sees it")


def link_the_cases(stage: Stage) -> None:
    elena, marat, gulnara, bakyt = (stage.enter(login) for login in ("elena", "marat", "gulnara", "bakyt"))
    case, customs_case = stage.things["case"]["id"], stage.things["customs_case"]["id"]
    answer = elena.api("POST", f"/cases/{case}/seizures", {"seizure": stage.things["seizure"]["id"], "reason": "found"})
    stage.expect(answer, 204, "she puts it into the police case")
    other = stage.things["other_seizure"]["id"]
    share = {"person": marat.login, "purpose": "investigation", "endless": True}
    stage.expect(gulnara.api("POST", f"/seizures/{other}/grants", share), 201, "the other post shares with Marat")
    answer = marat.api("POST", f"/cases/{customs_case}/seizures", {"seizure": other, "reason": "same route"})
    stage.expect(answer, 204, "Marat puts it into the customs case")
    stage.expect(elena.api("GET", f"/cases/{customs_case}"), 404, "Elena does not see the customs case")
    share = {"person": elena.login, "purpose": "investigation", "endless": True, "with_seizures": True}
    stage.expect(bakyt.api("POST", f"/cases/{customs_case}/grants", share), 201, "customs shares its case with her")
    for typed in (CONTAINER, CONTAINER_TYPED_IN_CYRILLIC):
        numbers = _found(elena, typed)
        both = {stage.things["seizure"]["number"], stage.things["other_seizure"]["number"]}
        stage.transcript.check(numbers == both, f"searching for {typed} she finds the container at both posts")
    link = {"case": customs_case, "reason": "same_container", "note": CONTAINER}
    stage.expect(elena.api("POST", f"/cases/{case}/links", link), 201, "Elena links the two cases by the container")


def _found(visitor: Visitor, text: str) -> set[str]:
    """Numbers of the seizures that a search finds."""
    return {row["number"] for row in read(visitor.api("GET", f"/search?q={quote(text)}"))["seizures"]}
