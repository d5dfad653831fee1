#!/usr/bin/env bash
# The review screen on a million cases in a pseudo-terminal of 160x45, beside lnav on a million lines.
set -euo pipefail
dir=$1
source benches/stream.sh
echo "== screen, one million cases, 160x45"
export CASEWORK_WORKSPACE=$dir/million
if [ ! -f "$CASEWORK_WORKSPACE/casework.db" ]; then
  fresh million
  "$bin" ingest "$stream" --window 2 >&2
fi
pty=(python3 ../shared/tools/pty_latency.py --runs 3)
echo "-- casework"
"${pty[@]}" --ready 'Guide' --keys '-queue: <Tab> <Tab>; cursor: j*150; page: <PgDn>*30; ends: (G g)*5; held: burst=j*200; -case: <Enter>; next-case: ]*40; answer: (1 u)*20' -- "$bin"
echo "-- lnav"
[ -f "$dir/lines.log" ] || cut -c1-150 "$stream" >"$dir/lines.log"
"${pty[@]}" --keys '-wait: wait=10 g; cursor: j*150; page: <PgDn>*30; ends: (G g)*5; held: burst=j*200' -- lnav "$dir/lines.log"
echo "-- the cursor key, in turns"
python3 benches/cursor.py "$bin" "$dir/lines.log"
echo "-- memory of the open screen"
python3 - "$bin" <<'PY'
import os, pty, sys, time, select
pid, fd = pty.fork()
if pid == 0:
    os.environ["TERM"] = "xterm-256color"
    os.execv(sys.argv[1], [sys.argv[1]])
end = time.time() + 2
while time.time() < end:
    if select.select([fd], [], [], 0.1)[0]:
        os.read(fd, 65536)
print([line.strip() for line in open(f"/proc/{pid}/status") if line.startswith("VmHWM")][0])
os.kill(pid, 15)
PY
