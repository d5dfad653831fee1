#!/usr/bin/env python3
"""The review screen over a slow line: how old what is seen gets while keys are held. A relay in this process carries so
many bits a second with so long a way, and swallows all that the program writes at once, as ssh does; the terminal at its
end answers `CSI 5 n` when that arrives, or never does, so that pacing can be told from none.

    python3 benches/slow.py CASEWORK [--kbit 64] [--ms 300] [--seconds 10] [--keys-a-second 10]

Needs pyte. Prints figures; judges nothing."""

import argparse, collections, fcntl, json, os, pty, re, select, struct, subprocess, sys, tempfile, termios, time
import pyte

def workspace(casework, dir):
    env = dict(os.environ, CASEWORK_WORKSPACE=os.path.join(dir, "w"), XDG_DATA_HOME=dir)
    stream = os.path.join(dir, "in.jsonl")
    words = "where is my parcel it was to come on a day in June and nobody at the desk can tell me more about it".split()
    with open(stream, "w") as out:
        for n in range(2000):
            text = " ".join(words[(n * 7 + i * i) % len(words)] for i in range(60 + n % 90))
            out.write(json.dumps({"id": f"p{n}", "occurred_at": f"2026-11-01T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}Z", "stream": "s",
                "input": {"text": text}, "prediction": {"label": "track", "confidence": n % 97 / 100}}) + "\n")
    for words in (["init", "--name", "team", "--as", "ana"], ["ingest", stream]):
        subprocess.run([casework, *words], env=env, check=True, capture_output=True)
    return env

def held(casework, env, options, key, answers):
    """The oldest key, over time, of which nothing was to be seen yet; and what was written."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(casework, [casework], dict(env, TERM="xterm-256color"))
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 45, 160, 0, 0))
    screen = pyte.Screen(160, 45)
    stream = pyte.ByteStream(screen)
    rate, way = options.kbit * 1000 / 8, options.ms / 2000
    down, up = collections.deque(), collections.deque()  # (when it arrives, bytes)
    free = time.monotonic()
    written, sent, oldest, place = 0, [], 0.0, None
    begun = until = None
    next_key = None
    pending = b""
    while True:
        now = time.monotonic()
        if select.select([fd], [], [], 0.002)[0]:
            try:
                data = os.read(fd, 65536)
            except OSError:
                break
            written += len(data)
            for at in range(0, len(data), 64):  # a line carries a little at a time
                piece = data[at:at + 64]
                free = max(free, now) + len(piece) / rate
                down.append((free + way, piece))
        while up and up[0][0] <= now:
            os.write(fd, up.popleft()[1])
        came = False
        while down and down[0][0] <= now:
            pending += down.popleft()[1]
            came = True
        if came:
            cut = pending.rfind(b"\x1b")
            whole, pending = (pending, b"") if not down or cut < len(pending) - 40 else (pending[:cut], pending[cut:])
            for _ in range(whole.count(b"\x1b[5n") if answers else 0):
                up.append((now + way, b"\x1b[0n"))
            # What this terminal does not know of.
            stream.feed(re.sub(rb"\x1b\[>[0-9]*q|\x1b\]11;\?\x1b\\\\", b"", whole))
            found = re.search(r"My queue\s+(\d+) of", "\n".join(screen.display))
            if found:
                place = int(found[1])
        if place and begun is None:
            begun, next_key, until = now + 2, now + 2, now + 2 + options.seconds
            first = place
        if begun and next_key <= now < until:
            sent.append(now)
            up.append((now + way, key))
            next_key += 1 / options.keys_a_second
        if begun and sent:
            seen = place - first
            if seen < len(sent):
                oldest = max(oldest, now - sent[seen])
            if now > until and (seen >= len(sent) or now > until + 60):
                break
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    os.close(fd)
    return oldest, written, len(sent), time.monotonic() - until

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("casework")
    for name, value in (("--kbit", 64.0), ("--ms", 300.0), ("--seconds", 10.0), ("--keys-a-second", 10.0)):
        parser.add_argument(name, type=float, default=value)
    options = parser.parse_args()
    casework = os.path.abspath(options.casework)
    print(f"== {options.kbit:g} kbit/s, {options.ms:g} ms there and back, {options.keys_a_second:g} keys a second for {options.seconds:g} s")
    for what, answers in (("paced", True), ("a terminal that never answers", False)):
        with tempfile.TemporaryDirectory() as dir:
            env = workspace(casework, dir)
            oldest, written, keys, after = held(casework, env, options, b"]", answers)
            print(f"held ], {what:<30} oldest {oldest:5.2f} s, {written / 1000:6.1f} kB for {keys} keys, all seen {after:5.2f} s after the last")

main()
