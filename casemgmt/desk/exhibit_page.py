"""One exhibit: what it is, its three signs, its photographs, and who had it when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from litestar import get
from litestar.params import FromPath
from litestar.response import Template

from casemgmt.accounts.queries import names
from casemgmt.core.clock import utcnow
from casemgmt.core.codes import Codes
from casemgmt.core.formats import format_datetime, format_quantity
from casemgmt.core.i18n import N_, Text, gettext
from casemgmt.core.parts import Kind, Moment, Sign
from casemgmt.core.render import page
from casemgmt.core.web.signin import AnyRequest, actor_of
from casemgmt.custody import agreement_queries, signatures
from casemgmt.custody import queries as custody_queries
from casemgmt.custody.agreement_rules import Why, in_words
from casemgmt.custody.models import CustodyEvent
from casemgmt.custody.signatures import Signed
from casemgmt.desk import history, signs
from casemgmt.evidence import claims
from casemgmt.evidence import queries as evidence_queries
from casemgmt.evidence import rules as evidence_rules
from casemgmt.evidence.models import File, Fixity
from casemgmt.exhibits import queries
from casemgmt.exhibits.models import Exhibit
from casemgmt.exhibits.rules import ChainBreak, label_lines
from casemgmt.ledger.models import Entry
from casemgmt.reference import lists
from casemgmt.seizures import queries as seizure_queries
from casemgmt.trust.signers import PIN

_TEXTS: dict[str, tuple[Text, Kind]] = {
    "registered": (N_("Registered; held by %(to)s"), "info"),
    "offered": (N_("Offered by %(from)s to %(to)s"), "info"),
    "accepted": (N_("Accepted by %(to)s from %(from)s"), "ok"),
    "refused": (N_("Refused by %(to)s; still held by %(from)s"), "bad"),
    "withdrawn": (N_("Offer to %(to)s withdrawn by %(from)s"), "warn"),
    "disputed": (N_("Disputed: %(from)s and %(to)s agreed otherwise, and it did not take effect"), "bad"),
    "resolved": (N_("Dispute resolved by %(by)s"), "warn"),
}


@get("/exhibits/{code:str}")
async def exhibit(request: AnyRequest, code: FromPath[str]) -> Template:
    actor, codes = actor_of(request), request.app.state.codes
    async with request.app.state.database.begin(actor) as db:
        found = await queries.exhibit(db, codes.decode("exhibit", code))
        seizure = await seizure_queries.seizure(db, found.seizure_id)
        files = await evidence_queries.files_of_exhibit(db, found.id)
        checks = await evidence_queries.latest_fixity(db, [file.id for file in files])
        looks = await evidence_queries.latest_observations(db, [file.id for file in files])
        chain = await custody_queries.chain(db, found.id)
        entries = await history.custody_entries(db, found)
        signed = await signatures.of_exhibit(db, found.id)
        people = await names(db, _ids(found, chain))
        agreements = await agreement_queries.of_exhibit(db, found.number)
    return page(
        request, "desk/exhibit.html",
        exhibit=found, code=code, seizure=seizure, files=files, checks=checks, viewable=evidence_rules.VIEWABLE,
        claims=claims.of_files(files, looks, request.app.state.zone), people=people,
        signs=_signs(files, checks, chain, history.broken_at(found, chain, entries), people),
        custody=_moments(chain, entries, signed, people, codes), label_lines=_label(found, people),
        may_hand_over=found.holder_id == actor.id and found.offered_to is None, is_offered=found.offered_to == actor.id,
        agreements=agreements,
    )  # fmt: skip


def _signs(
    files: Sequence[File],
    checks: Mapping[int, Fixity],
    chain: Sequence[CustodyEvent],
    broken: ChainBreak | None,
    people: Mapping[int, str],
) -> list[Sign]:
    return [
        signs.file_sign([f.id for f in files], {i: signs.Check(c.outcome, c.at) for i, c in checks.items()}),
        signs.custody_sign(len(chain), broken, utcnow(), **history.disputes(chain)),
        signs.seal_sign(history.last_look(chain, people)),
    ]


def _ids(exhibit: Exhibit, chain: Sequence[CustodyEvent]) -> set[int | None]:
    ids: set[int | None] = {exhibit.holder_id, exhibit.offered_to, exhibit.created_by}
    return ids.union(*((e.actor_id, e.from_id, e.to_id) for e in chain))


def _moments(
    chain: Sequence[CustodyEvent],
    entries: Mapping[int, Entry],
    signed: Mapping[signatures.Place, Signed],
    people: Mapping[int, str],
    codes: Codes,
) -> list[Moment]:
    return [
        _moment(event, entries.get(event.seq), signed.get((event.exhibit_id, event.seq)), people, codes)
        for event in chain
    ]


def _moment(
    event: CustodyEvent, entry: Entry | None, signed: Signed | None, people: Mapping[int, str], codes: Codes
) -> Moment:
    message, kind = _TEXTS[event.kind]
    who = {
        "by": people.get(event.actor_id, "–"),
        "from": people.get(event.from_id or 0, "–"),
        "to": people.get(event.to_id or 0, "–"),
    }
    return Moment(
        event.at,
        gettext(message.message, **who),
        kind="warn" if event.discrepancy else kind,
        href=f"/events/{codes.encode('event', entry.id)}" if entry else None,
        detail=" ".join([*_details(event), *_means(event, signed)]) or None,
    )


def _details(event: CustodyEvent) -> list[str]:
    said = []
    if event.seal_state and event.seal_state != "none":
        state = gettext(lists.get("seal_states", event.seal_state).label)
        said.append(gettext("Seal seen: %(number)s, %(state)s.", number=event.seal_no or "–", state=state))
    if event.kind == "disputed":
        said.append(str(in_words(Why(event.reason or ""))))
    elif event.kind == "resolved":
        outcome = lists.DISPUTE_OUTCOMES.items().get(event.reason or "")
        said.append(f"{gettext(outcome.label) if outcome else event.reason}.")
    elif event.reason:
        reason = lists.REFUSAL_REASONS.items().get(event.reason)
        said.append(gettext("Reason: %(reason)s.", reason=gettext(reason.label) if reason else event.reason))
    if event.discrepancy:
        said.append(gettext("Discrepancy: %(words)s.", words=event.discrepancy))
    if event.note:
        said.append(event.note if event.note.endswith((".", "!", "?")) else f"{event.note}.")
    if event.device_at:
        said.append(
            gettext("By the device's clock: %(moment)s.", moment=format_datetime(event.device_at, seconds=True))
        )
    return said


def _means(event: CustodyEvent, signed: Signed | None) -> list[str]:
    if event.kind in {"registered", "disputed", "resolved"}:
        return []
    if signed is None:
        return [gettext("Signed in only; not signed with a key.")]
    if not signed.fits:
        return [gettext("The signature does not fit: the record was changed after it was signed.")]
    if signed.agreed:
        return [gettext("Agreed without a network, signed by PIN: weaker than a passkey.")]
    if signed.means == PIN:
        return [gettext("Signed by PIN, with a key that is software in one phone: weaker than a passkey.")]
    return [gettext("Signed with a key that can be copied.") if signed.synced else gettext("Signed with a key.")]


def _label(exhibit: Exhibit, people: Mapping[int, str]) -> list[str]:
    quantity = ""
    if exhibit.quantity is not None and exhibit.unit:
        quantity = format_quantity(exhibit.quantity, gettext(lists.UNITS.get(exhibit.unit).label))
    return label_lines(
        number=exhibit.number,
        what=gettext(lists.CATEGORIES.get(exhibit.category).label),
        quantity=quantity,
        seal=exhibit.seal_no,
        officer=people.get(exhibit.created_by, ""),
        taken=format_datetime(exhibit.created_at),
    )


handlers = [exhibit]
