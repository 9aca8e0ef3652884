#!/usr/bin/env bash
# What the tests need from the system: browsers, fonts with Cyrillic, unzip. Debian and its children; needs root.
# Does nothing when all of it is there.
set -euo pipefail

missing=()
command -v chromium >/dev/null || missing+=(chromium)
command -v unzip >/dev/null || missing+=(unzip)
command -v make >/dev/null || missing+=(make)
command -v openssl >/dev/null || missing+=(openssl)
command -v pdfsig >/dev/null || missing+=(poppler-utils)
command -v qpdf >/dev/null || missing+=(qpdf)
command -v softhsm2-util >/dev/null || missing+=(softhsm2)
command -v cc >/dev/null || missing+=(gcc libc6-dev)  # a token library that crashes is made with it
[ -e /usr/include/asm-generic/unistd.h ] || missing+=(linux-libc-dev)  # the numbers of system calls, to compare ours with
command -v npm >/dev/null || missing+=(npm)
command -v busybox >/dev/null || missing+=(busybox-static)
command -v firefox-esr >/dev/null || command -v firefox >/dev/null || missing+=(firefox-esr)
command -v WebKitWebDriver >/dev/null || missing+=(webkit2gtk-driver)
command -v Xvfb >/dev/null || missing+=(xvfb)  # WebKit has no mode without a screen
[ -e /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf ] || missing+=(fonts-dejavu-core)
"${PYTHON:-python3}" -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
if [ ${#missing[@]} -eq 0 ]; then
    exit 0
fi

if [ "$(id -u)" -ne 0 ]; then
    echo "missing: ${missing[*]}. Install them as root: apt-get install ${missing[*]}" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get -q update
apt-get -q install -y --no-install-recommends "${missing[@]}"
