#!/bin/sh
# Builds the S3 server of the tests (Object Lock, versions) into .tools/bin. Does nothing when that version is there.
set -eu

VERSION=v1.8.0

cd "$(dirname "$0")/.."
target="$PWD/.tools/bin"
stamp="$target/versitygw.version"
if [ -x "$target/versitygw" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$VERSION" ]; then
    exit 0
fi

mkdir -p "$target"
. tools/go-toolchain.sh

echo "building versitygw $VERSION (once, about two minutes)" >&2
GOBIN="$target" GOTOOLCHAIN=local CGO_ENABLED=0 "$go" install -trimpath -ldflags=-s \
    "github.com/versity/versitygw/cmd/versitygw@$VERSION"
echo "$VERSION" >"$stamp"
