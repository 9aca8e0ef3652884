"""Act 4: the prosecutor sees what was referred, downloads the package, resuming after a cut."""

from __future__ import annotations

import time
import uuid
from urllib.parse import quote

from casemgmt.demo.cast import UNITS
from casemgmt.walkthrough.stage import CONTAINER, Stage
from casemgmt.walkthrough.visitor import read


def refer(stage: Stage) -> None:
    """Elena seals a package and refers the case with the one seizure that customs lets go on."""
    stage.transcript.heading("4. The prosecution")
    elena, dinara = stage.enter("elena"), stage.enter("dinara")
    case = stage.things["case"]["id"]
    stage.expect(dinara.api("GET", f"/cases/{case}"), 404, "before the referral the prosecutor sees nothing")
    people = stage.expect(elena.api("GET", "/people?kind=prosecutor"), 200, "Elena looks up the prosecutors")
    unit = next(person["unit_id"] for person in people if person["unit"] == UNITS["prosecutors"].name)
    referral = {"client_id": str(uuid.uuid4()), "unit": unit, "seizures": [stage.things["seizure"]["id"]]}
    stage.expect(
        elena.api("POST", f"/cases/{case}/referrals", referral), 201, "Elena refers the case with this seizure"
    )


def see_only_that(stage: Stage) -> None:
    dinara = stage.enter("dinara")
    case = stage.expect(dinara.api("GET", f"/cases/{stage.things['case']['id']}"), 200, "Dinara sees the case")
    numbers = [seizure["number"] for seizure in case["seizures"]]
    stage.transcript.check(numbers == [stage.things["seizure"]["number"]], "and in it the referred seizure alone")
    for name in ("other_seizure", "customs_case"):
        kind = "cases" if name == "customs_case" else "seizures"
        answer = dinara.api("GET", f"/{kind}/{stage.things[name]['id']}")
        stage.expect(answer, 404, f"{stage.things[name]['number']}, which was not referred, does not exist for her")
    found = read(dinara.api("GET", f"/search?q={quote(CONTAINER)}"))
    numbers = [seizure["number"] for seizure in found["seizures"]]
    stage.transcript.check(numbers == [stage.things["seizure"]["number"]], "her search for the container agrees")


def seal_and_download(stage: Stage) -> None:
    elena, dinara = stage.enter("elena"), stage.enter("dinara")
    case, data = stage.things["case"]["id"], {"client_id": str(uuid.uuid4())}
    answer = elena.api("POST", f"/cases/{case}/packages", data)
    package = stage.expect(answer, 201, "Elena seals an evidence package")
    stage.things["package"] = package
    stage.things["log_key"] = elena.page("/ledger/key").data.decode().strip()
    path = f"/packages/{package['id']}"
    _until_complete(stage, package["id"])
    stage.expect(dinara.api("POST", f"{path}/downloads", {"reason": ""}), 422, "no download without a reason")
    answer = dinara.api("POST", f"{path}/downloads", {"reason": "Preparing the indictment"})
    address = stage.expect(answer, 201, "Dinara says why, and gets the address")["url"]
    address = "/" + address.split("/", 3)[3] if "://" in address else address
    status, first, etag = dinara.download(address, limit=100_000)
    stage.transcript.check(status == 200 and len(first) == 100_000, "her connection is cut after 100,000 bytes")
    status, rest, _ = dinara.download(address, len(first), etag=etag)
    stage.transcript.check(status == 206, "the download resumes where it stopped")
    target = stage.out / f"{package['number']}.zip"
    target.write_bytes(first + rest)
    stage.things["archive"] = target
    stage.transcript.say(f"The package is {target.name}, {target.stat().st_size:,} bytes.")


def seal_redacted(stage: Stage) -> None:
    """Of the same evidence, for somebody who may not see all: a photograph is withheld, and proved to exist."""
    elena = stage.enter("elena")
    why = "A bystander can be recognised; decided by the prosecutor"
    withhold = [{"file": stage.things["file"], "code": "third_party"}]
    data = {"client_id": str(uuid.uuid4()), "languages": ["en", "ru", "ky"], "withhold": withhold}
    path = f"/cases/{stage.things['case']['id']}/packages"
    stage.expect(elena.api("POST", path, data), 422, "a photograph is not withheld without saying why")
    answer = elena.api("POST", path, {**data, "withheld_because": why})
    package = stage.expect(answer, 201, "Elena seals a redacted package: one photograph is withheld")
    _until_complete(stage, package["id"])
    answer = elena.api("POST", f"/packages/{package['id']}/downloads", {"reason": "For the defence"})
    address = stage.expect(answer, 201, "and takes it out for the defence")["url"]
    status, whole, _ = elena.download("/" + address.split("/", 3)[3] if "://" in address else address)
    stage.transcript.check(status == 200, "the redacted package is downloaded whole")
    stage.things["redacted"] = stage.out / f"{package['number']}.zip"
    stage.things["redacted"].write_bytes(whole)


def _until_complete(stage: Stage, package: str) -> None:
    """The seal's own proof comes with the next checkpoint, a moment later."""
    deadline = time.monotonic() + 30
    path = f"/packages/{package}"
    while not (complete := read(stage.enter("elena").api("GET", path))["complete"]) and time.monotonic() < deadline:
        time.sleep(0.1)
    stage.transcript.check(complete, "the ledger has signed the seal")
