#!/usr/bin/env bash
# Checks this bundle without casework: needs bash, coreutils, findutils, awk, ssh-keygen, b3sum and jq.
# Each entry names the hash of the one before it, so that the signature of the last one covers a chain;
# `bash check.sh --every` checks the signature of each entry too, which takes some milliseconds each.
# Prints one line for each chain; ends with 1 if anything is wrong.
set -u
export LC_ALL=C
cd "$(dirname "$0")" || exit 2
every=0
[ "${1:-}" = --every ] && every=1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
faults=$tmp/faults
: >"$faults"
fault() { printf 'FAULT %s\n' "$*" | tee -a "$faults"; }
say() { [ -t 2 ] && printf '\r%-70s\r%s' '' "$*" >&2; }
pick() { jq -r "$@" workspace.json; }

# signed BODY SIGNATURE(base64) REPLICA: whether that replica's key signed the file BODY.
signed() {
  printf -- '-----BEGIN SSH SIGNATURE-----\n%s\n-----END SSH SIGNATURE-----\n' "$(fold -w 70 <<<"$2")" >"$tmp/signature"
  ssh-keygen -q -Y verify -f allowed_signers -I "$3" -n casework -s "$tmp/signature" <"$1" >/dev/null 2>&1
}

# Who wrote this bundle signed the hashes of all its files, and stands in the journal.
[ "$(sed -n '$=' MANIFEST.sha256)" = "$(find . -type f ! -name 'MANIFEST*' | wc -l | tr -d ' ')" ] ||
  fault "MANIFEST.sha256 does not list the files that are here"
sha256sum --check --quiet --strict MANIFEST.sha256 2>/dev/null >"$tmp/sums" || fault "not as MANIFEST.sha256 says: $(cut -d: -f1 "$tmp/sums" | tr '\n' ' ')"
exporter=$(pick .signed_by.replica)
signed MANIFEST.sha256 "$(cat MANIFEST.sig)" "$exporter" || fault "the signature of MANIFEST.sha256 is not that of $exporter"
[ -f "journal/$exporter.jsonl" ] || fault "$exporter signed MANIFEST.sha256 and has no chain here"

workspace=$(pick .workspace)
founded=0 total=0
: >"$tmp/events"
: >"$tmp/refs"
: >"$tmp/said"
: >"$tmp/own"
for file in journal/*.jsonl; do
  replica=$(basename "$file" .jsonl)
  say "$replica: reading"

  # A replica is named after the key that signs its chain.
  key=$(awk -v id="$replica" '$1 == id { print $4 }' allowed_signers)
  name=$(printf '%s' "$key" | base64 -d 2>/dev/null | tail -c 32 | b3sum --no-names | cut -c1-32)
  [ "$name" = "$replica" ] || fault "$replica: the key in allowed_signers is not the one it is named after"

  # The hash of each entry, all in one pass.
  rm -rf "$tmp/bodies" && mkdir "$tmp/bodies"
  awk -F'\t' -v to="$tmp/bodies" -v show="$([ -t 2 ] && echo 1)" -v id="$replica" '{
    file = sprintf("%s/%09d", to, NR); printf "%s", $1 > file; close(file)
    if (show && NR % 5000 == 0) printf "\r%s: %d entries", id, NR > "/dev/stderr"
  }' "$file"
  say "$replica: hashing"
  find "$tmp/bodies" -type f | sort | xargs b3sum --no-names >"$tmp/hashes"
  cp "$tmp/hashes" "$tmp/hashes-$replica"

  # Each entry names the hash of the one before it, its own place, and this workspace.
  jq -rR 'split("\t")[0] | (fromjson? // {}) | [.prev // "?", .replica // "?", .seq // "?", .workspace // "?"] | map("=\(.)") | join(" ")' "$file" |
    paste -d' ' "$tmp/hashes" - |
    awk -v id="$replica" -v workspace="$workspace" '
      { if ($2 != "=" prev || $3 != "=" id || $4 != "=" NR) print "FAULT " id ":" NR ": not the next of its chain"
        if ($5 == "=" && $1 == workspace) print "founded"
        else if ($5 != "=" workspace) print "FAULT " id ":" NR ": of another workspace"
        prev = $1 }' >"$tmp/linked"
  grep -q '^founded$' "$tmp/linked" && founded=1
  grep '^FAULT' "$tmp/linked" | tee -a "$faults"

  # It is signed by its key: the last entry, and with it all that it names.
  entries=$(wc -l <"$tmp/hashes" | tr -d ' ') last=$(tail -n 1 "$tmp/hashes")
  total=$((total + entries))
  from=$entries
  [ "$every" = 1 ] && from=1
  for ((seq = from; seq <= entries; seq++)); do
    signed "$tmp/bodies/$(printf %09d "$seq")" "$(sed -n "${seq}p" "$file" | cut -f2)" "$replica" ||
      fault "$replica:$seq: the signature is not good"
    ((seq % 100 == 0)) && say "$replica: $seq of $entries signatures"
  done

  head=$(pick --arg id "$replica" '.replicas[] | select(.replica == $id) | "\(.entries) \(.last)"')
  [ "$head" = "$entries $last" ] || fault "$replica: the chain ends with $entries $last, workspace.json says $head"

  # How many events each entry has, which events they refer to, and what they say of payloads and people.
  say "$replica: events"
  jq -rR --arg id "$replica" 'def plain: tostring | gsub("[[:cntrl:]]"; "?");
    def own: map(plain) | "s\t" + join("\t");
    split("\t")[0] | (fromjson? // {}) | . as $entry | ($entry.events // []) as $events
    | "\($id):\($entry.seq // 0)" as $at
    | "n\t\($at)\t\($events | length)",
      ($events | .. | strings | select(length > 35 and length < 60 and test("^[0-9a-f]{32}:[0-9]+:[0-9]+$")) | "r\t\($at)\t\(.)"),
      ($events | to_entries[] | .key as $n | .value
        | (select(.kind == "case.detected") | "p\t\($at):\($n)\t\(.payload)\t\(.case)\t0"),
          (select(.kind == "payload.erased") | "e\t\(.case)\t\(if .instead then 1 else 0 end)",
            (select(.instead) | "p\t\($at):\($n)\t\(.instead)\t\(.case)\t\($entry.at.ms)")),
          (select(.kind == "workspace.founded") | ("lead", "reviewer", "engineer") | "g\t\($entry.author | plain)\t\(.)"),
          (select(.kind == "reviewer.admitted") | .name as $name | .roles[] | "g\t\($name | plain)\t\(plain)"),
          (select(.kind | IN("replica.joined", "author.vouched")) | select(.ssh) | [.kind, $id, 0, "-"] + [.name, .ssh.key] + [.ssh.signature | @base64] | own),
          (select(.kind == "entries.countersigned") | [.kind, .replica, .through, .hash] + [.name, .ssh.key] + [.ssh.signature | @base64] | own),
          (select(.kind == "door.opened") | "d\t\(.name | plain)\t\(.key | plain)"),
          (select(.kind == "reviewer.retired") | "x\t\(.name | plain)\t\(.replica | plain)\t\(.after | plain)"))' "$file" >"$tmp/told"
  grep '^n' "$tmp/told" | cut -f2- >>"$tmp/events"
  grep '^r' "$tmp/told" | cut -f2- >>"$tmp/refs"
  grep '^[pegx]' "$tmp/told" >>"$tmp/said"
  grep '^[sd]' "$tmp/told" >>"$tmp/own"
  say ''
  printf '%s  %s entries\n' "$replica" "$entries"
done

while read -r replica; do
  [ -f "journal/$replica.jsonl" ] || fault "$replica: its chain is missing"
done < <(pick '.replicas[].replica')
[ "$founded" = 1 ] || fault "no entry founds the workspace $workspace"
[ "$(pick .entries)" = "$total" ] || fault "workspace.json speaks of $(pick .entries) entries, and there are $total"

# What an entry refers to is here.
awk -F'\t' 'NR == FNR { n[$1] = $2; next }
  { split($2, id, ":"); at = id[1] ":" id[2]
    if (!(at in n) || id[3] + 0 >= n[at] + 0) print "FAULT " $1 ": refers to " $2 ", which is not here" }' \
  "$tmp/events" "$tmp/refs" | sort -u | tee -a "$faults"

# The list of payloads is what the journal says: which event names which, and what was erased.
awk -F'\t' '
  $1 == "p" { event[++m] = $2; payload[m] = $3; of[m] = $4; when[m] = $5; if ($5 > latest[$4]) latest[$4] = $5 }
  $1 == "e" { some[$2] = 1; if ($3 == 0) gone[$2] = 1 }
  END { for (i = 1; i <= m; i++) {
    erased = (of[i] in gone) || ((of[i] in some) && when[i] < latest[of[i]])
    print event[i] "\t" payload[i] "\t" (erased ? "true" : "false") } }' "$tmp/said" | sort >"$tmp/payloads"
jq -r '"\(.event)\t\(.payload)\t\(.erased)"' payloads.jsonl | sort | cmp -s - "$tmp/payloads" ||
  fault "payloads.jsonl is not what the journal says"

# Whoever is in the roster was admitted to what it says, and whoever was retired is said to be.
jq -r '.[] | .name as $name | .roles[] | "\($name)\t\(.)"' roster.json | sort -u >"$tmp/roles"
grep '^g' "$tmp/said" | cut -f2- | sort -u | comm -13 - "$tmp/roles" | while IFS=$'\t' read -r name role; do
  fault "roster.json: no entry admits $name as $role"
done
jq -r '.[] | select(.retired_after != null) | "\(.name)\t\(.replica)\t\(.retired_after)"' roster.json | sort -u >"$tmp/retired"
grep '^x' "$tmp/said" | cut -f2- | sort -u | comm -13 - "$tmp/retired" | while IFS=$'\t' read -r name replica after; do
  fault "roster.json: no entry retires $name on $replica after $after"
done

# What people's own SSH keys signed: that a device writes for them, and how far they hold a chain to what it is.
grep '^d' "$tmp/own" | cut -f2- | sort -u >"$tmp/doors"
grep '^s' "$tmp/own" | cut -f2- | while IFS=$'\t' read -r kind replica through hash person key signature; do
  if [ "$kind" = entries.countersigned ]; then
    printf "casework countersign %s: %s's labels of replica %s through %s %s\n" "$workspace" "$person" "$replica" "$through" "$hash" >"$tmp/statement"
    words="$person holds $replica to its first $through entries"
    awk -v at="$through" -v hash="$hash" 'NR == at && $1 == hash { found = 1 } END { exit !found }' "$tmp/hashes-$(basename "$replica")" 2>/dev/null ||
      fault "entry $through of $replica is not the one that $person countersigned"
  else
    device=$(awk -v id="$replica" '$1 == id { print $3 " " $4 }' allowed_signers)
    printf 'casework join %s as %s: %s\n' "$workspace" "$person" "$device" >"$tmp/statement"
    words="$person says that $replica writes for them"
  fi
  printf 'person namespaces="casework" %s\n' "$key" >"$tmp/person"
  base64 -d <<<"$signature" >"$tmp/signature"
  ssh-keygen -q -Y verify -f "$tmp/person" -I person -n casework -s "$tmp/signature" <"$tmp/statement" >/dev/null 2>&1 ||
    fault "$words: the signature is not good"
  print=$(ssh-keygen -lf - <<<"$key" 2>/dev/null | cut -d' ' -f2)
  # A device of their own needs no door.
  door=', which no lead let in'
  grep -qxF "$person"$'\t'"$key" "$tmp/doors" || [ "$kind" = replica.joined ] && door=
  printf '%s, by %s%s\n' "$words" "${print:-no key}" "$door"
done

# What was published stands in the journal as it stands here.
while IFS=$'\t' read -r file event author; do
  IFS=: read -r replica seq n <<<"$event"
  sed -n "${seq}p" "journal/$replica.jsonl" | cut -f1 >"$tmp/entry"
  jq -j --argjson n "$n" '.events[$n] | .source // (.policy | tojson)' "$tmp/entry" | cmp -s - "$file" || fault "$file is not what the journal says"
  [ "$(jq -r .author "$tmp/entry")" = "$author" ] || fault "$file: its author is not $author"
done < <(pick '.documents[] | "\(.file)\t\(.event)\t\(.author)"')

echo "written by $(pick .signed_by.name), whose device is $exporter, at $(pick .written)"
if [ -s "$faults" ]; then exit 1; fi
echo "verification passed"
