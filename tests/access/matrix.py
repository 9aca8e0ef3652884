"""Who is answered how, for every route of the application: the promise of access, written out.

A line is a method, a path and groups ``status who who ... | status``: the last group, without names, is everybody else
who is signed in. Strangers are sent to the sign-in page (302) or refused (401), and need a group only where they are
not. The records are those of ``scene``: 200 means "sees it", 404 "it does not exist for them", 403 "sees it and may
not", 409 and 422 "may, but what was sent is refused". How a route is asked is in ``asking``.

Two lines say the same of a page and of its API unless something is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

STRANGER = "stranger"
CAST = (
    STRANGER, "admin", "aida", "nurlan", "saule", "timur", "marat", "elena", "ruslan", "oleg", "dinara", "askar",
)  # fmt: skip

TABLE = """
# for everybody
GET    /healthz                                              200 stranger | 200
GET    /help                                                 200 stranger | 200
GET    /ledger/checkpoint                                    200 stranger | 200
GET    /ledger/key                                           200 stranger | 200
GET    /ledger/tile/{path:path}                              404 stranger | 404
GET    /ledger/timestamp-ca.pem                              404 stranger | 404
GET    /ledger/timestamps/{size:int}/checkpoint              404 stranger | 404
GET    /ledger/timestamps/{size:int}/response                404 stranger | 404
GET    /static/{version:str}/{name:path}                     404 stranger | 404
GET    /sign-in                                              200 stranger | 302
GET    /verify                                               200 stranger | 200
GET    /verify/{name:str}                                    200 stranger | 200
POST   /sign-in                                              422 stranger | 422
POST   /api/v1/sessions                                      422 stranger | 422
POST   /preferences                                          303 stranger | 303
GET    /sw.js                                                200 stranger | 200
GET    /manifest.webmanifest                                 200 stranger | 200
GET    /phone                                                200 stranger | 200
GET    /phone/hand-over                                      200 stranger | 200
GET    /phone/receive                                        200 stranger | 200
GET    /phone/new                                            200 stranger | 200
GET    /phone/more                                           200 stranger | 200

# one's own account
GET    /                                                     200
GET    /account                                              200
GET    /ledger/timestamps                                    200
POST   /account/password                                     422
GET    /api/v1/me                                            200

# keys: one's own, and for an administrator everybody's; here Timur's. Enrolling takes a password and then a device,
# and what waits for a signature is nobody else's and, here, not there
GET    /account/keys                                         200
POST   /account/keys/new                                     422
POST   /account/keys                                         409
GET    /account/keys/{key:str}/revoke                        200 timur | 404
POST   /account/keys/{key:str}/revoke                        422 timur | 404
GET    /people/{code:str}/keys/{key:str}/revoke              200 admin | 403
POST   /people/{code:str}/keys/{key:str}/revoke              422 admin | 403
GET    /api/v1/keys                                          200
POST   /api/v1/keys/enrolments                               422
POST   /api/v1/keys                                          409
POST   /api/v1/pin-keys                                      422
POST   /api/v1/keys/{code:str}/revocation                    422 timur admin | 404
GET    /signing/{request_id:str}                             409
POST   /signing/{request_id:str}                             409
POST   /signing/{request_id:str}/without                     409
GET    /api/v1/signature-requests/{request_id:str}           409
POST   /api/v1/signature-requests/{request_id:str}/signature 409

# the directory: whom to hand over to and to share with
GET    /api/v1/people                                        200
GET    /people                                               200 admin | 403
POST   /people                                               422 admin | 403
GET    /people/{code:str}                                    200 admin | 403
POST   /people/{code:str}/appointments                       422 admin | 403
POST   /people/{code:str}/appointments/{appointment:int}/end 404 admin | 403
POST   /people/{code:str}/password                           422 admin | 403
GET    /units                                                200 admin | 403
POST   /units                                                422 admin | 403
POST   /agencies                                             422 admin | 403

# the ledger as a whole: who watches over it
GET    /ledger                                               200 admin askar | 403
GET    /ledger/policy                                        200 admin | 403
POST   /ledger/policy                                        422 admin | 403

# lists and search show what there is for the reader: see test_outsiders
GET    /seizures                                             200
GET    /exhibits                                             200
GET    /cases                                                200
GET    /hand-overs                                           200
GET    /hand-overs/new                                       200
GET    /search                                               200
GET    /labels                                               200
GET    /numbers                                              200 aida timur saule ruslan askar | 403
GET    /labels/print                                         422
GET    /api/v1/seizures                                      200
GET    /api/v1/exhibits                                      200
GET    /api/v1/cases                                         200
GET    /api/v1/hand-overs                                    200
GET    /api/v1/search                                        200

# a seizure: its unit, who holds an exhibit of it, the unit it was granted to, the prosecutors, the agency's auditor
GET    /seizures/new                                         200 aida timur | 403
POST   /seizures/new                                         422 aida timur | 403
POST   /api/v1/seizures                                      201 aida timur | 403
POST   /api/v1/number-blocks                                 201 aida timur | 403
GET    /seizures/{code:str}                                  200 aida saule nurlan elena ruslan dinara askar | 404
GET    /seizures/{code:str}/saved                            200 aida saule nurlan elena ruslan dinara askar | 404
GET    /api/v1/seizures/{code:str}                           200 aida saule nurlan elena ruslan dinara askar | 404
GET    /seizures/{code:str}/correct                          200 aida saule | 403 nurlan elena ruslan dinara askar | 404
POST   /seizures/{code:str}/correct                          422 aida saule | 403 nurlan elena ruslan dinara askar | 404
POST   /api/v1/seizures/{code:str}/corrections               422 aida saule | 403 nurlan elena ruslan dinara askar | 404
GET    /seizures/{code:str}/people                           200 aida saule | 403 nurlan elena ruslan dinara askar | 404
POST   /seizures/{code:str}/people                           422 aida saule | 403 nurlan elena ruslan dinara askar | 404
POST   /api/v1/seizures/{code:str}/people                    422 aida saule | 403 nurlan elena ruslan dinara askar | 404
GET    /seizures/{code:str}/need-to-know                     200 saule | 403 aida nurlan elena ruslan dinara askar | 404
POST   /seizures/{code:str}/need-to-know                     303 saule | 403 aida nurlan elena ruslan dinara askar | 404
PUT    /api/v1/seizures/{code:str}/need-to-know              204 saule | 403 aida nurlan elena ruslan dinara askar | 404
PUT    /api/v1/seizures/{code:str}/files/{client_id:str}     422 aida saule | 403 nurlan elena ruslan dinara askar | 404

# its exhibits and files
GET    /exhibits/{code:str}                                  200 aida saule nurlan elena ruslan dinara askar | 404
GET    /api/v1/exhibits/{code:str}                           200 aida saule nurlan elena ruslan dinara askar | 404
GET    /x/{code:str}                                         302 aida saule nurlan elena ruslan dinara askar | 404
GET    /exhibits/{code:str}/files                            200 aida saule nurlan elena ruslan dinara askar | 404
GET    /api/v1/exhibits/{code:str}/signatures                200 aida saule nurlan elena ruslan dinara askar | 404
GET    /api/v1/exhibits/{code:str}/signatures/{seq:int}/{name:str}  404
POST   /exhibits/{code:str}/check                            303 aida saule nurlan elena ruslan dinara askar | 404
PUT    /api/v1/exhibits/{code:str}/files/{client_id:str}     422 aida saule nurlan | 403 elena ruslan dinara askar | 404
GET    /files/{code:str}                                     200 aida saule nurlan elena ruslan dinara askar | 404
GET    /api/v1/files/{code:str}                              200 aida saule nurlan elena ruslan dinara askar | 404
GET    /api/v1/files/{code:str}/observation                  200 aida saule nurlan elena ruslan dinara askar | 404
POST   /files/{code:str}/showings                            422 aida saule nurlan | 403 elena ruslan dinara askar | 404
POST   /api/v1/files/{code:str}/showings                     422 aida saule nurlan | 403 elena ruslan dinara askar | 404
# a form without a file is told so; a file is refused to whoever may not add one, by name, on the page of outcomes
POST   /exhibits/{code:str}/files                            422 aida saule nurlan elena ruslan dinara askar | 404

# uploads in pieces: each person's own; the one that is asked about is Aida's
POST   /api/v1/uploads                      422 aida saule nurlan | 403 elena ruslan dinara askar | 404
GET    /api/v1/uploads/{client_id:str}      200 aida | 404
HEAD   /api/v1/uploads/{client_id:str}      200 aida | 404
PATCH  /api/v1/uploads/{client_id:str}      409 aida | 404
POST   /api/v1/uploads/{client_id:str}      400

# a hand-over: an administrator, who holds nothing, is refused before anything is looked up
POST   /hand-overs                            409 nurlan | 403 admin aida saule elena ruslan dinara askar | 404
POST   /api/v1/hand-overs                     409 nurlan | 403 admin aida saule elena ruslan dinara askar | 404
GET    /hand-overs/{code:str}                 200 aida saule nurlan elena ruslan dinara askar | 404
GET    /hand-overs/{code:str}/state           200 aida saule nurlan elena ruslan dinara askar | 404
GET    /hand-overs/{code:str}/live            200 aida saule nurlan elena ruslan dinara askar | 404
GET    /hand-overs/{code:str}/receipt         200 aida saule nurlan elena ruslan dinara askar | 404
GET    /hand-overs/{code:str}/here            303 aida | 403 saule nurlan elena ruslan dinara askar | 404
POST   /hand-overs/{code:str}/here            303 aida | 403 saule nurlan elena ruslan dinara askar | 404
GET    /hand-overs/{code:str}/qr.svg          200 aida saule nurlan elena ruslan dinara askar | 404
GET    /api/v1/hand-overs/{code:str}          200 aida saule nurlan elena ruslan dinara askar | 404
# with a key that is not the asker's; with Timur's own he sees none of it
POST   /api/v1/hand-overs/signature-requests  404 timur | 422
POST   /api/v1/hand-overs/{code:str}/answer/signature-requests  404 timur | 422
POST   /hand-overs/{code:str}/answer          409 nurlan | 403 aida saule elena ruslan dinara askar | 404
POST   /api/v1/hand-overs/{code:str}/answer   409 nurlan | 403 aida saule elena ruslan dinara askar | 404

# what two phones agreed without a network, here Aida and Nurlan: the two, their supervisors, their agency's auditor
POST   /api/v1/agreements                          200 aida nurlan | 403
GET    /api/v1/agreements                          200
GET    /api/v1/agreements/{agreement:str}          200 aida nurlan saule askar | 404
GET    /agreements                                 200
GET    /agreements/{code:str}                      200 aida nurlan saule askar | 404
GET    /agreements/{code:str}/files/{name:str}     200 aida nurlan saule askar | 404
POST   /agreements/{code:str}/resolution           409 saule | 403 aida nurlan askar | 404
POST   /api/v1/agreements/{agreement:str}/resolution  409 saule | 403 aida nurlan askar | 404

# events
GET    /events/{code:str}                     200 aida saule nurlan elena ruslan dinara askar | 404
GET    /api/v1/events/{code:str}/body         200 aida saule nurlan elena ruslan dinara askar | 404
GET    /api/v1/events/{code:str}/proof        200 aida saule nurlan elena ruslan dinara askar | 404

# grants of the seizure; the one that is asked to end has ended: it is seen by who gave it and who got it
GET    /seizures/{code:str}/grants            200 aida saule nurlan elena ruslan dinara askar | 404
POST   /seizures/{code:str}/grants            422 saule | 403 aida nurlan elena ruslan dinara askar | 404
GET    /api/v1/seizures/{code:str}/grants     200 aida saule nurlan elena ruslan dinara askar | 404
POST   /api/v1/seizures/{code:str}/grants     422 saule | 403 aida nurlan elena ruslan dinara askar | 404
GET    /seizures/{code:str}/grants/{grant:str}/end  200 saule aida elena askar | 404
POST   /seizures/{code:str}/grants/{grant:str}/end  409 saule | 403 aida elena askar | 404
POST   /api/v1/grants/{code:str}/end                409 saule | 403 aida elena askar | 404

# the police case: its team, its unit's supervisor, the prosecutors; nobody of the customs
GET    /cases/new                             200 saule marat elena ruslan oleg | 403
POST   /cases                                 303 saule marat elena ruslan oleg | 403
POST   /api/v1/cases                          201 saule marat elena ruslan oleg | 403
GET    /cases/{code:str}                      200 elena ruslan dinara | 404
GET    /cases/{code:str}/timeline             200 elena ruslan dinara | 404
GET    /cases/{code:str}/links                200 elena ruslan dinara | 404
GET    /cases/{code:str}/team                 200 elena ruslan dinara | 404
GET    /cases/{code:str}/history              200 elena ruslan dinara | 404
GET    /api/v1/cases/{code:str}               200 elena ruslan dinara | 404
GET    /api/v1/cases/{code:str}/timeline      200 elena ruslan dinara | 404
POST   /cases/{code:str}/seizures             422 elena ruslan | 403 dinara | 404
POST   /api/v1/cases/{code:str}/seizures      422 elena ruslan | 403 dinara | 404
POST   /cases/{code:str}/links                422 elena ruslan | 403 dinara | 404
POST   /api/v1/cases/{code:str}/links         422 elena ruslan | 403 dinara | 404
POST   /cases/{code:str}/members              422 elena ruslan | 403 dinara | 404
POST   /api/v1/cases/{code:str}/members       422 elena ruslan | 403 dinara | 404
POST   /cases/{code:str}/status               422 elena ruslan | 403 dinara | 404
POST   /api/v1/cases/{code:str}/status        422 elena ruslan | 403 dinara | 404
GET    /cases/{code:str}/members/{person:str}/leave    200 elena ruslan dinara | 404
POST   /cases/{code:str}/members/{person:str}/leave    422 elena ruslan | 403 dinara | 404
GET    /cases/{code:str}/seizures/{seizure:str}/leave  200 elena ruslan dinara | 404
GET    /cases/{code:str}/grants               200 elena ruslan dinara | 404
POST   /cases/{code:str}/grants               422 ruslan | 403 elena dinara | 404
GET    /api/v1/cases/{code:str}/grants        200 elena ruslan dinara | 404
POST   /api/v1/cases/{code:str}/grants        422 ruslan | 403 elena dinara | 404
GET    /cases/{code:str}/grants/{grant:str}/end        200 elena ruslan dinara | 404
GET    /cases/{code:str}/referrals            200 elena ruslan dinara | 404
POST   /cases/{code:str}/referrals            422 elena ruslan | 403 dinara | 404
POST   /api/v1/cases/{code:str}/referrals     422 elena ruslan | 403 dinara | 404

# packages: whoever sees everything inside; the archive, for each the one who gave a reason
GET    /cases/{code:str}/packages/new         200 elena ruslan dinara | 404
POST   /cases/{code:str}/packages             422 elena ruslan dinara | 404
POST   /api/v1/cases/{code:str}/packages      422 elena ruslan dinara | 404
GET    /packages/{code:str}                   200 elena ruslan dinara | 404
GET    /api/v1/packages/{code:str}            200 elena ruslan dinara | 404
GET    /packages/{code:str}/letter            200 elena ruslan dinara | 404
POST   /packages/{code:str}/check             303 elena ruslan dinara | 404
POST   /packages/{code:str}/download          303 elena ruslan dinara | 404
POST   /api/v1/packages/{code:str}/downloads  201 elena ruslan dinara | 404
GET    /packages/{code:str}/archive/{name:str}  200 dinara | 403 elena ruslan | 404
HEAD   /packages/{code:str}/archive/{name:str}  200 dinara | 403 elena ruslan | 404
"""

# These change what the lines above rely on: asked last, of a scene of their own. The last group of a line asks first,
# so that what the refused asked for is still there afterwards; for the second who may, it is gone.
DESTRUCTIVE = """
POST   /cases/{code:str}/seizures/{seizure:str}/leave  404 ruslan | 303 elena | 403 dinara | 404
POST   /cases/{code:str}/grants/{grant:str}/end        409 ruslan | 303 elena | 403 dinara | 404
DELETE /api/v1/uploads/{client_id:str}                 204 aida | 404
DELETE /api/v1/sessions/current                        204
POST   /sign-out                                       303
POST   /sign-out-everywhere                            303
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One line. ``expected`` has a status for each of CAST, in the order of asking: the last group first."""

    method: str
    path: str
    expected: dict[str, int]

    @property
    def route(self) -> str:
        return f"{self.method} {self.path}"


def rows(table: str) -> list[Row]:
    return [_row(line) for line in table.splitlines() if line.strip() and not line.startswith("#")]


def _row(line: str) -> Row:
    method, path, rest = line.split(maxsplit=2)
    *groups, (everybody,) = (group.split() for group in rest.split("|"))
    named = {who: int(status) for status, *people in reversed(groups) for who in people}
    if unknown := named.keys() - set(CAST):
        raise ValueError(f"{line}: nobody is called {', '.join(sorted(unknown))}")
    sent_to_sign_in = method in ("GET", "HEAD") and not path.startswith("/api/")
    others = {who: int(everybody) for who in CAST if who not in named}
    if STRANGER in others:
        others[STRANGER] = 302 if sent_to_sign_in else 401
    return Row(method, path, others | named)


def complaints(routes: set[str]) -> list[str]:
    """Routes that no line answers for, and lines of no route."""
    known = {row.route for row in (*rows(TABLE), *rows(DESTRUCTIVE))}
    found = [f"no line in the matrix for {route}" for route in sorted(routes - known)]
    return found + [f"a line in the matrix for {route}, which is no route" for route in sorted(known - routes)]
