#!/bin/sh
# Puts Lighthouse, which measures a page as a slow telephone would show it, into .tools/lighthouse; from the npm registry,
# with the hashes of tools/lighthouse/package-lock.json. Does nothing when it is there.
set -eu

cd "$(dirname "$0")/.."
target="$PWD/.tools/lighthouse"
if cmp -s tools/lighthouse/package-lock.json "$target/package-lock.json" && [ -d "$target/node_modules/lighthouse" ]; then
    exit 0
fi
rm -rf "$target"
work="$target.new"
rm -rf "$work"
mkdir -p "$work"
cp tools/lighthouse/package.json tools/lighthouse/package-lock.json "$work/"
(cd "$work" && npm ci --ignore-scripts --no-audit --no-fund --silent)
mv "$work" "$target"
