#!/usr/bin/env bash
# Ingest of a million predictions (1 KB each) against jq and DuckDB doing only the filter. x = times as fast as jq.
set -euo pipefail
dir=$1
source benches/stream.sh
rule='has_prediction && confidence < 0.4'
echo "== ingest, $(wc -l <"$stream") lines, $(($(stat -Lc %s "$stream") / 1000000)) MB, $(nproc) cores"
cat "$stream" >/dev/null
base=
timed "jq, filter only" jq -c 'select(.prediction != null and .prediction.confidence < 0.4)' "$stream"
base=$(seconds)
timed "DuckDB, filter only" python3 -c "
import duckdb
print(duckdb.sql(\"select count(*) from read_json('$stream', format='newline_delimited', columns={prediction:'STRUCT(confidence DOUBLE)'}) where prediction.confidence < 0.4\").fetchall())"
fresh filter
timed "casework, filter only" "$bin" ingest "$stream" --where "$rule" --dry-run
fresh rare
timed "casework, store 5.6 %" "$bin" ingest "$stream" --where 'has_prediction && confidence < 0.04'
fresh plain
timed "casework, store 41 %, no neighbours" "$bin" ingest "$stream" --where "$rule" --window 0
fresh whole
timed "casework, store 41 %" "$bin" ingest "$stream" --where "$rule"
"$bin" status | sed 's/^/    /'
