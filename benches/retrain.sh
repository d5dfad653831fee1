#!/usr/bin/env bash
# The retraining recipe on what casework exports from the recorded reviews: it gives a row of the data's table.
set -euo pipefail
dir=$1
bin=$PWD/target/release/casework
data=../shared/data
echo "== retraining on exported labels (majority, ties left out)"
rm -rf "$dir/retrain"
export CASEWORK_WORKSPACE=$dir/retrain
{
  "$bin" init --name retrain --as lead
  "$bin" ingest "$data/stream/stream.jsonl"
  "$bin" protocol publish tests/fixtures/intent-edge-cases.toml
  "$bin" policy set overlap=2 limit=2 rule=majority on=label
  "$bin" import labels "$data/reviews/reviews.jsonl" --format jsonl
} >&2
# Each text once, the earliest case of it; cases without a label stay out of training.
"$bin" export --rows cases | jq -cs 'sort_by(.occurred_at, .id) | map(select(.label)) | reduce .[] as $r
  ({seen: {}, rows: []}; if .seen[$r.text] then . else .seen[$r.text] = true | .rows += [{text: $r.text, label: $r.label}] end) | .rows[]' >"$dir/curated.jsonl"
python3 ../shared/tools/retrain.py --base "$data/clinc150/base_train.jsonl" --eval "$data/clinc150/eval.jsonl" --add "$dir/curated.jsonl" --out "$dir/metrics.json" >/dev/null
jq -n --slurpfile ours "$dir/metrics.json" --slurpfile table "$data/reviews/retrain_expected.json" '
  ($ours[0].after) as $a | ($table[0].results.curated_majority) as $t |
  {rows: {ours: $ours[0].added_rows, table: $t.added_rows}, accuracy: {ours: $a.accuracy, table: $t.accuracy},
   in_scope: {ours: $a.in_scope_accuracy, table: $t.in_scope_accuracy}, oos_recall: {ours: $a.oos_recall, table: $t.oos_recall}}' -c

echo "== retraining on the default cut (Dawid-Skene on the verdict)"
rm -rf "$dir/cut" "$dir/recipe.toml" "$dir/eval.jsonl" "$dir"/*.dvc
cp "$data/clinc150/eval.jsonl" "$dir/eval.jsonl"
printf 'name = "all"\n[leak]\nagainst = ["eval.jsonl"]\n' >"$dir/recipe.toml"
{
  "$bin" policy set rule=dawid-skene sure_percent=51 on=verdict
  "$bin" consensus --method dawid-skene --record --iterations 20000
  "$bin" cut "$dir/recipe.toml" --out "$dir/cut"
} >&2
python3 ../shared/tools/retrain.py --base "$data/clinc150/base_train.jsonl" --eval "$data/clinc150/eval.jsonl" --add "$dir/cut/train.jsonl" --out "$dir/cut.json" >/dev/null
jq -n --slurpfile ours "$dir/cut.json" --slurpfile table "$data/reviews/retrain_expected.json" '
  ($ours[0].after) as $a | ($table[0].results.curated_ds) as $t |
  {rows: {ours: $ours[0].added_rows, table: $t.added_rows}, accuracy: {ours: $a.accuracy, table: $t.accuracy},
   oos_recall: {ours: $a.oos_recall, table: $t.oos_recall}, weak_slice: {ours: $a.slices.focus.accuracy, table: $t.weak_slice}}' -c
