#!/bin/sh
# Builds what the tests of the ledger's formats talk to, none of it ours, into .tools/bin: litewitness, a witness of the
# same protocol (Torchwood, ISC), and tlogpeer, which is Go's sumdb/tlog and sumdb/note (BSD) behind a command line
# (tests/interop/go). Does nothing when these versions are there.
set -eu

LITEWITNESS=v0.6.1

cd "$(dirname "$0")/.."
target="$PWD/.tools/bin"
stamp="$target/tlog-peers.version"
version="$LITEWITNESS $(cat tests/interop/go/* | cksum)"
if [ -x "$target/litewitness" ] && [ -x "$target/tlogpeer" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$version" ]; then
    exit 0
fi

mkdir -p "$target"
. tools/go-toolchain.sh

echo "building litewitness $LITEWITNESS and tlogpeer (once, less than a minute)" >&2
GOBIN="$target" GOTOOLCHAIN=local CGO_ENABLED=0 "$go" install -trimpath -ldflags=-s \
    "filippo.io/torchwood/cmd/litewitness@$LITEWITNESS"
(cd tests/interop/go && GOTOOLCHAIN=local CGO_ENABLED=0 "$go" build -trimpath -ldflags=-s -o "$target/tlogpeer" .)
echo "$version" >"$stamp"
