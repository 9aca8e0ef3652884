#!/bin/sh
# Checks an unpacked evidence package in the numbered steps of VERIFY.md. Needs only sh, coreutils, cmp, awk, sed and
# openssl 3, and verify_proof.sh and verify_passkey.sh beside it. It writes nothing into the package.
#
#   verify_all.sh [--policy FILE] [--log-key VKEY] [--ca FILE] [--tsa-ca FILE] DIRECTORY
#
# --policy, --log-key, --ca, --tsa-ca are what the agencies publish; without them the package's own are used, and
# each such step says so. Step 1 is about the archive, which is gone once unpacked: never checked here.
# Exit status: 0 every step from 2 holds, or the package says it has no such thing; 1 a step failed; 2 the command is
# wrong; 3 nothing failed, and some other step could not be checked.
set -u
LC_ALL=C
export LC_ALL
umask 077

usage() { echo 'usage: verify_all.sh [--policy FILE] [--log-key VKEY] [--ca FILE] [--tsa-ca FILE] DIRECTORY' >&2; exit 2; }
given() { [ -f "$1" ] && [ -r "$1" ] || { echo "cannot read: $1" >&2; exit 2; }; case $1 in /*) echo "$1" ;; *) echo "$PWD/$1" ;; esac; }
policy='' log_key='' ca='' tsa_ca=''
while [ $# -gt 1 ]; do
  case $1 in
    --policy) policy=$(given "$2") || exit 2 ;;
    --ca) ca=$(given "$2") || exit 2 ;;
    --tsa-ca) tsa_ca=$(given "$2") || exit 2 ;;
    --log-key) log_key=$2 ;;
    *) usage ;;
  esac
  shift 2
done
[ $# -eq 1 ] && [ -d "$1" ] || usage
here=$(cd -- "$(dirname -- "$0")" && pwd) || exit 2
cd -- "$1" || exit 2
command -v openssl >/dev/null || { echo 'openssl is not here' >&2; exit 2; }
T=$(mktemp -d) || exit 2
trap 'rm -rf "$T"' EXIT
trap 'exit 2' HUP INT TERM

SEAL=tagmanifest-sha256.txt
TAB=$(printf '\t')
failed='' open='' step=0
plain() { tr '\n' ' ' | tr -c '\040-\176' '?' | cut -c1-1000; }
step() { # number, title: runs the function check_<number>; its words are the finding
  step=$1
  for needed in $3; do
    case " $failed $open " in *" $needed "*) outcome "$2" 'not checked' "Needs step $needed, which does not hold."; return ;; esac
  done
  if words=$("check_$1" 2>"$T/errors"); then outcome "$2" holds "$words"
  else
    case $? in
      3) outcome "$2" 'not checked' "$words" ;;
      4) outcome "$2" none "$words" ;;
      *) outcome "$2" FAILED "${words:-$(tail -n 3 "$T/errors")}" ;;
    esac
  fi
}
outcome() {
  printf '%2d. %s: %s\n    %s\n' "$step" "$1" "$2" "$(printf '%s' "$3" | plain)"
  case $2 in FAILED) failed="$failed $step" ;; 'not checked') open="$open $step" ;; esac
}
no() { printf '%s' "$*"; exit 1; }
info() { awk -v label="$1: " 'index($0, label) == 1 { print substr($0, length(label) + 1) }' bag-info.txt; }
digest() { openssl dgst -sha256 -r "$1" | cut -c1-64; }

# every file below $1, one a line; anything that is not a plain file or directory of a safe name ends it
walk() {
  for found in "$1"/* "$1"/.[!.]* "$1"/..?*; do
    [ -e "$found" ] || [ -L "$found" ] || continue
    case /${found#./} in *[!A-Za-z0-9._/-]* | */[!A-Za-z0-9]* | *[!A-Za-z0-9]/*) return 1 ;; esac
    if [ -L "$found" ]; then return 1
    elif [ -d "$found" ]; then walk "$found" || return 1
    elif [ -f "$found" ]; then printf '%s\n' "${found#./}"
    else return 1; fi
  done
}
# a manifest: lines of hash, two spaces, safe path, in order, none twice; $2: what paths begin with ("" or data/)
paths_of() {
  awk -v want="$2" '
    length($0) < 67 || substr($0, 1, 64) ~ /[^0-9a-f]/ || substr($0, 65, 2) != "  " { exit 1 }
    { path = substr($0, 67) }
    path ~ /[^A-Za-z0-9._\/-]/ || ("/" path) ~ /\/[^A-Za-z0-9]/ || path ~ /[^A-Za-z0-9](\/|$)/ || path in seen { exit 1 }
    (index(path, "data/") == 1) != (want == "data/") { exit 1 }
    { seen[path] = 1; print path }' "$1" && [ "$(tail -c 1 "$1" | od -An -to1 | tr -d ' ')" = 012 ]
}

check_1() { printf 'The files are unpacked. Check the archive with verify.html or casemgmt verify.'; exit 3; }

check_2() {
  walk . >"$T/files" || no 'a link, a device or an unsafe name among the files'
  printf 'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n' | cmp -s - bagit.txt || no 'bagit.txt does not declare BagIt 1.0'
  awk '!/^[A-Za-z0-9-]+: [^ ]/ || / $/ { exit 1 } { sub(/:.*/, ""); if ($0 in seen) exit 1; seen[$0] = 1 }' bag-info.txt || no 'bag-info.txt is malformed'
  count=0 bytes=0
  while IFS= read -r path; do
    case $path in data/*) count=$((count + 1)) bytes=$((bytes + $(wc -c <"$path"))) ;; esac
  done <"$T/files"
  [ "$(info Payload-Oxum)" = "$bytes.$count" ] || no "the payload is $bytes.$count, bag-info.txt says otherwise"
  name=$(pwd -P) && [ "$(info External-Identifier)" = "${name##*/}" ] || no "bag-info.txt belongs to $(info External-Identifier), the directory is ${name##*/}"
  case $(info Bagging-Date) in [0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]) ;; *) no 'no Bagging-Date' ;; esac
  [ "$(info Package-Layout)" = 2 ] || no 'another Package-Layout than 2'
  case $(info Organisation-Signature) in none | CAdES-B-T | CAdES-B-B) ;; *) no 'no Organisation-Signature line' ;; esac
  case $(info Report-Signature) in none | PAdES-B-T | PAdES-B-B) ;; *) no 'no Report-Signature line' ;; esac
  case $(info Timestamp) in none | RFC3161) ;; *) no 'no Timestamp line' ;; esac
  case $(info Withheld) in none) ;; '' | *[!0-9]* | 0*) no 'no Withheld line' ;; esac
  printf '%s payload files, %s bytes, as declared.' "$count" "$bytes"
}

check_3() {
  paths_of manifest-sha256.txt data/ >"$T/payload" || no 'manifest-sha256.txt is not written as agreed'
  sort "$T/payload" >"$T/listed"
  awk '/^data\//' "$T/files" | sort | cmp -s - "$T/listed" || no 'files under data/ are missing or not listed'
  [ ! -s "$T/payload" ] || sha256sum -c manifest-sha256.txt >"$T/sums" || no "not the listed SHA-256: $(awk '/FAILED/' "$T/sums" | head -n 5)"
  printf '%s files have the SHA-256 listed in manifest-sha256.txt.' "$(wc -l <"$T/payload" | tr -d ' ')"
}

check_4() {
  paths_of $SEAL '' >"$T/tags" || no "$SEAL is not written as agreed"
  {
    cat "$T/tags"; printf '%s\n' $SEAL $SEAL.event $SEAL.tlog-proof
    [ "$(info Organisation-Signature)" = none ] || echo $SEAL.p7s
    [ "$(info Timestamp)" = none ] || echo $SEAL.tsr
  } | sort >"$T/listed"
  awk '!/^data\//' "$T/files" | sort | cmp -s - "$T/listed" || no "missing, unlisted or not promised: $(awk '!/^data\//' "$T/files" | sort | comm -3 - "$T/listed" | head -n 5)"
  sha256sum -c $SEAL >"$T/sums" || no "not the listed SHA-256: $(awk '/FAILED/' "$T/sums" | head -n 5)"
  printf '%s other files have the SHA-256 listed; nothing is missing, nothing is unlisted.' "$(wc -l <"$T/tags" | tr -d ' ')"
}

check_5() {
  cp "${policy:-ledger/trust.policy}" "$T/policy" || no 'no trust policy'
  whose='FROM THE PACKAGE, not yet compared with the published one'
  witnesses=' FROM THE PACKAGE, not yet compared'
  [ -z "$policy" ] || { whose='of the policy you gave' witnesses=''; }
  if [ -n "$log_key" ]; then
    awk -v key="$log_key" '$1 != "log" || $2 == key { print } $1 == "log" && $2 == key { found = 1 } END { exit !found }' "$T/policy" >"$T/pinned" ||
      no 'the policy does not name the log key you gave'
    mv "$T/pinned" "$T/policy"; whose='given by you'
  fi
  quorum=$(awk '$1 == "quorum" { print $2 }' "$T/policy")
  [ -n "$quorum" ] || no 'the policy has no quorum line'
  printf 'Log key %s: %s. Quorum of witnesses%s: %s.' "$whose" "$(awk '$1 == "log" { print $2 }' "$T/policy" | tr '\n' ' ')" "$witnesses" "$quorum"
}

# JSON of one entry as "path<TAB>value" lines; see verify_passkey.sh, whose function this is
eval_json() { awk '/^json\(\) \{$/, /^\}$/' "$here/verify_passkey.sh"; }

prove() { sh "$here/verify_proof.sh" "$@" 2>&1; }
get() { awk -F '\t' -v path="$2" '$1 == path { print $2 }' "$1"; }

check_6() {
  : >"$T/entries"; first=''
  for proof in ledger/*.tlog-proof; do
    index=${proof#ledger/}; index=${index%.tlog-proof}
    case $index in '*') no 'the package has no entries' ;; *[!0-9]*) no "not an index: $index" ;; esac
    if [ -f "ledger/$index.event" ] && [ ! -f "ledger/$index.leaf" ]; then entry=ledger/$index.event
    elif [ -f "ledger/$index.leaf" ] && [ ! -f "ledger/$index.event" ]; then entry=ledger/$index.leaf
    else no "a proof without its one entry: $index"; fi
    if [ -z "$first" ]; then first=$proof; said=$(prove "$entry" "$proof" "$T/policy") || no "$entry: $said"
    else again=$(prove "$entry" "$proof" "$T/policy" --same "$first") || no "$entry: $again"; fi
    case $(sed -n 's/^index //p' "$proof" | head -n 1) in "$index") ;; *) no "$proof is of another index" ;; esac
    echo "$index" >>"$T/entries"
  done
  for entry in ledger/*.event ledger/*.leaf; do
    [ -f "$entry" ] || continue
    case $entry in *.event) proof=${entry%.event} ;; *) proof=${entry%.leaf} ;; esac
    [ -f "$proof.tlog-proof" ] || no "an entry without proof: $entry"
  done
  body=$(awk '$0 == "" { f++; next } f == 1' "$first" | head -n 3)
  [ "$body" = "$(printf '%s\n%s\n%s' "$(info Ledger-Origin)" "$(info Ledger-Size)" "$(printf '%s\n' "$body" | tail -n 1)")" ] || no 'bag-info.txt names another ledger than the proofs'
  echo "$first" >"$T/first"
  printf '%s entries are in the ledger. %s' "$(wc -l <"$T/entries" | tr -d ' ')" "${said#HOLDS: }"
}

# stream, seq, prev, type, index, leaf hash and file of every entry, tab-separated, into $T/table
check_7() {
  . "$T/json.sh"
  : >"$T/table"; mkdir "$T/flat"
  while read -r index; do
    if [ -f "ledger/$index.event" ]; then
      [ "$(wc -c <"ledger/$index.event")" -le 65535 ] && json "ledger/$index.event" >"$T/flat/$index" || no "not an entry: $index"
      leaf=$({ printf '\000'; cat "ledger/$index.event"; } | openssl dgst -sha256 -r | cut -c1-64)
      awk -F '\t' -v OFS='\t' -v index_="$index" -v leaf="$leaf" '
        $1 == "/stream" { stream = $2 } $1 == "/seq" { seq = $2 } $1 == "/prev" { prev = $2 } $1 == "/type" { type = $2 }
        $1 == "/v" { version = $2 }
        END {
          if (version != "1" || stream !~ /^"./ || seq !~ /^[1-9][0-9]*$/ || type !~ /^"[a-z]/ || (seq == 1) != (prev == "null") || seq != 1 && (length(prev) != 65 || prev !~ /^"[0-9a-f]+$/)) exit 1
          sub(/^"/, "", stream); sub(/^"/, "", prev); sub(/^"/, "", type)
          print stream, seq, prev, type, index_, leaf
        }' "$T/flat/$index" >>"$T/table" || no "not an entry: $index"
    fi
  done <"$T/entries"
  : >"$T/withheld"
  if [ -f metadata/withheld.csv ]; then csv metadata/withheld.csv 10 >"$T/withheld" || no 'metadata/withheld.csv is malformed'; fi
  [ "$(info Withheld)" = "$(awk 'END { print (NR > 1 ? NR - 1 : "none") }' "$T/withheld")" ] || no 'bag-info.txt counts other withheld things than withheld.csv'
  awk -F '\t' -v OFS='\t' 'NR > 1 && $1 == "entry" { if ($2 != "ledger/" $5 ".event" || $7 == "" || $7 ~ /^passkeys:/ || $8 !~ /^[1-9][0-9]*$/) exit 1; print $7, $8, "?", "?", $5, $6 }' "$T/withheld" >"$T/unread" || no 'withheld.csv names an entry that cannot be withheld'
  while IFS="$TAB" read -r _ _ _ _ index leaf; do
    case $index in '' | *[!0-9]*) no 'withheld.csv is malformed' ;; esac
    [ "$(cat "ledger/$index.leaf" 2>/dev/null)" = "$leaf" ] || no "ledger/$index.leaf is not the withheld entry of withheld.csv"
  done <"$T/unread"
  [ "$(printf '%s\n' ledger/*.leaf | awk '/[0-9]/' | wc -l)" -eq "$(wc -l <"$T/unread")" ] || no 'withheld.csv names other withheld entries than the package has'
  cat "$T/unread" >>"$T/table"
  sort -t "$TAB" -k 1,1 -k 2,2n "$T/table" >"$T/chains"
  awk -F '\t' '
    { whole = $1 ~ /^(exhibit|passkeys):/ }
    $1 != stream { if (whole && $2 != 1) { print $1 ": entry 1 is missing"; exit 1 } if ($1 ~ /^exhibit:/) exhibits++ }
    $1 == stream {
      if ($2 == seq) { print $1 ": entry " $2 " is twice"; exit 1 }
      if ($2 > seq + 1) { if (whole) { print $1 ": entry " seq + 1 " is missing"; exit 1 } }
      else if ($3 != "?" && $3 != leaf) { print $1 ": entry " $2 " does not name the one before it"; exit 1 }
    }
    $4 == "custody:exhibit:disputed" { disputed++ }
    { stream = $1; seq = $2; leaf = $6 }
    END { if (NR) print exhibits + 0 " exhibits: no gap, no double, every link holds." (disputed ? " DISPUTED: " disputed " entries say that people agreed otherwise." : "") }' "$T/chains"
}

check_8() {
  . "$T/json.sh"
  json $SEAL.event >"$T/seal" || no 'the seal is not an entry'
  name=$(pwd -P)
  {
    printf '/data/package\t"%s\n/data/tagmanifest_sha256\t"%s\n/data/ledger_size\t%s\n' "${name##*/}" "$(digest $SEAL)" "$(info Ledger-Size)"
    for kind in signature:$SEAL.p7s timestamp:$SEAL.tsr; do
      if [ -f "${kind#*:}" ]; then printf '/data/%s_sha256\t"%s\n' "${kind%%:*}" "$(digest "${kind#*:}")"; else printf '/data/%s_sha256\tnull\n' "${kind%%:*}"; fi
    done
    awk -F '\t' '{ last[$1] = "\t" $2 "\n"; leaf[$1] = $6 }
      END { for (stream in last) {
        if (stream ~ /^exhibit:/) { group = "exhibits"; rest = substr(stream, 9) } else if (stream ~ /^passkeys:/) { group = "signers"; rest = substr(stream, 10) } else continue
        gsub(/%/, "%25", rest); gsub(/\//, "%2F", rest)
        printf "/data/%s/%s/seq%s/data/%s/%s/hash\t\"%s\n", group, rest, last[stream], group, rest, leaf[stream]
      } }' "$T/chains"
  } | sort >"$T/expected"
  awk -F '\t' '$1 ~ /^\/data\//' "$T/seal" | sort >"$T/sealed"
  [ "$(get "$T/seal" /type)" = '"packages:package:sealed' ] || no 'the seal is of another type'
  cmp -s "$T/expected" "$T/sealed" || no "the seal says another package: $(comm -3 "$T/expected" "$T/sealed" | head -n 4)"
  said=$(prove $SEAL.event $SEAL.tlog-proof "$T/policy" --after "$(cat "$T/first")") || no "$said"
  at=$(get "$T/seal" /at)
  printf 'Sealed at %s. %s' "${at#?}" "${said#HOLDS: }"
}

# a CSV file of $2 columns, all quoted, as tab-separated lines of JSON text; a guarding ' is taken away
csv() {
  tr -d '\000' <"$1" | cmp -s - "$1" && awk -v columns="$2" '
    function escaped(value,  i, out, c) {
      if (value ~ /^\047[=+@\047-]/) value = substr(value, 2)
      gsub(/\\/, "\\\\", value); gsub(/"/, "\\\"", value); gsub(/\t/, "\\t", value); gsub(/\r/, "\\r", value); gsub(/\010/, "\\b", value); gsub(/\014/, "\\f", value); gsub(/\n/, "\\n", value)
      for (i = 1; i < 32; i++) { c = sprintf("%c", i); if (index(value, c)) gsub(c, sprintf("\\u%04x", i), value) }
      return value
    }
    { text = text $0 "\n" }
    END {
      while (text != "") {
        line = ""
        for (n = 1; ; n++) {
          if (substr(text, 1, 1) != "\"") exit 1
          value = ""; text = substr(text, 2)
          for (;;) {
            at = index(text, "\""); if (!at) exit 1
            value = value substr(text, 1, at - 1)
            if (substr(text, at + 1, 1) != "\"") break
            value = value "\""; text = substr(text, at + 2)
          }
          end = substr(text, at + 1, 1); text = substr(text, at + 2)
          line = line (n > 1 ? "\t" : "") escaped(value)
          if (end == "\n") break
          if (end != ",") exit 1
        }
        if (n != columns) exit 1
        print line
      }
    }' "$1"
}

check_9() {
  csv metadata/files.csv 7 >"$T/rows" || no 'metadata/files.csv is malformed'
  awk -F '\t' 'NR > 1 { print $4 "  " $1 }' "$T/rows" | sort >"$T/listed"
  awk '!/  data\/report\/custody-report\.[a-z][a-z][a-z]?\.pdf$/' manifest-sha256.txt | sort | cmp -s - "$T/listed" || no 'files.csv and manifest-sha256.txt list different files'
  # read takes two tabs for one: an empty name would make another column the size
  awk -F '\t' 'NR > 1 { if ($5 !~ /^[0-9]+$/) exit 1; print $5, $1 }' "$T/rows" >"$T/sizes" || no 'files.csv has a size that is no number'
  while read -r size path; do
    [ "$(wc -c <"$path")" -eq "$size" ] || no "another size than files.csv says: $path"
  done <"$T/sizes"
  # what the received entries say, in the form of a row: directory, file, name, sha256, size, time, person
  : >"$T/receipts"
  awk -F '\t' '$4 == "evidence:file:received" { print $5 }' "$T/chains" >"$T/received"
  while read -r index; do
    awk -F '\t' -v OFS='\t' -v index_="$index" '
      { value[$1] = $2 }
      function text(path,  found) { found = value[path]; if (found !~ /^"/) bad = 1; return substr(found, 2) }
      END {
        whole = value["/data/exhibit"] != "null" && ("/data/exhibit" in value)
        number = text(whole ? "/data/exhibit" : "/data/seizure"); directory = number; gsub(/\//, "-", directory)
        line = "data/" (whole ? "exhibits/" : "seizures/") directory OFS text("/data/file") OFS text("/data/name") OFS text("/data/sha256") OFS value["/data/size"] OFS text("/at") OFS text("/actor/name")
        if (bad) exit 1
        print line, (whole ? number : "-"), index_, number
      }' "$T/flat/$index" >>"$T/receipts" || no "entry $index does not say what was received"
  done <"$T/received"
  awk -F '\t' '$1 in owner && owner[$1] != $10 { exit 1 } { owner[$1] = $10 }' "$T/receipts" || no 'two numbers share a directory'
  sort "$T/files" >"$T/present"
  awk -F '\t' '$1 == "file" { print $2 }' "$T/withheld" | sort | comm -12 - "$T/present" >"$T/both"
  [ ! -s "$T/both" ] || no "said to be withheld, and here: $(head -n 5 "$T/both")"
  awk -F '\t' -v chains="$T/chains" -v withheld="$T/withheld" '
    function key(from, directory) { return directory "\t" $(from) "\t" $(from + 1) "\t" $(from + 2) "\t" $(from + 3) "\t" $(from + 4) "\t" $(from + 5) }
    BEGIN {
      while ((getline line < chains) > 0) { split(line, part, "\t"); known[part[1]] = 1; place[part[1] "\t" part[2]] = part[6]; if (part[4] != "?") read_[part[6]] = part[5] }
    }
    FILENAME ~ /receipts$/ { one = key(2, $1); left[one]++; exhibit[one] = $8; of_index[$9] = one; next }
    FNR == 1 { next }
    {
      directory = $1; sub(/\/[^\/]*$/, "", directory)
      if (left[key(2, directory)]-- < 1) { print "no entry received this file as it is listed: " $1; exit 1 }
      if (directory ~ /^data\/exhibits\// && !(("exhibit:" exhibit[key(2, directory)]) in known)) { print "a file without the entries of its exhibit: " $1; exit 1 }
      files++
    }
    END {
      while ((getline line < withheld) > 0) {
        split(line, w, "\t")
        if (w[1] != "file") continue
        if (place[w[7] "\t" w[8]] != w[6]) { print "no entry received the withheld file " w[2]; exit 1 }
        hidden++
        if (!(w[6] in read_)) continue
        one = of_index[read_[w[6]]]; split(one, r, "\t"); directory = w[2]; sub(/\/[^\/]*$/, "", directory)
        if (one == "" || left[one]-- < 1 || r[1] != directory || r[4] != w[3] || r[5] != w[4]) { print "the withheld file is not what was received: " w[2]; exit 1 }
      }
      for (one in left) more += left[one]
      print files + 0 " files, each received under its own entry. Withheld files: " hidden + 0 ". Received and not in the package: " more + 0 "."
    }' "$T/receipts" "$T/rows"
}

check_10() {
  awk -F '\t' '$4 ~ /^accounts:(passkey|pinkey):(enrolled|revoked)$/ && $1 ~ /^passkeys:/ { print $5, $4, $1 }
    $1 ~ /^passkeys:/ && $4 !~ /^accounts:(passkey|pinkey):(enrolled|revoked)$/ { exit 1 }' "$T/chains" >"$T/keys" || no 'an entry that has no place among the keys'
  : >"$T/enrolled"; : >"$T/people"
  while read -r index kind stream; do
    printf '%s %s %s\n' "$(get "$T/flat/$index" /data/key)" "$index" "$kind" >>"$T/enrolled"
    case $kind in *enrolled) printf '%s\t%s\n' "$(get "$T/flat/$index" /data/person/id)" "$stream" >>"$T/people" ;; esac
  done <"$T/keys"
  awk '$3 ~ /enrolled$/ && n[$1]++ { exit 1 }' "$T/enrolled" || no 'a key is enrolled twice'
  sort -u "$T/people" | awk -F '\t' '$1 !~ /^(0|-?[1-9][0-9]*)$/ || n[$1]++ { exit 1 }' || no 'one person has two streams of keys, or an enrolment names nobody'
  awk '{ split($3, kind, ":") } kind[3] == "enrolled" { of[$1] = kind[2] } kind[3] == "revoked" && of[$1] != kind[2] { exit 1 }' "$T/enrolled" || no 'a key is revoked that was not enrolled'
  signed=0 pins=0 weaker=0; : >"$T/folders"; : >"$T/signers"
  while IFS="$TAB" read -r stream seq prev type index leaf; do
    [ "$type" != '?' ] || continue
    means=$(get "$T/flat/$index" /data/signature/means)
    if ! awk -F '\t' '$1 ~ /^\/data\/signature(\/|$)/ { found = 1 } END { exit !found }' "$T/flat/$index"; then
      case $type in custody:handover:*) weaker=$((weaker + 1)) ;; esac
      continue
    fi
    case $means in '"session') weaker=$((weaker + 1)); continue ;; '"passkey' | '"pin') ;; *) no "entry $index names no known means of signing" ;; esac
    key=$(get "$T/flat/$index" /data/signature/key)
    enrolment=$(awk -v key="$key" '$1 == key && $3 ~ /enrolled$/ { print $2 }' "$T/enrolled")
    [ -n "$enrolment" ] || no "entry $index is signed with a key that nobody enrolled"
    [ "$index" -gt "$enrolment" ] || no "entry $index stands before its key was enrolled"
    for revoked in $(awk -v key="$key" '$1 == key && $3 ~ /revoked$/ { print $2 }' "$T/enrolled"); do
      [ "$index" -lt "$revoked" ] || no "entry $index stands after its key was revoked"
    done
    said=$(sh "$here/verify_passkey.sh" "ledger/$index.event" "ledger/sig/$index" "ledger/$enrolment.event" 2>&1) || no "entry $index: $said"
    if [ "$means" = '"passkey' ]; then set -- clientData.json authData.bin; signed=$((signed + 1)); else
      set --; pins=$((pins + 1)); [ -z "$(get "$T/flat/$index" /data/signature/record)" ] || set -- record.json
    fi
    for name in statement.txt sig.der pub.pem "$@"; do printf 'ledger/sig/%s/%s\n' "$index" "$name"; done >>"$T/folders"
    awk -F '\t' -v at="$enrolment" '$5 == at { print $1 }' "$T/chains" >>"$T/signers"
  done <"$T/chains"
  sort -u "$T/signers" >"$T/listed"
  awk -F '\t' '$1 ~ /^passkeys:/ { print $1 }' "$T/chains" | sort -u | cmp -s - "$T/listed" || no 'the keys of somebody who signed nothing here'
  sort "$T/folders" >"$T/listed"
  awk '/^ledger\/sig\//' "$T/files" | sort | cmp -s - "$T/listed" || no 'a signature that belongs to no entry'
  hidden=$(awk -F '\t' '$1 ~ /^exhibit:/ && $4 == "?"' "$T/chains" | wc -l)
  weaker="WEAKER: $pins by PIN (software in one phone), $weaker by a session only, $((hidden)) withheld entries of exhibits, any of which may be a hand-over."
  if [ $((signed + pins)) -eq 0 ]; then printf "No entry is signed with a person's own key. %s" "$weaker"; exit 4; fi
  printf '%s entries are signed with passkeys by the people they name, user verified. %s' "$signed" "$weaker"
}

# openssl by today's clock; and if that fails, as of the time the timestamp shows
as_of() {
  "$@" >"$T/out" 2>&1 && return
  moment=$(openssl ts -reply -in $SEAL.tsr -text 2>/dev/null | awk '/^Time stamp: / {
    month = (index("JanFebMarAprMayJunJulAugSepOctNovDec", $3) + 2) / 3; year = $6; split($5, t, ":")
    y = year - (month <= 2); m = month + (month > 2 ? -3 : 9)
    days = 365 * y + int(y / 4) - int(y / 100) + int(y / 400) + int((153 * m + 2) / 5) + $4 - 719469
    print days * 86400 + t[1] * 3600 + t[2] * 60 + int(t[3]) }')
  [ -n "$moment" ] && "$@" -attime "$moment" >"$T/out" 2>&1 || return 1
  later=" AS OF the time of the timestamp: by today's clock a certificate has expired."
}
cms() { openssl cms -verify -binary -inform DER -purpose any -CAfile "$authority" -out /dev/null "$@"; }

check_11() {
  later=''; authority=${ca:-keys/organisation-ca.pem}
  [ "$(info Organisation-Signature):$(info Report-Signature)" != none:none ] || { printf 'The package says that it carries none.'; exit 4; }
  [ -f "$authority" ] || no "missing: $authority"
  if [ -f $SEAL.p7s ]; then as_of cms -cades -in $SEAL.p7s -content $SEAL || no "not a signature over $SEAL by a certificate under $authority"; fi
  if [ "$(info Report-Signature)" != none ]; then
    for pdf in data/report/*.pdf; do
      range=$(tr '\000' '\n' <"$pdf" | sed -n 's/.*\/ByteRange *\[ *\([0-9][0-9 ]*\)\].*/\1/p' | tail -n 1 | awk 'NF == 4 { for (i = 1; i <= 4; i++) { sub(/^0+/, "", $i); printf "%s ", ($i == "" ? 0 : $i) } }')
      set -- $range
      [ $# -eq 4 ] && [ "$1" -eq 0 ] && [ "$3" -gt "$2" ] && [ $(($3 + $4)) -eq "$(wc -c <"$pdf")" ] || no "the signature of $pdf does not cover all of it"
      { head -c "$2" "$pdf"; tail -c +$(($3 + 1)) "$pdf"; } >"$T/signed"
      [ "$(tail -c +$(($2 + 1)) "$pdf" | head -c 1)$(tail -c +"$3" "$pdf" | head -c 1)" = '<>' ] || no "a hole in the signature of $pdf"
      tail -c +$(($2 + 2)) "$pdf" | head -c $(($3 - $2 - 2)) | tr 'A-F' 'a-f' | fold -w 64 | awk '
        function value(c) { return index("0123456789abcdef", c) - 1 }
        { for (i = 1; i < length($0); i += 2) { if (value(substr($0, i, 1)) < 0) exit 1; printf "\\%03o", value(substr($0, i, 1)) * 16 + value(substr($0, i + 1, 1)) } print "" }' >"$T/octal" || no "a hole in the signature of $pdf"
      while read -r line; do printf "$line"; done <"$T/octal" >"$T/pdf.p7s"
      as_of cms -in "$T/pdf.p7s" -content "$T/signed" || no "not a signature over $pdf by a certificate under $authority"
    done
  fi
  whose='FROM THE PACKAGE: compare it with the published one'; [ -z "$ca" ] || whose='given by you'
  printf 'The signatures hold under %s (%s), SHA-256 %s.%s' "$(openssl x509 -noout -subject -in "$authority")" "$whose" "$(openssl x509 -noout -fingerprint -sha256 -in "$authority" | sed 's/.*=//')" "$later"
}

check_12() {
  later=''; authority=${tsa_ca:-keys/timestamp-ca.pem}
  [ "$(info Timestamp)" != none ] || { printf 'The package says that it carries none.'; exit 4; }
  [ -f "$authority" ] || no "missing: $authority"
  as_of openssl ts -verify -data $SEAL -in $SEAL.tsr -CAfile "$authority" || no "not a timestamp over $SEAL by an authority under $authority"
  whose='FROM THE PACKAGE: compare it with the published one'; [ -z "$tsa_ca" ] || whose='given by you'
  printf '%s, under %s (%s).%s' "$(openssl ts -reply -in $SEAL.tsr -text 2>/dev/null | sed -n 's/^Time stamp: //p')" "$(openssl x509 -noout -subject -in "$authority")" "$whose" "$later"
}

eval_json >"$T/json.sh"
[ -s "$T/json.sh" ] || { echo 'verify_passkey.sh is not beside this script' >&2; exit 2; }
step 1 'Archive' ''
open=''
step 2 'Bag' ''
step 3 'Payload' '2'
step 4 'Tag files' '2'
step 5 'Trust policy' '2'
step 6 'Inclusion' '2 5'
step 7 'Chains' '6'
step 8 'Seal' '4 7'
step 9 'Receipts' '3 7'
step 10 "People's signatures" '4 8'
step 11 "Organisation's signature" '4'
step 12 'Timestamps' '4'
if [ -n "$failed" ]; then printf 'RESULT: NOT VERIFIED. Failed: step%s.\n' "$failed"; exit 1; fi
if [ -n "$open" ]; then printf 'RESULT: nothing failed, but not everything was checked: step%s.\n' "$open"; exit 3; fi
echo 'RESULT: every step from 2 holds, or the package says it has no such thing. Step 1 is for the archive.'
