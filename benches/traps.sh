#!/usr/bin/env bash
# Twelve traps and four alarms over a million predictions in one pass, against DuckDB doing six of the rules, each
# by day; and detectors over ten million values, against River. Needs python3 with duckdb and river. x = times as
# fast as DuckDB.
set -euo pipefail
dir=$1
source benches/stream.sh
cat >"$dir/six.toml" <<'TOML'
[defaults]
per_day = 50
[[trap]]
name = "low confidence"
where = "confidence < 0.4"
[[trap]]
name = "low margin"
where = "margin < 0.1"
[[trap]]
name = "flip"
where = "disagrees"
[[trap]]
name = "slow"
where = "latency_ms > 60.0"
[[trap]]
name = "short"
where = "size(text) < 12"
[[trap]]
name = "voice"
where = "input.channel == 'voice' && confidence < 0.6"
TOML
cat "$dir/six.toml" - >"$dir/twelve.toml" <<'TOML'
[[trap]]
name = "no prediction"
where = "!has_prediction"
[[trap]]
name = "sure of something new"
where = "confidence >= 0.5"
novel = { field = "input.text", by = "tokens", above = 0.3 }
[[trap]]
name = "rare together"
rare = { fields = ["label", "input.channel"], below = 5 }
[[trap]]
name = "sure and slow"
where = "confidence > 0.95 && latency_ms > 40.0"
[[trap]]
name = "oos"
where = "label == 'oos'"
[[trap]]
name = "audit"
sample = 0.001
[[alarm]]
name = "parting"
watch = "disagrees"
[[alarm]]
name = "confidence"
watch = "confidence"
[[alarm]]
name = "labels moved"
compare = "label"
[[alarm]]
name = "confidence moved"
compare = "confidence"
TOML
head -n 50000 "$stream" >"$dir/reference.jsonl"
echo "== traps, $(wc -l <"$stream") lines, $(($(stat -Lc %s "$stream") / 1000000)) MB, $(nproc) cores"
cat "$stream" >/dev/null
base=
timed "DuckDB, six rules by day" python3 -c "
import duckdb
print(duckdb.sql(\"\"\"with p as (select id, prediction.label as label, prediction.confidence as c, prediction.top_k as k, challenger.label as rival,
 input.text as text, input.channel as channel, latency_ms, date_trunc('day', occurred_at::timestamp) as day
 from read_json('$stream', format='newline_delimited', columns={id:'VARCHAR', occurred_at:'VARCHAR', latency_ms:'DOUBLE',
 input:'STRUCT(text VARCHAR, channel VARCHAR)', prediction:'STRUCT(label VARCHAR, confidence DOUBLE, top_k STRUCT(p DOUBLE)[])', challenger:'STRUCT(label VARCHAR)'}))
 select day, count(*) filter (c < 0.4), count(*) filter (k[1].p - k[2].p < 0.1), count(*) filter (rival <> label), count(*) filter (latency_ms > 60),
 count(*) filter (length(text) < 12), count(*) filter (channel = 'voice' and c < 0.6) from p group by day order by day\"\"\").fetchall())"
base=$(seconds)
fresh traps
"$bin" reference set first --file "$dir/reference.jsonl" --traps "$dir/twelve.toml" >/dev/null
timed "casework, the six, 50 a day" "$bin" trap try "$dir/six.toml" "$stream"
timed "casework, twelve and four alarms" "$bin" trap try "$dir/twelve.toml" "$stream"
base=
seq 10000000 | awk '{ print (($1 * 7919) % 1000) / 1000 }' >"$dir/values"
timed "casework, ADWIN from a file, 10M" "$bin" trap detect "$dir/values"
timed "River, ADWIN, 1M" python3 -c "
from river import drift
a = drift.ADWIN()
for i in range(1000000): a.update((i * 7919 % 1000) / 1000)"
