#!/usr/bin/env python3
"""A case of one text of 100 MB on the review screen, 160x45, in a pseudo-terminal: until its first words
are to be read, until it can be labeled, and how long pages, the end and a search through all of it take.
Beside it what has to be read for that: the same bytes by `zstd -t` and `b3sum`, where they are installed.

    benches/long_text.py target/release/casework [MEGABYTES]
"""

import fcntl, json, os, pty, random, resource, select, shutil, struct, subprocess, sys, tempfile, termios, time

binary = os.path.abspath(sys.argv[1])
size = int(sys.argv[2] if len(sys.argv) > 2 else 100) * 1_000_000
place = tempfile.mkdtemp(prefix="casework-long-")
env = dict(os.environ, CASEWORK_WORKSPACE=f"{place}/w", XDG_DATA_HOME=f"{place}/data", TERM="xterm-256color")
os.mkdir(f"{place}/w")
random.seed(1)
words = "refund order customer please help with transfer money to my account because bank declined".split()
pieces = [" ".join(random.choice(words) for _ in range(14)) for _ in range(20_000)]
text, parts = 0, []
while text < size:
    parts.append(random.choice(pieces))
    text += len(parts[-1]) + 1
whole = "\n".join(parts)[:size]
with open(f"{place}/in.jsonl", "w") as out:
    for n, text in enumerate(["a short one", whole, "another short one"]):
        line = {"id": f"c{n}", "occurred_at": f"2026-06-01T08:00:0{n}Z", "stream": "s",
                "input": {"text": text}, "prediction": {"label": "pay", "confidence": 0.2}}
        out.write(json.dumps(line) + "\n")
run = lambda *words: subprocess.run([binary, *words], env=env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
run("init", "--name", "t", "--as", "ana")
start = time.time()
run("ingest", f"{place}/in.jsonl")
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
print(f"ingest                                  {time.time() - start:8.2f} s {peak:8} MiB")

pid, terminal = pty.fork()
if pid == 0:
    os.execve(binary, [binary], env)
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 45, 160, 0, 0))
seen = b""


def wait(until, seconds=20.0):
    """Reads what is drawn until something is there."""
    global seen
    end = time.time() + seconds
    while time.time() < end and not (until and until in seen):
        if select.select([terminal], [], [], 0.002)[0]:
            piece = os.read(terminal, 65536)
            seen += piece
            if b"\x1b[c" in piece:
                os.write(terminal, b"\x1b[?62;22c")
            if b"\x1b[5n" in piece:
                os.write(terminal, b"\x1b[0n")
    return until is None or until in seen


def key(keys, until):
    """Seconds from a key until something is drawn."""
    global seen
    seen, start = b"", time.time()
    os.write(terminal, keys)
    assert wait(until), (keys, until, seen[-400:])
    return time.time() - start


def told(what, seconds):
    print(f"{what:40}{1000 * seconds:8.1f} ms")


wait(None, 1.5)
first, all_of_it = [], []
for _ in range(5):
    first.append(key(b"]", b"being read"))
    start = time.time()
    assert wait(b"goes on")
    all_of_it.append(first[-1] + time.time() - start)
    key(b"[", b"a short one")
    wait(None, 0.3)
told("first words of it, median of 5", sorted(first)[2])
told("read, checked, to be labeled", sorted(all_of_it)[2])
key(b"]", b"being read")
wait(b"goes on")
told("its first page", key(b">", b"page 1 of"))
told("the end", key(b"G", b"the end"))
os.write(terminal, b"/zebra")
wait(None, 0.3)
told("a search through all of it", key(b"\r", b"stands nowhere"))
status = {line.split(":")[0]: line.split()[1] for line in open(f"/proc/{pid}/status") if line.startswith("Vm")}
print(f"peak of the screen                      {int(status['VmHWM']) // 1024:8} MiB")
os.kill(pid, 15)
os.waitpid(pid, 0)
for name, words in (("zstd -1, then zstd -t", ["zstd", "-q", "-1", "-f", f"{place}/in.jsonl"]), ("b3sum", ["b3sum", "--num-threads", "1", f"{place}/in.jsonl"])):
    if shutil.which(words[0]):
        if words[0] == "zstd":
            subprocess.run(words, check=True)
            words = ["zstd", "-q", "-t", f"{place}/in.jsonl.zst"]
        start = time.time()
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        told(name, time.time() - start)
shutil.rmtree(place)
