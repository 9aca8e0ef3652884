"""Between the acts: who watches over the ledger, as the auditor sees it, and the policy a reader brings along."""

from __future__ import annotations

import html
import re

from casemgmt.trust.errors import TrustError
from casemgmt.trust.note import Note
from casemgmt.trust.policy import Policy
from casemgmt.walkthrough.stage import Stage

QUORUM = "2 of customs, police, prosecution"


def watch_over(stage: Stage) -> None:
    """The auditor reads the page of the ledger; what it publishes holds under the policy that stands there."""
    askar, aida = stage.enter("askar"), stage.enter("aida")
    answer = askar.page("/ledger")
    stage.expect(answer, 200, "Askar opens the page of the ledger")
    text = html.unescape(answer.data.decode())
    stage.transcript.check(QUORUM in text, f"what goes out must be cosigned by {QUORUM}")
    stage.expect(aida.page("/ledger"), 403, "an officer has nothing to do there")
    shown = re.search(r"<pre>(log .*?)</pre>", text, re.DOTALL)
    policy = shown[1].strip() + "\n" if shown else ""
    stage.things["policy"] = stage.out / "agreed.policy"
    stage.things["policy"].write_text(policy, encoding="utf-8")
    try:
        published = Note.parse(askar.page("/ledger/checkpoint").data.decode())
        accepted = Policy.parse(policy).accept(published)
    except TrustError as error:
        stage.transcript.check(False, f"the published ledger holds under that policy: {error}")
        return
    names = ", ".join(accepted.witnessed)
    words = f"the ledger of {accepted.checkpoint.size} entries is signed, and cosigned by {names}"
    stage.transcript.check(len(accepted.witnessed) >= 2, words)
