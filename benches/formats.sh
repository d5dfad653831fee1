#!/usr/bin/env bash
# What files of other formats cost to read, beside what others take for the same file in the same run.
# usage: benches/formats.sh DIR [ROWS]; needs a release build with --features parquet, and Python with duckdb (PYTHON).
set -euo pipefail
dir=$1
rows=${2:-1000000}
bin=$PWD/target/release/casework
python=${PYTHON:-python3}
mkdir -p "$dir"
cd "$dir"

if [ ! -f "rows-$rows.parquet" ]; then
  "$python" - "$rows" <<'PY'
import sys, duckdb
n = int(sys.argv[1])
duckdb.sql(f"""copy (select 'p' || i as id, timestamp '2024-06-03 00:00:00' + interval (i) second as occurred_at,
  'what is the weather in town ' || (i * 7919 % 100003) || ' and how long will it last' as text, 'label_' || (i * 31 % 150) as label,
  round((i * 7919 % 100000) / 100000.0, 5) as confidence, 'web' as channel from range({n}) r(i))
  to 'rows-{n}.parquet' (format parquet, compression zstd)""")
duckdb.sql(f"""copy (select id, strftime(occurred_at, '%Y-%m-%dT%H:%M:%SZ') as occurred_at, text, label, confidence, channel
  from 'rows-{n}.parquet') to 'rows-{n}.csv' (header)""")
duckdb.sql(f"""copy (select id, strftime(occurred_at, '%Y-%m-%dT%H:%M:%SZ') as occurred_at, {{text: text, channel: channel}} as input,
  {{label: label, confidence: confidence}} as prediction from 'rows-{n}.parquet') to 'rows-{n}.jsonl' (format json)""")
PY
  { printf '['; paste -sd, "rows-$rows.jsonl"; printf ']'; } >"rows-$rows.json"
  gzip -1 -k -f "rows-$rows.jsonl"
fi

export CASEWORK_WORKSPACE=$dir/desk
rm -rf desk
"$bin" init --name bench --as ana >/dev/null 2>&1
for file in "rows-$rows.jsonl" "rows-$rows.jsonl.gz" "rows-$rows.json" "rows-$rows.csv" "rows-$rows.parquet"; do
  /usr/bin/time -f "$file  casework %e s %M KB" "$bin" ingest "$file" --window 0 --timezone UTC --where 'confidence < 0.0001 && false' >/dev/null 2>time.log || true
  tail -n 1 time.log
done
for query in "select count(*) from read_json('rows-$rows.jsonl') where prediction.confidence < 0.0001" \
  "select count(*) from read_csv('rows-$rows.csv', all_varchar=true) where confidence::double < 0.0001" \
  "select count(*) from 'rows-$rows.parquet' where confidence < 0.0001 or length(text) < 3"; do
  /usr/bin/time -f "DuckDB %e s %M KB: $query" "$python" -c "import duckdb, sys; duckdb.sql('set threads=2'); duckdb.sql(sys.argv[1]).fetchall()" "$query"
done
