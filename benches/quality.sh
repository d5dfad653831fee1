#!/usr/bin/env bash
# Agreement and truth beside `krippendorff` and `crowd-kit` on made labels: seconds from start to end, memory, same result.
#   benches/quality.sh [LABELS…]        PYTHON=… names a Python with krippendorff, crowd-kit and pandas
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --quiet
python=${PYTHON:-python3} work=$(mktemp -d) casework=$PWD/target/release/casework
trap 'rm -rf "$work"' EXIT
[ $# -gt 0 ] || set -- 500000 3000000

timed() { # NAME COMMAND…: seconds and peak memory of a command
  "$python" - "$@" <<'PY'
import resource, subprocess, sys, time
begun = time.time()
subprocess.run(sys.argv[2:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"{sys.argv[1]}: {time.time() - begun:.2f} s, {used.ru_maxrss // 1024} MB")
PY
}

for labels in "$@"; do
  file=$work/$labels.csv
  # Ten labels a task, four classes, 1000 reviewers of different skill.
  awk -v n="$labels" 'BEGIN { srand(7); print "task,worker,label"
    for (i = 0; i < n; i++) { t = int(i / 10); w = (t * 7 + (i % 10) * 101) % 1000
      print "t" t ",w" w "," (rand() < 0.4 + w / 2000 ? t % 4 : int(rand() * 4)) } }' > "$file"
  echo "== $labels labels"
  timed "casework agreement, every figure, no intervals" "$casework" agreement --json --resample 0 "$file"
  timed "casework agreement, every figure, 1000 resamplings" "$casework" agreement --json "$file"
  "$casework" agreement --json --resample 0 "$file" | "$python" -c 'import json,sys; print("  alpha", json.load(sys.stdin)["krippendorff_alpha"]["nominal"]["value"])'
  "$python" benches/quality.py krippendorff "$file" 0
  timed "casework consensus, Dawid-Skene, 10 rounds" "$casework" consensus --iterations 10 --tolerance -1 --out "$work/out.csv" "$file"
  "$casework" consensus --iterations 10 --tolerance -1 --json "$file" 2>/dev/null | "$python" -c 'import json,sys; d = json.load(sys.stdin); print("  beliefs", [round(p * d["tasks"], 4) for p in d["priors"]])'
  timed "casework consensus, hierarchical, 10 rounds" "$casework" consensus --method hierarchical --iterations 10 --tolerance -1 --out "$work/out.csv" "$file"
  timed "casework consensus, as it is without options" "$casework" consensus --out "$work/out.csv" "$file"
  "$python" benches/quality.py crowd-kit "$file" 10
done
