#!/usr/bin/env bash
# Checks this bundle without casework: needs bash, coreutils, ssh-keygen, b3sum and jq.
# Prints one line for each chain; ends with 1 if anything is wrong.
set -u
cd "$(dirname "$0")" || exit 2
bad=0
fault() { printf 'FAULT %s\n' "$*"; bad=1; }

workspace=$(jq -r .workspace workspace.json)
founded=0
signature=$(mktemp)
trap 'rm -f "$signature"' EXIT

for file in journal/*.jsonl; do
  replica=$(basename "$file" .jsonl)

  # A replica is named after the key that signs its chain.
  key=$(awk -v id="$replica" '$1 == id { print $4 }' allowed_signers)
  name=$(printf '%s' "$key" | base64 -d | tail -c 32 | b3sum --no-names | cut -c1-32)
  [ "$name" = "$replica" ] || fault "$replica: the key in allowed_signers is not the one it is named after"

  prev='' seq=0
  while IFS=$'\t' read -r body sig; do
    seq=$((seq + 1))
    # Each entry names the hash of the one before it, and its own place.
    jq -e --arg prev "$prev" --arg replica "$replica" --argjson seq "$seq" \
      '.prev == $prev and .replica == $replica and .seq == $seq' <<<"$body" >/dev/null || fault "$replica:$seq: not the next of its chain"
    prev=$(printf '%s' "$body" | b3sum --no-names)

    # It belongs to this workspace: the first entry of all founds it, and is what it is named after.
    of=$(jq -r .workspace <<<"$body")
    if [ -z "$of" ] && [ "$prev" = "$workspace" ]; then founded=1; else
      [ "$of" = "$workspace" ] || fault "$replica:$seq: of another workspace"
    fi

    # It is signed by the chain's key.
    printf -- '-----BEGIN SSH SIGNATURE-----\n%s\n-----END SSH SIGNATURE-----\n' "$(fold -w 70 <<<"$sig")" >"$signature"
    printf '%s' "$body" | ssh-keygen -q -Y verify -f allowed_signers -I "$replica" -n casework -s "$signature" >/dev/null 2>&1 ||
      fault "$replica:$seq: the signature is not good"
  done <"$file"

  last=$(jq -r --arg id "$replica" '.replicas[] | select(.replica == $id) | "\(.entries) \(.last)"' workspace.json)
  [ "$last" = "$seq $prev" ] || fault "$replica: the chain ends with $seq $prev, not with $last"
  printf '%s  %s entries\n' "$replica" "$seq"
done

while read -r replica; do
  [ -f "journal/$replica.jsonl" ] || fault "$replica: its chain is missing"
done < <(jq -r '.replicas[].replica' workspace.json)
[ "$founded" = 1 ] || fault "no entry founds the workspace $workspace"

# What was published stands in the journal as it stands here.
while IFS=$'\t' read -r file event; do
  IFS=: read -r replica seq n <<<"$event"
  sed -n "${seq}p" "journal/$replica.jsonl" | cut -f1 | jq -j --argjson n "$n" '.events[$n] | .source // (.policy | tojson)' |
    cmp -s - "$file" || fault "$file is not what the journal says"
done < <(jq -r '.documents[] | "\(.file)\t\(.event)"' workspace.json)

[ "$bad" = 0 ] && echo "verification passed"
exit "$bad"
