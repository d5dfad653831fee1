#!/usr/bin/env bash
# From labels to a cut, and back from a row: beside a million labeled cases, DuckDB writing the same rows, and
# datasketch finding near-duplicates. Needs python3 with duckdb and datasketch. About fifteen minutes.
set -euo pipefail
dir=$1 rows=${2:-1000000}
bin=$PWD/target/release/casework
# The least of five, in milliseconds: what else runs only adds to it.
least() {
  local name=$1 best= at from
  shift
  for at in 1 2 3 4 5; do
    from=${EPOCHREALTIME/./}
    "$@" >/dev/null 2>&1 || true
    from=$((${EPOCHREALTIME/./} - from))
    [ -n "$best" ] && [ "$best" -le "$from" ] || best=$from
  done
  awk -v n="$name" -v t="$best" 'BEGIN { printf "%-52s %9.1f ms\n", n, t / 1000 }'
}
whole() {
  local name=$1
  shift
  /usr/bin/env time -f "%e %U %M" -o "$dir/time" "$@" >"$dir/said" 2>/dev/null || true
  awk -v n="$name" '{ printf "%-52s %7.2f s  %7.2f CPU-s  %6.0f MiB\n", n, $1, $2, $3 / 1024 }' "$dir/time"
}

echo "== near-duplicates of 100,000 texts at .8"
python3 benches/loop.py texts "$dir" 100000
whole "datasketch, MinHash of 128 and LSH" python3 benches/loop.py datasketch "$dir/texts.jsonl"
sed 's/^/    /' "$dir/said"
whole "casework cut near, exactly" "$bin" cut near "$dir/texts.jsonl" --at 0.8 --json
echo "    $(wc -l <"$dir/said") pairs"

echo "== a gate on 3,169 rows, every slice of them"
python3 - "$dir" <<'PY'
import csv, sys
rows = list(csv.DictReader(open("../shared/data/loop/gate/predictions.csv", encoding="utf-8")))
for name in ("before", "only_oos"):
    with open(f"{sys.argv[1]}/{name}.csv", "w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(["row", "label", "prediction", "slices"])
        writer.writerows([row["row"], row["label"], row[name], row["slices"]] for row in rows)
PY
printf '[[keep]]\nslice = "*"\n' >"$dir/gate.toml"
least "casework gate" "$bin" gate "$dir/gate.toml" --before "$dir/before.csv" --after "$dir/only_oos.csv" --json

echo "== $rows cases, each with a label"
python3 benches/loop.py make "$dir" "$rows"
export CASEWORK_WORKSPACE=$dir/loop
rm -rf "$dir/loop" "$dir/small" "$dir/all" "$dir/duck" "$dir"/*.dvc
"$bin" init --name loop --as lead 2>/dev/null
whole "ingest" "$bin" ingest "$dir/loop.jsonl" --where true --window 0
"$bin" protocol publish tests/fixtures/intent-edge-cases.toml >/dev/null 2>&1
"$bin" policy set overlap=1 limit=1 rule=majority on=label >/dev/null 2>&1
whole "import of their labels" "$bin" import labels "$dir/loop_labels.jsonl" --format jsonl
split='[split]\ntrain = 0.8\nvalidation = 0.1\ntest = 0.1\ngroup = ["session"]\nseed = "june"\n'
printf "name = \"small\"\n[caps]\nper = \"label\"\nrows = 66\n$split" >"$dir/small.toml"
printf "name = \"all\"\n$split" >"$dir/all.toml"
whole "cut of 66 rows of each label" "$bin" cut "$dir/small.toml" --out "$dir/small"
case=$(printf 'p%09d' $((rows / 2)))
row() { sed -n '100s/.*"row":"\([0-9a-f]*\)".*/\1/p' "$dir/$1/train.jsonl"; }
least "trace of a case" "$bin" trace "$case"
least "trace of a row of that cut" "$bin" trace "$(row small)"
least "why of a row of that cut" "$bin" cut why "$dir/small" "$(row small)"
whole "cut of every row, with where each comes from" "$bin" cut "$dir/all.toml" --out "$dir/all"
least "trace of a case that is in it" "$bin" trace "$case"
least "why of a row of it" "$bin" cut why "$dir/all" "$(row all)"
whole "cut verify" "$bin" cut verify "$dir/all"
mkdir "$dir/duck"
cat "$dir"/all/{train,validation,test}.jsonl >"$dir/rows.jsonl"
whole "DuckDB: the same rows out of a file of them" python3 benches/loop.py duckdb "$dir/rows.jsonl" "$dir/duck"
