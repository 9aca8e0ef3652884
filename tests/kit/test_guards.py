"""Every guard is seen failing: a verifier from which one is taken out accepts, in that step, what it is there for."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.kit.cases import BAD
from tests.kit.conftest import opened
from tests.kit.verifiers import KIT, by_page, by_script

pytestmark = pytest.mark.browser

CASES = {bad.name: bad for bad in BAD}

OTHER_CONTEXT = "a signature by PIN made for something else"
REVOKED = "a key behind a PIN revoked before it signed"
ENROLLED_AS_PASSKEY = "a signature by PIN by a key that is enrolled as a passkey"

# file, the guard, what stands there instead, the bad package it is there for
IN_SCRIPTS = (
    ("verify_all.sh", 'sha256sum -c manifest-sha256.txt >"$T/sums" || no', "true || no", "a file with another byte"),
    ("verify_all.sh", "sha256sum -c $SEAL", "true", "a list with another byte"),
    ("verify_all.sh", 'cmp -s - "$T/listed" || no "missing,', 'cat >/dev/null || no "missing,', "a file nobody listed"),
    ("verify_proof.sh", '[ "$index" -lt "$size" ] && included', "true || included", "an entry with other words"),
    ("verify_proof.sh", "met\\ *) ;;", "*) ;;", "a cosignature less than the quorum"),
    ("verify_proof.sh", 'grew "$old"', 'true "$old"', "a proof of growth cut short"),
    ("verify_all.sh", "seq + 1) { if (whole)", "seq + 1) { if (0)", "an entry missing in an exhibit's chain"),
    ("verify_all.sh", '[ "$index" -lt "$revoked" ]', "true", "a key revoked before it signed"),
    ("verify_all.sh", "r[4] != w[3] ||", "", "a withheld file with another hash"),
    ("verify_passkey.sh", 'gsub(/%/, "%25", name)', "1", "a seal of an exhibit whose number has %2F for /"),
    ("verify_all.sh", '[ ! -s "$T/both" ]', "true", "a withheld file that is here all the same"),
    ("verify_all.sh", "sort -u | cmp", "sort -u | cat; true", "an enrolment of somebody who signed nothing"),
    ("verify_all.sh", "|| n[$1]++ { exit 1 }", "{ exit 1 }", "one person with two streams of keys"),
    ("verify_passkey.sh", "[ $((flags & 5)) -eq 5 ]", "true", "a user the authenticator did not verify"),
    ("verify_passkey.sh", '[ "$person" = "$(get "$T/event" /actor/id)" ]', "true", "the key of another person"),
    ("verify_all.sh", '[ "$index" -lt "$revoked" ]', "true", REVOKED),
    ("verify_passkey.sh", '[ "$(get "$T/enrolment" /type)" = ', '[ "" != ', ENROLLED_AS_PASSKEY),
    ("verify_passkey.sh", "'evidence-custody-pin-v1", "'evidence-custody-pinkey-v1", OTHER_CONTEXT),
    ("verify_passkey.sh", '[ "$(get "$T/event" /type)" = ', '[ "" != ', "an agreement with another decision"),
    ("verify_passkey.sh", '[ "$(number "$T/record" "$at/seal")" = ', '[ "" != ', "an agreement with another seal"),
    ("verify_passkey.sh", '[ "$state" = "$known" ]', "true", "an agreement with another state of the seal"),
    (
        "verify_passkey.sh", 'cmp -s "$T/one" "$T/other" || refuse "the entry does not repeat', 'true || refuse "',
        "an agreement whose words the entry changed",
    ),
    ("verify_passkey.sh", "*0203010001)", "*)", "an RSA key with the exponent 3"),
    ("verify_passkey.sh", "/by/name:/actor/name", "", "an agreement by another person"),
    ("verify_passkey.sh", "/key:/data/signature/key", "", "an agreement with another key"),
    ("verify_passkey.sh", "/id:/data/agreement", "", "an agreement of another name"),
)  # fmt: skip
IN_PAGE = (
    ("steps.js", 'if (wrong.length) throw new Fault("hash"', 'if (0) throw Fault("hash"', "a file with another byte"),
    ("steps.js", "if (more.length) throw", "if (0) throw", "a file nobody listed"),
    ("steps.js", "if (!included(link.leaf", "if (0 && !included(link.leaf", "an entry with other words"),
    ("notes.js", "if (!quorumMet(policy, witnessed))", "if (0)", "a cosignature less than the quorum"),
    ("steps.js", "if (extra.length % 32 || !grew(", "if (0 && !grew(", "a proof of growth cut short"),
    ("events.js", "if (whole) throw", "if (0) throw", "an entry missing in an exhibit's chain"),
    ("passkeys.js", "if (key.revoked !== null && index > key.revoked)", "if (0)", "a key revoked before it signed"),
    ("passkeys.js", "if ((flags & 5) !== 5)", "if (0)", "a user the authenticator did not verify"),
    ("passkeys.js", "if (event.actor.id !== key.person.id)", "if (0)", "the key of another person"),
    ("passkeys.js", "(people[data.person.id] ??= stream) === stream &&", "", "one person with two streams of keys"),
    ("steps.js", "if (idle.length)", "if (0)", "an enrolment of somebody who signed nothing"),
    ("receipts.js", "if (found.archive.members.has(one.path))", "if (0)", "a withheld file that is here all the same"),
    ("receipts.js", "receipt.event.data.sha256 !== one.sha256 ||", "", "a withheld file with another hash"),
    ("passkeys.js", "if (key.revoked !== null && index > key.revoked)", "if (0)", REVOKED),
    ("passkeys.js", "if (!key || pin !== (key.kind === \"pinkey\"))", "if (!key)", ENROLLED_AS_PASSKEY),
    ("passkeys.js", '"evidence-custody-pin-v1', '"evidence-custody-pinkey-v1', OTHER_CONTEXT),
    ("passkeys.js", 'event.type.endsWith(":" + kind) &&', "", "an agreement with another decision"),
    ("passkeys.js", "&& sealKey(item.seal) === sealKey(seen)", "", "an agreement with another seal"),
    ("passkeys.js", "(item.seal_state === seal.state || ", "(1 || ", "an agreement with another state of the seal"),
    ("passkeys.js", "&& canonical(item) === canonical(data.agreed)", "", "an agreement whose words the entry changed"),
    ("passkeys.js", '|| hex(spki).endsWith("0203010001")', "|| 1", "an RSA key with the exponent 3"),
    ("passkeys.js", "said.by.name === actor.name &&", "", "an agreement by another person"),
    ("passkeys.js", "&& said.key === data.signature.key", "", "an agreement with another key"),
    ("passkeys.js", "said.id === data.agreement &&", "", "an agreement of another name"),
)  # fmt: skip


@pytest.mark.parametrize(("name", "guard", "instead", "case"), IN_SCRIPTS, ids=lambda value: value)
def test_a_script_without_this_guard_lets_it_pass(
    name: str, guard: str, instead: str, case: str, unpack: Callable[[bytes], Path], tmp_path: Path
) -> None:
    scripts = tmp_path / "scripts"
    shutil.copytree(KIT, scripts, ignore=shutil.ignore_patterns("page", "vendor", "__pycache__"))
    text = (scripts / name).read_text(encoding="utf-8")
    assert text.count(guard) >= 1, "the guard has moved"
    (scripts / name).write_text(text.replace(guard, instead), encoding="utf-8")
    bad = CASES[case]
    said = by_script(unpack(bad.make()), scripts=scripts)
    assert said.outcomes.get(bad.step) not in (None, "FAILED"), said.words


@pytest.mark.parametrize(("name", "guard", "instead", "case"), IN_PAGE, ids=lambda value: value)
def test_a_page_without_this_guard_lets_it_pass(
    name: str, guard: str, instead: str, case: str, builder, browser: Browser, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    sources = tmp_path / "page"
    shutil.copytree(KIT / "page", sources)
    text = (sources / name).read_text(encoding="utf-8")
    assert text.count(guard) == 1, "the guard has moved"
    (sources / name).write_text(text.replace(guard, instead), encoding="utf-8")
    monkeypatch.setattr(builder, "PAGE", sources)
    monkeypatch.setattr(builder, "minified", lambda source, kind: f"(()=>{{{source}}})()" if kind == "js" else source)
    (tmp_path / "verify.html").write_bytes(builder.build(b""))
    page = opened(browser.new_page(), tmp_path / "verify.html")
    bad = CASES[case]
    said = by_page(page, bad.make())
    page.close()
    assert bad.step not in said.failed, said.words
