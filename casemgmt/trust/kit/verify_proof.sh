#!/bin/sh
# Is this entry in the ledger? Needs only sh, coreutils, cmp, awk and openssl 3. Reads nothing but the files it is given.
#
#   verify_proof.sh ENTRY PROOF POLICY                 ENTRY: an .event, or the .leaf of a withheld one
#   verify_proof.sh ENTRY PROOF POLICY --after PROOF2  also: the ledger of PROOF2 has grown into that of PROOF
#   verify_proof.sh ENTRY PROOF POLICY --same PROOF2   PROOF has the very checkpoint of PROOF2, already checked
#
# Shows: the entry's bytes are at that index of the ledger; the log signed that ledger; as many witnesses cosigned it
# as the policy asks for, and which. Does not show: that the policy's keys are genuine, or that the entry is true.
# Exit status: 0 it holds, 1 it does not, 2 the command is wrong. Formats: c2sp.org/tlog-proof, tlog-policy; RFC 9162.
set -u
LC_ALL=C
export LC_ALL
umask 077

refuse() { printf 'REFUSED: %s\n' "$(printf '%s' "$1" | tr -c '\040-\176' '?')"; exit 1; }
usage() { echo 'usage: verify_proof.sh ENTRY PROOF POLICY [--after PROOF2 | --same PROOF2]' >&2; exit 2; }

case $#:${4-} in 3:) ;; 5:--after | 5:--same) ;; *) usage ;; esac
for file in "$1" "$2" "$3" ${5+"$5"}; do
  [ -f "$file" ] && [ -r "$file" ] || { echo "cannot read: $file" >&2; exit 2; }
done
entry=$1 proof=$2 policy=$3 mode=${4-} other=${5-}
T=$(mktemp -d) || exit 2
trap 'rm -rf "$T"' EXIT
trap 'exit 2' HUP INT TERM

# awk: base64 in its one spelling, as octal escapes that printf turns into bytes
BASE64='
function bytes(text,  i, n, out, a, b, c, d) {
  n = length(text); out = ""
  if (n % 4 || n == 0) stop("not base64")
  for (i = 1; i <= n; i += 4) {
    a = digit(substr(text, i, 1)); b = digit(substr(text, i + 1, 1))
    c = digit(substr(text, i + 2, 1)); d = digit(substr(text, i + 3, 1))
    if (a > 63 || b > 63 || (c > 63 && d < 64) || ((c > 63 || d > 63) && i + 4 <= n)) stop("not base64")
    if ((c > 63 && b % 16) || (d > 63 && c < 64 && c % 4)) stop("base64 with loose bits")
    out = out sprintf("\\%03o", a * 4 + int(b / 16))
    if (c < 64) out = out sprintf("\\%03o", (b % 16) * 16 + int(c / 4))
    if (d < 64) out = out sprintf("\\%03o", (c % 4) * 64 + d)
  }
  return out
}
function digit(one,  at) {
  if (one == "=") return 64
  at = index("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", one)
  if (at == 0 || length(one) != 1) stop("not base64")
  return at - 1
}
function number(text) { return text ~ /^(0|[1-9][0-9]*)$/ && length(text) <= 18 }
function stop(why) { print why > why_file; stopped = 1; exit 1 }'

# A proof, taken apart: $T/$2.{extra,head,path,body,signatures}
take_apart() {
  tr -d '\000-\011\013-\037\177' <"$1" | cmp -s - "$1" || refuse "control characters in $1"
  [ "$(tail -c 1 "$1" | od -An -to1 | tr -d ' ')" = 012 ] || refuse "the last line of $1 is cut off"
  : >"$T/$2.path"; : >"$T/$2.extra"; : >"$T/$2.signatures"
  awk -v out="$T/$2" -v why_file="$T/why" "$BASE64"'
    state == 0 { if ($0 != "c2sp.org/tlog-proof@v1") stop("not a tlog-proof"); state = 1; next }
    state == 1 && /^extra / { print bytes(substr($0, 7)) > (out ".extra"); state = 2; next }
    state == 1 || state == 2 {
      if ($0 !~ /^index / || !number(substr($0, 7))) stop("no index")
      index_ = substr($0, 7); state = 3; next
    }
    state == 3 && $0 == "" { state = 4; next }
    state == 3 { if (length($0) != 44 || ++hashes > 63) stop("not a hash"); print bytes($0) > (out ".path"); next }
    state == 4 {
      line[++lines] = $0; print > (out ".body")
      if (lines == 1 && ($0 == "" || $0 ~ /[ +]/)) stop("not an origin")
      if (lines == 2 && !number($0)) stop("not a size")
      if (lines == 3) { if (length($0) != 44) stop("not a root"); root = bytes($0); state = 5 }
      next
    }
    state == 5 { if ($0 != "") stop("a checkpoint has three lines"); state = 6; next }
    state == 6 {
      if (NF != 3 || $1 != "\342\200\224" || ++signed > 100) stop("not a signature line")
      value = bytes($3)
      if (length(value) <= 16) stop("a signature that is too short")
      print $2, substr(value, 1, 16), substr(value, 17) > (out ".signatures")
    }
    END {
      if (stopped) exit 1
      if (state != 6 || !signed) { print "the proof is cut off" > why_file; exit 1 }
      print index_, line[2], line[1] > (out ".head"); print root > (out ".root")
    }' "$1" || refuse "$1: $(cat "$T/why" 2>/dev/null)"
}

octal() { od -An -v -to1 | awk '{ for (i = 1; i <= NF; i++) out = out "\\" $i } END { print out }'; }
sha256() { openssl dgst -sha256 -binary; }
node() { { printf '\001'; cat "$1" "$2"; } | sha256; }

# The RFC 9162 path: $1 leaf hash, $2 index, $3 size, $4 file of hashes, $5 root.
included() {
  fn=$2 sn=$(($3 - 1))
  cat "$1" >"$T/hash"
  while read -r sibling; do
    [ "$sn" -ne 0 ] || return 1
    printf "$sibling" >"$T/sibling"
    if [ $((fn & 1)) -eq 1 ] || [ "$fn" -eq "$sn" ]; then
      node "$T/sibling" "$T/hash" >"$T/next"
      while [ $((fn & 1)) -eq 0 ] && [ "$fn" -ne 0 ]; do fn=$((fn >> 1)) sn=$((sn >> 1)); done
    else
      node "$T/hash" "$T/sibling" >"$T/next"
    fi
    mv "$T/next" "$T/hash"
    fn=$((fn >> 1)) sn=$((sn >> 1))
  done <"$4"
  [ "$sn" -eq 0 ] && cmp -s "$T/hash" "$5"
}

# $1 old size, $2 new size, $3 file of hashes, $4 old root, $5 new root.
grew() {
  [ "$1" -ge 1 ] && [ "$1" -le "$2" ] || return 1
  if [ "$1" -eq "$2" ]; then [ ! -s "$3" ] && cmp -s "$4" "$5"; return; fi
  fn=$(($1 - 1)) sn=$(($2 - 1)) first=1
  while [ $((fn & 1)) -eq 1 ]; do fn=$((fn >> 1)) sn=$((sn >> 1)); done
  if [ $(($1 & ($1 - 1))) -eq 0 ]; then
    cat "$4" >"$T/old"; cat "$4" >"$T/new"; first=0
  fi
  while read -r sibling; do
    printf "$sibling" >"$T/sibling"
    if [ "$first" -eq 1 ]; then cat "$T/sibling" >"$T/old"; cat "$T/sibling" >"$T/new"; first=0; continue; fi
    [ "$sn" -ne 0 ] || return 1
    if [ $((fn & 1)) -eq 1 ] || [ "$fn" -eq "$sn" ]; then
      node "$T/sibling" "$T/old" >"$T/next"; mv "$T/next" "$T/old"
      node "$T/sibling" "$T/new" >"$T/next"; mv "$T/next" "$T/new"
      while [ $((fn & 1)) -eq 0 ] && [ "$fn" -ne 0 ]; do fn=$((fn >> 1)) sn=$((sn >> 1)); done
    else
      node "$T/new" "$T/sibling" >"$T/next"; mv "$T/next" "$T/new"
    fi
    fn=$((fn >> 1)) sn=$((sn >> 1))
  done <"$3"
  [ "$first" -eq 0 ] && [ "$sn" -eq 0 ] && cmp -s "$T/old" "$4" && cmp -s "$T/new" "$5"
}

# The policy as lines: kind, name, key name, key id, type and key; groups and quorum are judged later.
read_policy() {
  tr -d '\000-\010\013-\037\177' <"$policy" | cmp -s - "$policy" || refuse "control characters in the policy"
  awk -v why_file="$T/why" "$BASE64"'
    function key(text, kind, name,  at, rest, id) {
      at = index(text, "+"); rest = substr(text, at + 1); id = substr(rest, 1, 8)
      if (at < 2 || substr(rest, 9, 1) != "+") stop("not a key: " text)
      material = bytes(substr(rest, 10))
      if (length(material) != 132 || substr(material, 1, 4) != kind) stop("not such a key: " text)
      if (material in known_keys || substr(material, 5) in bare) stop("the same key twice: " text)
      known_keys[material] = 1; bare[substr(material, 5)] = 1
      print (kind == "\\001" ? "log" : "witness"), name, substr(text, 1, at - 1), id, material
    }
    function fresh(name) { if (name == "none" || name in names) stop("the name is taken: " name); names[name] = 1 }
    $1 == "" || $1 ~ /^#/ { next }
    $1 == "log" && (NF == 2 || NF == 3) { key($2, "\\001", "-"); logs++; next }
    $1 == "witness" && (NF == 3 || NF == 4) { fresh($2); key($3, "\\004", $2); next }
    $1 == "group" && NF >= 4 {
      count = $3 == "any" ? 1 : $3 == "all" ? NF - 3 : number($3) ? $3 + 0 : 0
      if (count < 1 || count > NF - 3) stop("not understood: " $0)
      for (i = 4; i <= NF; i++) { if (!($i in names) || $i in grouped) stop("not understood: " $0); grouped[$i] = 1 }
      fresh($2); next
    }
    $1 == "quorum" && NF == 2 && !quorum && ($2 == "none" || $2 in names) { quorum = 1; next }
    { stop("not understood: " $0) }
    END { if (stopped) exit 1; if (!quorum || !logs) { print "no quorum line or no log" > why_file; exit 1 } }
  ' "$policy" >"$T/keys" || refuse "policy: $(cat "$T/why" 2>/dev/null)"
}

ed25519() { # $1 key as octal, $2 message, $3 signature
  { printf '\060\052\060\005\006\003\053\145\160\003\041\000'; printf "$1"; } >"$T/key.der"
  [ "$(wc -c <"$3")" -eq 64 ] &&
    openssl pkeyutl -verify -pubin -keyform DER -inkey "$T/key.der" -rawin -in "$2" -sigfile "$3" >/dev/null 2>&1
}

# Who of the policy signed the checkpoint $1.body; one bad signature by a known key condemns it.
check_signatures() {
  log=0; : >"$T/held"
  while read -r kind name key_name id material; do
    found=$({ printf '%s\n' "$key_name"; printf "$material"; } | openssl dgst -sha256 -r)
    [ "$(printf '%s' "$found" | cut -c1-8)" = "$id" ] || refuse "the key id does not fit the key $key_name"
    signed=0
    while read -r by by_id value; do
      [ "$by" = "$key_name" ] || continue
      [ "$(printf "$by_id" | od -An -tx1 | tr -d ' \n')" = "$id" ] || continue
      if [ "$kind" = log ]; then
        cat "$1.body" >"$T/message"; printf "$value" >"$T/signature"
      else
        printf "$value" | head -c 8 >"$T/time"; printf "$value" | tail -c +9 >"$T/signature"
        time=$(od -An -v -tu1 "$T/time" | awk '{ for (i = 1; i <= NF; i++) t = t * 256 + $i } END { printf "%.0f", t }')
        { printf 'cosignature/v1\ntime %s\n' "$time"; cat "$1.body"; } >"$T/message"
      fi
      ed25519 "${material#????}" "$T/message" "$T/signature" || refuse "the signature by $key_name does not fit"
      signed=1
    done <"$1.signatures"
    [ "$signed" -eq 1 ] || continue
    if [ "$kind" = log ]; then [ "$key_name" != "$origin" ] || log=1; else printf '%s\n' "$name" >>"$T/held"; fi
  done <"$T/keys"
  [ "$log" -eq 1 ] || refuse "no log of the policy signed the checkpoint of $origin"
  quorum=$(awk -v held_file="$T/held" '
    BEGIN { while ((getline name < held_file) > 0) held[name] = 1 }
    $1 == "group" {
      need = $3 == "any" ? 1 : $3 == "all" ? NF - 3 : $3; have = 0
      for (i = 4; i <= NF; i++) have += $i in held
      if (have >= need) held[$2] = 1
    }
    $1 == "quorum" { print (($2 == "none" || $2 in held) ? "met " : "missed ") $2 }' "$policy")
  case $quorum in met\ *) ;; *) refuse "the quorum ${quorum#* } is not met; cosigned by: $(tr '\n' ' ' <"$T/held")" ;; esac
}

take_apart "$proof" this
read -r index size origin <"$T/this.head"
printf "$(cat "$T/this.root")" >"$T/root"
if [ "$mode" = --same ]; then
  take_apart "$other" that
  cmp -s "$T/this.body" "$T/that.body" && cmp -s "$T/this.signatures" "$T/that.signatures" || refuse "another checkpoint than $other"
  who="(checkpoint as before)"
else
  read_policy
  check_signatures "$T/this"
  who="signed by the log, cosigned by: $(tr '\n' ' ' <"$T/held" | tr -c '\040-\176' '?')"
fi

case $entry in
  *.leaf)
    awk 'NR == 1 && length($0) == 64 && /^[0-9a-f]+$/ { ok = 1; gsub(/../, "& "); print } NR > 1 { ok = 0; exit } END { exit !ok }' "$entry" >"$T/digits" &&
      [ "$(wc -c <"$entry")" -eq 65 ] || refuse "not the hash of a withheld entry: $entry"
    printf "$(awk 'function value(c) { return index("0123456789abcdef", c) - 1 }
      { for (i = 1; i <= NF; i++) printf "\\%03o", value(substr($i, 1, 1)) * 16 + value(substr($i, 2, 1)) }' "$T/digits")" >"$T/leaf" ;;
  *) { printf '\000'; cat "$entry"; } | sha256 >"$T/leaf" ;;
esac
[ "$index" -lt "$size" ] && included "$T/leaf" "$index" "$size" "$T/this.path" "$T/root" ||
  refuse "the entry is not at index $index of the $size entries"

if [ "$mode" = --after ]; then
  take_apart "$other" that
  read -r _ old old_origin <"$T/that.head"
  printf "$(cat "$T/that.root")" >"$T/old_root"
  printf "$(cat "$T/this.extra")" >"$T/extra"
  octal <"$T/extra" | awk '{ n = length($0); if (n % 128) exit 1; for (i = 1; i <= n; i += 128) print substr($0, i, 128) }' >"$T/growth" ||
    refuse "the proof of growth is not a row of hashes"
  [ "$origin" = "$old_origin" ] || refuse "another ledger"
  [ "$index" -ge "$old" ] || refuse "the entry is older than the checkpoint it should come after"
  grew "$old" "$size" "$T/growth" "$T/old_root" "$T/root" || refuse "the ledger of $size entries does not begin with that of $old"
  who="$who; the ledger of $old entries grew into it"
elif [ -s "$T/this.extra" ]; then
  refuse "data nobody asked for in the proof"
fi
printf 'HOLDS: entry %s of %s in %s; %s\n' "$index" "$size" "$(printf '%s' "$origin" | tr -c '\040-\176' '?')" "$who"
