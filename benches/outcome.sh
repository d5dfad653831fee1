#!/usr/bin/env bash
# What reviewers' hours come to: labels by simulated reviewers drawn from the queue, settled, and the real model retrained on them.
#   benches/outcome.sh [SEEDS]        PYTHON=… names a Python with numpy and scikit-learn
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3} seeds=${1:-3} data=../shared/data out=$PWD/target/outcome
[ -d "$data" ] || { echo "skipped: $data is not here"; exit 0; }
rm -rf "$out"
cargo bench --quiet --bench outcome -- "$out" "$seeds" | tee "$out.runs"
mv "$out.runs" "$out/runs"
for added in "$out"/*-{25,45,50,100}-*.jsonl; do
  "$python" ../shared/tools/retrain.py --base "$data/clinc150/base_train.jsonl" --eval "$data/clinc150/eval.jsonl" \
    --add "$added" --repeat 3 --out "${added%.jsonl}.metrics.json" >/dev/null
done
"$python" - "$out" <<'PY'
import collections, json, math, pathlib, sys
out = pathlib.Path(sys.argv[1])
def told(values):
    mean = sum(values) / len(values)
    error = math.sqrt(sum((v - mean) ** 2 for v in values) / max(1, len(values) - 1) / len(values))
    return f"{mean:.4f} ± {error:.4f}"
labeled = collections.defaultdict(list)
for line in (out / "runs").read_text().splitlines()[1:]:
    way, _, labels, share, right, settled, _ = line.split()
    labeled[way, int(share[:-1])].append((int(labels), float(right), float(settled)))
print(f"{'mean of all seeds':<18} {'share':>5} {'labels':>6}  {'right of all':<17} settled")
for (way, share), runs in sorted(labeled.items()):
    labels, right, settled = zip(*runs)
    print(f"{way:<18} {share:>4}% {sum(labels) / len(labels):>6.0f}  {told(right):<17} {told(settled)}")
groups = collections.defaultdict(list)
for path in out.glob("*.metrics.json"):
    way, share, _ = path.name.removesuffix(".metrics.json").rsplit("-", 2)
    after = json.loads(path.read_text())["after"]
    groups[way.replace("-", "/", 1), int(share)].append((after["accuracy"], after["oos_recall"], after["slices"]["focus"]["accuracy"]))
print(f"{'retrained on':<18} {'share':>5}  {'accuracy':<17} {'out-of-scope recall':<20} weak slice")
for (way, share), runs in sorted(groups.items()):
    accuracy, recall, weak = zip(*runs)
    print(f"{way:<18} {share:>4}%  {told(accuracy):<17} {told(recall):<20} {told(weak)}")
PY
