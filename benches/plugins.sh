#!/usr/bin/env bash
# How fast a detector is asked, beside the detector by itself between two pipes.
# usage: benches/plugins.sh [LINES]; it needs python3 and a release build
set -euo pipefail
cd "$(dirname "$0")/.."
lines=${1:-200000}
casework=$PWD/target/release/casework
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export CASEWORK_WORKSPACE=$dir/desk

python3 - "$lines" "$dir" <<'PY'
import json, sys
lines, dir = int(sys.argv[1]), sys.argv[2]
with open(f"{dir}/stream.jsonl", "w") as stream, open(f"{dir}/rows.jsonl", "w") as rows:
    rows.write('{"casework":1}\n')
    for n in range(lines):
        text = f"please look at my card payment number {n}, it did not arrive"
        text = text.upper() if n % 1000 == 0 else text
        line = {"id": f"p{n}", "occurred_at": "2026-06-03T12:00:00Z", "input": {"text": text, "channel": "chat", "history": "x" * 200},
                "prediction": {"label": "card_arrival", "confidence": 0.5}}
        stream.write(json.dumps(line) + "\n")
        rows.write(json.dumps({"n": n + 1, "row": {"id": f"p{n}", "text": text}}) + "\n")
    rows.write('{"end":true}\n')
PY
"$casework" init --name bench --as ana >/dev/null
cp assets/plugins/detector.py "$CASEWORK_WORKSPACE"
cat >> "$CASEWORK_WORKSPACE/config.toml" <<'TOML'
[[plugin]]
name = "shouting"
kind = "detector"
run = ["python3", "detector.py"]
wants = ["text"]
TOML
printf '[[trap]]\nname = "shouts"\nplugin = { name = "shouting" }\n' > "$dir/asks.toml"
printf '[[trap]]\nname = "shouts"\nwhere = "input.text == input.text.upperAscii()"\n' > "$dir/rule.toml"
"$casework" plugin pin shouting >/dev/null

seconds() { local begun; begun=$(date +%s.%N); "$@" >/dev/null 2>&1 || true; echo "$begun $(date +%s.%N)" | awk '{print $2 - $1}'; }
alone=$(seconds bash -c "cat $dir/rows.jsonl | python3 assets/plugins/detector.py | cat > /dev/null")
"$casework" trap publish "$dir/asks.toml" >/dev/null 2>&1
asked=$(seconds "$casework" ingest "$dir/stream.jsonl")
none=$(seconds "$casework" ingest "$dir/stream.jsonl" --where 'confidence > 2.0')
awk -v n="$lines" -v alone="$alone" -v asked="$asked" -v none="$none" 'BEGIN {
  printf "%-44s %8.2f s %9.0f rows/s\n", "the detector by itself, between two pipes", alone, n / alone
  printf "%-44s %8.2f s %9.0f rows/s   %.2f of it\n", "ingest that asks it of every line", asked, n / asked, alone / asked
  printf "%-44s %8.2f s %9.0f rows/s\n", "ingest that asks nobody", none, n / none
}'
