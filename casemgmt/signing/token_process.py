"""A process of its own for the token's library: ``python -m casemgmt.signing.token_process``, one question each.

Vendors' libraries share the address space of whoever loads them, and some crash there. Here that costs one signature.
The question is a JSON object on standard input: ``module``, ``token``, ``label``, ``pin``, and ``sign`` (base64 of what
the key's plain mechanism signs; empty: only read the certificates). The answer is one on standard output:
``certificate`` and ``others`` or ``signature`` (base64), or ``error``.
"""

from __future__ import annotations

import json
import sys
from base64 import b64decode, b64encode
from typing import Any

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass


def main() -> None:
    asked = json.load(sys.stdin)
    try:
        token = pkcs11.lib(asked["module"]).get_token(token_label=asked["token"])
        with token.open(user_pin=asked["pin"] or None) as session:
            answer = _sign(session, asked) if asked["sign"] else _read(session, asked["label"])
    except (pkcs11.PKCS11Error, RuntimeError) as error:
        answer = {"error": str(error) or type(error).__name__}
    json.dump(answer, sys.stdout)


def _read(session: Any, label: str) -> dict[str, Any]:
    answer: dict[str, Any] = {"certificate": "", "others": []}
    for item in session.get_objects({Attribute.CLASS: ObjectClass.CERTIFICATE}):
        content = b64encode(bytes(item[Attribute.VALUE])).decode()
        if item[Attribute.LABEL] == label:
            answer["certificate"] = content
        else:
            answer["others"].append(content)
    return answer


def _sign(session: Any, asked: dict[str, str]) -> dict[str, Any]:
    key = session.get_key(object_class=ObjectClass.PRIVATE_KEY, label=asked["label"])
    mechanism = Mechanism.ECDSA if key.key_type == KeyType.EC else Mechanism.RSA_PKCS
    return {"signature": b64encode(key.sign(b64decode(asked["sign"]), mechanism=mechanism)).decode()}


if __name__ == "__main__":
    main()
