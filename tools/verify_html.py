"""Builds verify.html from casemgmt/trust/kit/page: one file, the same bytes from the same sources.

    tools/get-esbuild.sh && .venv/bin/python tools/verify_html.py          write it
    .venv/bin/python tools/verify_html.py --check                          exit 1 when it would differ

The scripts are minified by esbuild (one pinned version). WebAssembly and texts are packed with DEFLATE; packed bytes
that already unpack to the right content are kept, because zlib's output is not the same everywhere.
"""

import argparse
import base64
import hashlib
import json
import re
import subprocess
import sys
import zlib
from pathlib import Path

try:
    import zopfli.zlib as zopfli  # packs 8 % tighter; what it made is kept from then on, so nobody else needs it
except ImportError:
    zopfli = None

ROOT = Path(__file__).resolve().parent.parent
KIT = ROOT / "casemgmt" / "trust" / "kit"
PAGE = KIT / "page"
OUTPUT = KIT / "verify.html"
HASH_WASM = KIT / "vendor" / "hash-wasm.sha256.umd.min.js"
ESBUILD = ROOT / ".tools" / "bin" / "esbuild"

SCRIPTS = (
    "bytes", "hashing", "archive", "lists", "tree", "notes", "events", "receipts", "passkeys", "steps", "story", "view",
)  # fmt: skip
LANGUAGES = ("en", "ru", "ky")
SHORTENED = (
    "archive", "members", "checkpoint", "witnessed", "witnesses", "manifest", "withheld", "receipts", "folders",
    "streams", "signatures", "sealed", "quorum", "leftOut", "groups", "directory", "enrolled", "checked",
    "events", "links", "policy", "public", "material", "bytes", "index", "crc", "remark", "chain", "words", "notes",
    "order", "extra", "digest", "module", "note", "leaf_hash", "revoked", "logs", "offset", "left", "disputed",
)  # fmt: skip
"""Names of properties that only the page's own code reads: no JSON of a package is read by them, nor the browser."""


_ONE_BYTE = str.maketrans("ңөүҢӨҮ", "љњћЉЊЋ")
"""Texts are one byte a letter, which packs best: the Kyrgyz letters take the places of Serbian ones in windows-1251."""


def build(old: bytes) -> bytes:
    """The page. `old` is the page as it is, of which packed parts that still fit are kept."""
    packed = re.findall(rb'="(eN[A-Za-z0-9+/=]{200,})"', old)
    wasm, words = _pack(wasm_module(), packed), _pack(texts(), packed)
    source = "\n".join(_read(f"{name}.js") for name in SCRIPTS)
    script = minified(f'const WASM="{wasm}",WORDS="{words}";\n{source}', "js").replace("</script", "<\\/script")
    style = minified(_read("style.css"), "css")
    page = _read("page.html")
    for name, value in (
        ("@SCRIPT_HASH@", _csp_hash(script)),
        ("@STYLE_HASH@", _csp_hash(style)),
        ("@SOURCES@", sources_hash()),
        ("@STYLE@", style),
        ("@SCRIPT@", script),
    ):
        page = page.replace(name, value)
    return page.encode()


def sources_hash() -> str:
    """Over every source, so that a page older than its sources is seen without esbuild."""
    digest = hashlib.sha256()
    for path in sorted([*PAGE.iterdir(), HASH_WASM]):
        digest.update(f"{path.name}\n{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def wasm_module() -> bytes:
    """The WebAssembly module inside hash-wasm's own file."""
    found = re.search(rb'"(AGFzbQ[A-Za-z0-9+/=]+)"', HASH_WASM.read_bytes())
    if not found:
        raise SystemExit("hash-wasm holds no module")
    return base64.b64decode(found[1])


def texts() -> bytes:
    """All languages; each has the keys of English and no others."""
    every = {language: json.loads(_read(f"{language}.json")) for language in LANGUAGES}
    for language, words in every.items():
        if words.keys() != every["en"].keys():
            raise SystemExit(f"{language}.json: {words.keys() ^ every['en'].keys()}")
    lines = [["", *every["en"]], *([name, *(words[key] for key in every["en"])] for name, words in every.items())]
    if any(set(cell) & set("\t\n") for line in lines for cell in line):
        raise SystemExit("a text has a tab or a newline")
    return "\n".join("\t".join(line) for line in lines).translate(_ONE_BYTE).encode("cp1251")


def minified(source: str, kind: str) -> str:
    wrapped = ["--format=iife", "--target=es2022", f"--mangle-props=^({'|'.join(SHORTENED)})$"] if kind == "js" else []
    command = [str(ESBUILD), "--minify", "--charset=utf8", f"--loader={kind}", *wrapped]
    done = subprocess.run(command, input=source.encode(), capture_output=True, check=True)
    return done.stdout.decode().strip()


def _pack(content: bytes, packed: list[bytes]) -> str:
    for one in packed:
        if zlib.decompress(base64.b64decode(one)) == content:
            return one.decode()
    if zopfli is None:
        return base64.b64encode(zlib.compress(content, 9)).decode()
    return base64.b64encode(zopfli.compress(content, numiterations=100)).decode()


def _csp_hash(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def _read(name: str) -> str:
    return (PAGE / name).read_text(encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description="Builds verify.html.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the page is not up to date")
    options = parser.parse_args()
    old = OUTPUT.read_bytes() if OUTPUT.exists() else b""
    new = build(old)
    if not options.check:
        OUTPUT.write_bytes(new)
    print(f"verify.html: {len(new)} bytes, SHA-256 {hashlib.sha256(new).hexdigest()}")
    return int(options.check and new != old)


if __name__ == "__main__":
    sys.exit(main())
