"""The key a phone keeps behind its officer's PIN: made with the PIN, enrolled by itself, opened for one signature."""

from __future__ import annotations

from typing import Any

import pytest

from casemgmt.trust.passkey import PublicKey, statement
from casemgmt.trust.pin import verify_pin
from tests.cast import World
from tests.phone.handset import PIN, Handset, with_phone

pytestmark = pytest.mark.browser

_VAULT = """async (work) => {
    const address = document.querySelector('script[type=module]').src.replace(/app\\.js$/, '') + 'phone/vault.js';
    const vault = await import(address);
    const owner = (await vault.vaults())[0].owner;
    return work(vault, owner);
}"""


def in_vault(phone: Handset, work: str) -> Any:
    """The answer of ``(vault, owner) => …`` in the page."""
    return phone.page.evaluate(f"({_VAULT})({work})")


def becomes(phone: Handset, state: str) -> None:
    """Waits until the phone knows this of its key: ``enrolled`` or ``revoked``."""
    script = f"async (vault, owner) => (await vault.signingKey(owner))?.{state} === true"
    phone.until(lambda: bool(in_vault(phone, script)), f"the key becomes {state}")


def enrolled(phone: Handset) -> None:
    """Waits until the phone has told the server of its key."""
    becomes(phone, "enrolled")


def sign(phone: Handset, pin: str, said: bytes) -> dict[str, Any]:
    """{key, signature}, or {wrong: name, wait}."""
    return dict(
        in_vault(
            phone,
            f"""async (vault, owner) => {{
                try {{
                    const made = await vault.signWithPin(owner, '{pin}', new Uint8Array({list(said)}));
                    return {{ key: made.key, signature: Array.from(made.signature) }};
                }} catch (error) {{
                    return {{ wrong: error.name, wait: error.wait }};
                }}
            }}""",
        )
    )


async def keys_of(dba: Any, person: int) -> list[Any]:
    return list(await dba.fetch("select * from accounts.passkey where person_id = $1 order by id", person))


async def test_the_key_is_made_with_the_pin_and_enrolled_by_itself(server: str, world: World, db_dba: Any) -> None:
    said, seen = statement([b"first", b"second"]), {}

    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        enrolled(phone)
        seen.update(sign(phone, PIN, said))

    await with_phone(server, visit)
    (row,) = await keys_of(db_dba, world.aida.id)
    assert (row["kind"], row["fingerprint"].hex()) == ("pin", seen["key"])
    verify_pin(PublicKey(row["spki"]), bytes(seen["signature"]), said)
    events = await db_dba.fetch("select type from ledger.entry where stream = $1", f"passkeys:{world.aida.login}")
    assert [event["type"] for event in events] == ["accounts:pinkey:enrolled"]


async def test_many_signatures_are_all_in_the_form_of_the_world_outside(server: str, world: World, db_dba: Any) -> None:
    """WebCrypto gives two numbers side by side; some begin with zeros, some with a high bit."""
    made: list[Any] = []

    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        enrolled(phone)
        code = """async (vault, owner) => {
            const aes = {name: 'AES-GCM', length: 256};
            const opener = await crypto.subtle.generateKey(aes, false, ['wrapKey', 'unwrapKey']);
            const { makeSigningKey, signWith } = await import(document.querySelector('script[type=module]').src
                .replace(/app\\.js$/, '') + 'phone/signing-key.js');
            const key = await makeSigningKey(opener, owner, 'device');
            const all = [];
            for (let n = 0; n < 600; n += 1) {
                const said = new TextEncoder().encode(String(n).padStart(64, '0') + '\\n');
                all.push(Array.from(await signWith(key, owner, opener, said)));
            }
            return { spki: Array.from(key.spki), all };
        }"""
        made.append(in_vault(phone, code))

    await with_phone(server, visit)
    key = PublicKey(bytes(made[0]["spki"]))
    for n, signature in enumerate(made[0]["all"]):
        verify_pin(key, bytes(signature), f"{n:064d}\n".encode())
    assert len({len(signature) for signature in made[0]["all"]}) > 1


async def test_the_private_half_is_in_the_store_only_wrapped(server: str, world: World) -> None:
    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.tamper("""async ({ask, transact}) => {
            const [row] = await transact(['vaults'], 'readonly', (store) => ask(store.getAll()));
            const kinds = Object.values(row.signing).map((value) => value?.constructor?.name);
            const open = await transact(['keys'], 'readonly', (store) => ask(store.getAll()));
            window.seen = {names: Object.keys(row.signing).sort(), crypto: kinds.includes('CryptoKey'),
                           wrapped: row.signing.wrapped.byteLength,
                           open: open.map((one) => one.key?.algorithm?.name ?? null)};
        }""")
        seen = phone.page.evaluate("window.seen")
        assert not seen["crypto"]
        assert {"iv", "wrapped", "spki", "key", "proof"} <= set(seen["names"])
        assert seen["wrapped"] > 130  # PKCS#8 of a P-256 key, and the tag
        assert "ECDSA" not in seen["open"]  # unlocking does not open it

    await with_phone(server, visit)


async def test_a_wrong_pin_signs_nothing_and_must_wait_after_five(server: str, world: World) -> None:
    said = statement([b"x"])

    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        for _ in range(5):
            assert sign(phone, "111222", said) == {"wrong": "WrongPin", "wait": 0}
        assert sign(phone, "111222", said)["wait"] > 0
        assert sign(phone, PIN, said)["wait"] > 0  # the right one is not looked at now either

    await with_phone(server, visit)


async def test_another_pin_opens_the_same_key(server: str, world: World, db_dba: Any) -> None:
    said, seen = statement([b"x"]), []

    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        enrolled(phone)
        in_vault(phone, f"(vault, owner) => vault.changePin(owner, '{PIN}', '775501')")
        assert sign(phone, PIN, said)["wrong"] == "WrongPin"
        seen.append(sign(phone, "775501", said))

    await with_phone(server, visit)
    (row,) = await keys_of(db_dba, world.aida.id)
    verify_pin(PublicKey(row["spki"]), bytes(seen[0]["signature"]), said)


async def test_a_vault_of_before_gets_its_key_at_the_next_unlock(server: str, world: World, db_dba: Any) -> None:
    def visit(phone: Handset) -> None:
        phone.context.route("**/api/v1/pin-keys", lambda route: route.abort())
        phone.set_up(world.aida)
        phone.tamper("""async ({ask, transact}) => transact(['vaults'], 'readwrite', async (store) => {
            const [row] = await ask(store.getAll());
            delete row.signing;
            await ask(store.put(row));
        })""")
        assert in_vault(phone, "(vault, owner) => vault.signingKey(owner)") is None
        phone.context.unroute("**/api/v1/pin-keys")
        phone.page.get_by_role("button", name="Lock this phone").click()
        phone.unlock()
        enrolled(phone)

    await with_phone(server, visit)
    assert len(await keys_of(db_dba, world.aida.id)) == 1


async def test_no_evidence_waits_for_a_key_the_server_refuses(
    server: str, world: World, photo: Any, db_dba: Any
) -> None:
    def visit(phone: Handset) -> None:
        phone.answer("**/api/v1/pin-keys", 500)
        phone.set_up(world.aida)
        phone.register(photo)
        phone.expect_state("Verified by server")

    await with_phone(server, visit)
    assert await keys_of(db_dba, world.aida.id) == []


async def test_a_phone_learns_that_its_key_was_revoked(server: str, world: World, db_dba: Any) -> None:
    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        enrolled(phone)
        codes = phone.page.evaluate("fetch('/api/v1/keys').then((answer) => answer.json())")
        token = phone.page.evaluate("fetch('/api/v1/me').then((a) => a.json()).then((me) => me.csrf)")
        answer = phone.page.evaluate(
            """([id, token]) => fetch(`/api/v1/keys/${id}/revocation`, {method: 'POST', body: '{"reason": "lost"}',
                headers: {'Content-Type': 'application/json', 'X-CSRF-Token': token}}).then((a) => a.status)""",
            [codes[0]["id"], token],
        )
        assert answer == 200
        phone.page.get_by_role("button", name="Send now").click()
        becomes(phone, "revoked")
        assert in_vault(phone, "async (vault, owner) => (await vault.signingKey(owner)).enrolled") is False

    await with_phone(server, visit)
    assert len(await keys_of(db_dba, world.aida.id)) == 1  # it made no other by itself
