#!/bin/sh
# Puts esbuild into .tools/bin: it makes verify.html from its sources. Linux on x86-64 or arm64, from the npm registry.
# Does nothing when that version is there. The archive must have the hash the registry published for it.
set -eu

VERSION=0.28.2

cd "$(dirname "$0")/.."
target="$PWD/.tools/bin"
if [ "$("$target/esbuild" --version 2>/dev/null)" = "$VERSION" ]; then
    exit 0
fi
case "$(uname -m)" in
    x86_64) name=linux-x64 hash=4xTZr1FUmSoQW4XIWmit3tzQrUTZM+N3P0XV8xROKYF50XfI7xeO90+1bZvNwxIufQ9hDQVRJH5YhgPVF8A/HQ== ;;
    aarch64) name=linux-arm64 hash=pW4AC0P3it8c7do9MVM4p51FzHzdM/TZrerurgRcHJ2WTa1VQ1CIq18xncfpBJw4ojkiZZrKW2yIBWBP92j6Ug== ;;
    *) echo "no esbuild for $(uname -m) is known here" >&2; exit 1 ;;
esac
mkdir -p "$target"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && npm pack --silent "@esbuild/$name@$VERSION" >/dev/null)
found=$(openssl dgst -sha512 -binary "$work"/*.tgz | openssl base64 -A)
if [ "$found" != "$hash" ]; then
    echo "esbuild $VERSION for $name is not the published one: $found" >&2
    exit 1
fi
tar -xzf "$work"/*.tgz -C "$work"
mv "$work/package/bin/esbuild" "$target/esbuild"
chmod +x "$target/esbuild"
