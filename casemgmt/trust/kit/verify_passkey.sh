#!/bin/sh
# Did the holder of this key sign exactly this entry? Needs only sh, coreutils, cmp, awk and openssl 3.
#
#   verify_passkey.sh EVENT SIGNATURE_DIRECTORY [ENROLMENT_EVENT]
#
# Shows, of a passkey: the entry names this key; the key signed a statement that names the entry's SHA-256; the
# authenticator had verified its user. Of the key behind a PIN (weaker: software in one phone): the same without an
# authenticator; and where two phones agreed without a network, the key signed record.json, and the entry repeats it.
# With ENROLMENT_EVENT also: the key was enrolled for the person who acted, for this site.
# Does not show: that the enrolment came before and no revocation stands between (verify_all.sh does), nor that the
# person understood what was on the screen. Exit status: 0 it holds, 1 it does not, 2 the command is wrong.
set -u
LC_ALL=C
export LC_ALL
umask 077

refuse() { printf 'REFUSED: %s\n' "$(printf '%s' "$1" | tr -c '\040-\176' '?')"; exit 1; }
case $# in 2 | 3) ;; *) echo 'usage: verify_passkey.sh EVENT SIGNATURE_DIRECTORY [ENROLMENT_EVENT]' >&2; exit 2 ;; esac
event=$1 folder=$2 enrolment=${3-}
readable() {
  for file in "$@"; do
    [ -f "$file" ] && [ -r "$file" ] || refuse "missing: $file"
    [ "$(wc -c <"$file")" -le 70000 ] || refuse "too large: $file"
  done
}
readable "$event" "$folder/statement.txt" "$folder/sig.der" "$folder/pub.pem" ${3+"$3"}
T=$(mktemp -d) || exit 2
trap 'rm -rf "$T"' EXIT
trap 'exit 2' HUP INT TERM

# JSON on one line, as "path<TAB>value" lines; text values begin with a quote and stay escaped.
json() {
  tr -d '\000-\037' <"$1" | cmp -s - "$1" || return 1
  awk '
    function die() { dead = 1; exit 1 }
    function text(  start, q, k) {
      if (substr(s, p, 1) != "\"") die()
      start = q = p + 1
      for (;;) {
        k = index(substr(s, q), "\""); if (!k || dead) die()
        q += k - 1
        for (k = q - 1; k >= start && substr(s, k, 1) == "\\"; k--);
        if ((q - 1 - k) % 2 == 0) break
        q++
      }
      p = q + 1
      return substr(s, start, q - start)
    }
    function value(path,  c, name, before, n) {
      if (++depth > 60 || dead) die()
      c = substr(s, p, 1)
      if (c == "{") {
        p++; before = ""
        if (substr(s, p, 1) == "}") p++
        else for (;;) {
          name = text(); if (substr(s, p++, 1) != ":" || dead) die()
          if ((path "/" name) in seen) die()
          seen[path "/" name] = 1
          gsub(/%/, "%25", name); gsub(/\//, "%2F", name)
          value(path "/" name)
          c = substr(s, p++, 1); if (c == "}") break; if (c != "," || dead) die()
        }
      } else if (c == "[") {
        p++; n = 0
        if (substr(s, p, 1) == "]") p++
        else for (;;) { value(path "/" n++); c = substr(s, p++, 1); if (c == "]") break; if (c != "," || dead) die() }
      } else if (c == "\"") print path "\t\"" text()
      else if (match(substr(s, p, 40), /^(null|true|false|-?[0-9]+)/)) { print path "\t" substr(s, p, RLENGTH); p += RLENGTH }
      else die()
      depth--
    }
    NR > 1 { die() }
    { s = rest = $0; gsub(/\\["\\bfnrt]/, "", rest); gsub(/\\u00[01][0-9a-f]/, "", rest); if (rest ~ /\\/) die(); p = 1; value(""); if (p != length(s) + 1) die() }
    END { exit dead || NR != 1 }' "$1"
}
get() { awk -F '\t' -v path="$2" '$1 == path { print $2 }' "$1"; }
hex() { od -An -v -tx1 | tr -d ' \n'; }
digest() { openssl dgst -sha256 -r | cut -c1-64; }

# What two phones agreed without a network says what the entry says (docs/spec/agreement.md of casemgmt).
check_record() {
  json "$folder/record.json" >"$T/record" || refuse "the record is not JSON as agreed"
  exhibit=$(get "$T/event" /data/exhibit)
  at=$(awk -F '\t' -v wanted="$exhibit" '$1 ~ /^\/items\/[0-9]+\/exhibit$/ && $2 == wanted { sub(/\/exhibit$/, "", $1); print $1 }' "$T/record")
  case $at in /items/*[!0-9]* | '') refuse "the record is not about the exhibit of this entry" ;; esac
  [ "$(get "$T/event" /stream)" = "\"exhibit:${exhibit#?}" ] || refuse "the entry is not of the exhibit it names"
  case $(get "$T/record" /type) in
    '"handover-offer') decision='"offered' mine=/data/from seen=/data/seal/giver ;;
    '"handover-answer') decision=$(get "$T/record" "$at/decision") mine=/data/to seen=/data/seal/receiver ;;
    *) refuse "the record is neither an offer nor an answer" ;;
  esac
  case $decision in '"offered') [ $mine = /data/from ] ;; '"accepted' | '"refused') [ $mine = /data/to ] ;; *) false ;; esac &&
    [ "$(get "$T/event" /type)" = "\"custody:handover:${decision#?}" ] || refuse "the record says another decision than the entry"
  part() { awk -F '\t' -v from="$2" 'index($1, from "/") == 1 { print substr($1, length(from) + 1) "\t" $2 }' "$1" | sort; }
  part "$T/record" "$at" >"$T/one"; part "$T/event" /data/agreed >"$T/other"
  cmp -s "$T/one" "$T/other" || refuse "the entry does not repeat the record's words"
  part "$T/event" /actor >"$T/one"; part "$T/event" $mine >"$T/other"
  cmp -s "$T/one" "$T/other" || refuse "the entry names another person than the one who acted"
  for pair in /id:/data/agreement /key:/data/signature/key /by/name:/actor/name /by/badge:/actor/badge; do
    [ "$(get "$T/record" "${pair%%:*}")" = "$(get "$T/event" "${pair#*:}")" ] || refuse "the record says another ${pair%%:*} than the entry"
  done
  # of a seal the digits: how letters of two alphabets are read as one, casemgmt verify and verify.html check
  number() { get "$1" "$2" | tr -cd '0-9'; }
  [ "$(number "$T/record" "$at/seal")" = "$(number "$T/event" $seen)" ] || refuse "the record says another seal than the entry"
  state=$(get "$T/record" "$at/seal_state"); known=$(get "$T/event" /data/seal/state)
  [ $mine = /data/from ] || case $state$known in *damaged* | *missing*) [ "$state" = "$known" ] ;; esac || refuse "the record says another state of the seal than the entry"
}

json "$event" >"$T/event" || refuse "not a ledger entry: $event"
record=
case $(awk -F '\t' '$1 ~ /^\/data\/signature(\/|$)/ { found = found substr($1, 16) (substr($1, 17) == "means" ? "=" $2 : "") } END { print found }' "$T/event") in
  '/key/means="passkey') means=passkey; readable "$folder/clientData.json" "$folder/authData.bin" ;;
  '/key/means="pin') means=pin ;;
  '/key/means="pin/record') means=pin; record=$(get "$T/event" /data/signature/record); readable "$folder/record.json" ;;
  *) refuse "the entry does not say that it is signed with a passkey or by PIN" ;;
esac
key=$(get "$T/event" /data/signature/key)
openssl pkey -pubin -in "$folder/pub.pem" -outform DER -out "$T/spki" 2>/dev/null || refuse "the public key is not readable"
[ "$key" = "\"$(digest <"$T/spki")" ] || refuse "the key is not the one the entry names"
openssl pkey -pubin -inform DER -in "$T/spki" -outform PEM 2>/dev/null | cmp -s - "$folder/pub.pem" || refuse "the PEM of the key is not in its one form"

awk 'length($0) != 64 || /[^0-9a-f]/ || ++lines > 1000 || $0 in seen { bad = 1 } { seen[$0] = 1 } END { exit bad || !lines }' "$folder/statement.txt" &&
  [ $(($(wc -c <"$folder/statement.txt") % 65)) -eq 0 ] || refuse "the statement is not lines of 64 hexadecimal digits"
own=$(digest <"$event")
if [ -n "$record" ]; then
  own=$(digest <"$folder/record.json")
  [ "$record" = "\"$own" ] || refuse "the record is not the one the entry names"
  [ "$(wc -l <"$folder/statement.txt")" -eq 1 ] || refuse "the statement names more than the record"
  check_record
fi
awk -v own="$own" '$0 == own { found = 1 } END { exit !found }' "$folder/statement.txt" || refuse "the statement does not name this entry"

if [ $means = pin ]; then
  { printf 'evidence-custody-pin-v1\000'; cat "$folder/statement.txt"; } >"$T/signed"
else
  challenge=$({ printf 'evidence-custody-v1\000'; cat "$folder/statement.txt"; } | openssl dgst -sha256 -binary | openssl base64 -A | tr '+/' '-_' | tr -d '=')
  [ "$(head -c 80 "$folder/clientData.json" | tr -d '\000')" = "{\"type\":\"webauthn.get\",\"challenge\":\"$challenge\"" ] || refuse "the challenge is not that of this statement"
  [ "$(wc -c <"$folder/clientData.json")" -le 4096 ] && json "$folder/clientData.json" >"$T/client" || refuse "client data is not JSON as agreed"
  case $(get "$T/client" /crossOrigin) in '' | false) ;; *) refuse "signed inside a page of another site" ;; esac
  ! awk -F '\t' '$1 ~ /^\/topOrigin/ { found = 1 } END { exit !found }' "$T/client" || refuse "signed inside a page of another site"

  size=$(wc -c <"$folder/authData.bin")
  flags=$(od -An -tu1 -j32 -N1 "$folder/authData.bin" | tr -d ' ')
  [ "$size" -ge 37 ] && [ "$size" -le 1024 ] || refuse "authenticator data is too short or too long"
  [ $((flags & 5)) -eq 5 ] || refuse "the authenticator did not verify its user"
  [ $((flags & 98)) -eq 0 ] && { [ $((flags & 24)) -ne 16 ]; } || refuse "authenticator data cannot have these flags"
  if [ "$size" -gt 37 ]; then [ $((flags & 128)) -ne 0 ]; else [ $((flags & 128)) -eq 0 ]; fi || refuse "authenticator data is longer or shorter than its flags say"

  { cat "$folder/authData.bin"; openssl dgst -sha256 -binary "$folder/clientData.json"; } >"$T/signed"
fi
# what kind of key, from the key itself: Ed25519, RSA (2048 to 4096 bits, exponent 65537) or P-256
kind=$(hex <"$T/spki")
case $kind in
  302a300506032b6570032100*) set -- ; cose=-8 ;;
  3059301306072a8648ce3d020106082a8648ce3d030107034200*) set -- -digest sha256 ; cose=-7 ;;
  30820???300d06092a864886f70d01010105000382*0203010001) set -- -digest sha256 ; cose=-257 ;;
  *) refuse "not a passkey's kind of key" ;;
esac
[ $means = passkey ] || [ $cose = -7 ] || refuse "not the kind of key that is behind a PIN"
openssl pkeyutl -verify -pubin -keyform DER -inkey "$T/spki" -rawin "$@" -in "$T/signed" -sigfile "$folder/sig.der" >/dev/null 2>&1 ||
  refuse "the signature is not by this key over this statement"

whose="whose key it is, is not shown: give the enrolment"
if [ -n "$enrolment" ]; then
  json "$enrolment" >"$T/enrolment" || refuse "not a ledger entry: $enrolment"
  kind=passkey; [ $means = passkey ] || kind=pinkey
  [ "$(get "$T/enrolment" /type)" = "\"accounts:$kind:enrolled" ] || refuse "not an enrolment of a key for this means: $enrolment"
  [ "$(get "$T/enrolment" /data/key)" = "$key" ] || refuse "the enrolment is of another key"
  [ "$(get "$T/enrolment" /data/spki)" = "\"$(openssl base64 -A -in "$T/spki")" ] || refuse "the enrolment holds another key than it names"
  [ "$(get "$T/enrolment" /data/algorithm)" = "$cose" ] || refuse "the enrolment is of another kind of key"
  person=$(get "$T/enrolment" /data/person/id)
  [ -n "$person" ] && [ "$person" = "$(get "$T/enrolment" /actor/id)" ] || refuse "a key is enrolled by its holder and nobody else"
  [ "$person" = "$(get "$T/event" /actor/id)" ] || refuse "the key belongs to another person than the one who acted"
  if [ $means = passkey ]; then
    origin=$(get "$T/enrolment" /data/origin)
    [ "$(get "$T/client" /origin)" = "$origin" ] || refuse "signed at another address than the key was enrolled for"
    site=$(get "$T/enrolment" /data/rp_id)
    [ "$(head -c 32 "$folder/authData.bin" | hex)" = "$(printf '%s' "${site#?}" | digest)" ] || refuse "signed for another site"
  fi
  name=$(get "$T/enrolment" /data/person/name)
  whose="enrolled for ${name#?} (person $person)"
fi
how='with passkey %s, user verified'; [ $means = passkey ] || how='by PIN, with key %s, WEAKER than a passkey (software in one phone)'
printf "HOLDS: signed $how; %s\n" "${key#?}" "$(printf '%s' "$whose" | tr -d '\000-\037\177')"
