# Sourced: makes the stream of a million predictions once, and names the program and a clean workspace.
bin=$PWD/target/release/casework
stream=$dir/stream.jsonl
if [ ! -f "$stream" ]; then
  python3 ../shared/tools/make_stream.py --data ../shared/data/clinc150 --out "$dir" --rows 1000000 --cache "$dir/pool.gz" >&2
fi
fresh() { rm -rf "$dir/$1"; export CASEWORK_WORKSPACE=$dir/$1; "$bin" init --name bench --as ana 2>/dev/null; }
# seconds and peak memory of a command; its output goes to /dev/null
timed() { local name=$1; shift; /usr/bin/env time -f "%e %M" -o "$dir/time" "$@" >/dev/null 2>"$dir/err" || true
  tail -n 1 "$dir/time" | awk -v n="$name" -v base="${base:-}" '{ printf "%-34s %7.2f s  %7.1f MB", n, $1, $2/1024; if (base != "") printf "  %5.1f x", base/$1; print ""; }'; }
seconds() { tail -n 1 "$dir/time" | cut -d' ' -f1; }
