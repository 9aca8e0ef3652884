#!/bin/sh
# Puts tus-js-client, a tus client that is not ours, into .tools/tus-js-client for the tests of uploads; from the npm
# registry, with the hashes of tools/tus-js-client/package-lock.json. Does nothing when it is there.
set -eu

cd "$(dirname "$0")/.."
target="$PWD/.tools/tus-js-client"
if cmp -s tools/tus-js-client/package-lock.json "$target/package-lock.json" && [ -d "$target/node_modules" ]; then
    exit 0
fi
mkdir -p "$target"
cp tools/tus-js-client/package.json tools/tus-js-client/package-lock.json "$target/"
cd "$target"
npm ci --ignore-scripts --no-audit --no-fund --silent
