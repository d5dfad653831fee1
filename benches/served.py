#!/usr/bin/env python3
"""A workspace served over SSH under load: how long a key takes to the screen and back, what a session holds of
memory, how many of many writers are refused; beside a bare `cat` in the same sshd, so that what is sshd's can be told.

    python3 benches/served.py CASEWORK [--sessions 100] [--cases 100000] [--people 50] [--seconds 20] [--writers 50]

Needs an ordinary account (casework serves for no root), sshd, ssh, and terminals that sshd may give away
(`casework doctor`). Prints figures; judges nothing."""

import argparse, fcntl, json, os, pty, random, select, shutil, signal, statistics, struct, subprocess, sys, tempfile, termios, time

def quantile(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, int(part * len(values)))] if values else float("nan")

def run(*args, **more):
    return subprocess.run([str(arg) for arg in args], check=True, capture_output=True, text=True, **more).stdout

class Desk:
    def __init__(self, options):
        self.options = options
        self.dir = tempfile.mkdtemp(dir=os.path.expanduser("~"))
        self.casework = os.path.abspath(options.casework)
        self.work = os.path.join(self.dir, "w")
        run(self.casework, "init", "--name", "team", "--as", "ana", "--workspace", self.work)
        with open(os.path.join(self.dir, "in.jsonl"), "w") as out:
            for n in range(options.cases):
                out.write(json.dumps({"id": f"p{n}", "occurred_at": f"2026-11-01T{n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02}Z", "stream": "s",
                    "model": {"name": "m", "version": "1"}, "input": {"text": f"where is my parcel {n}, it was to come on {n % 28 + 1} June"},
                    "prediction": {"label": "track", "confidence": round(n % 97 / 100, 2)}}) + "\n")
        begun = time.monotonic()
        run(self.casework, "ingest", os.path.join(self.dir, "in.jsonl"), "--workspace", self.work)
        print(f"{options.cases} cases taken in, {time.monotonic() - begun:.1f} s")
        self.people = [f"r{n:02}" for n in range(options.people)]
        for name in self.people:
            run(self.casework, "roster", "admit", name, "--role", "reviewer", "--here", "--workspace", self.work)
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key(name))
            run(self.casework, "roster", "key", "add", name, self.key(name) + ".pub", "--workspace", self.work)
        self.port = random.randint(20000, 40000)
        with open(os.path.join(self.work, "config.toml"), "w") as out:
            out.write("[serve]\nmax = 1000\nper_person = 50\none_address = [\"127.0.0.1\"]\n")
        self.server = subprocess.Popen([self.casework, "--workspace", self.work, "serve", "--listen", f"127.0.0.1:{self.port}"],
            stderr=subprocess.PIPE, text=True)
        for line in self.server.stderr:
            if "Its key is" in line:
                break

    def key(self, name):
        return os.path.join(self.dir, name)

    def ssh(self, name, *more):
        options = ["BatchMode=yes", "IdentitiesOnly=yes", "IdentityAgent=none", "StrictHostKeyChecking=no", "LogLevel=ERROR",
            f"UserKnownHostsFile={self.dir}/known", f"IdentityFile={self.key(name)}", f"Port={self.port}"]
        return ["ssh", "-F", "none"] + [word for option in options for word in ("-o", option)] + list(more)

    def there(self):
        return f"{run('id', '-un').strip()}@127.0.0.1"

    def close(self):
        self.server.send_signal(signal.SIGTERM)
        self.server.wait()

class Screen:
    """A terminal with an ssh in it."""
    def __init__(self, argv, size=(160, 45)):
        self.begun, self.bytes, self.first = time.monotonic(), 0, None
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm-256color"
            os.execvp(argv[0], argv)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self.asked, self.waits = None, []
        self.text = b""

    def read(self):
        try:
            got = os.read(self.fd, 1 << 16)
        except OSError:
            got = b""
        now = time.monotonic()
        if got:
            self.bytes += len(got)
            if self.first is None and (self.text + got).count(b"team"):
                self.first = now - self.begun
            # What a terminal says when it is asked whether it is there, wherever the question was cut in two.
            before = self.text[-3:]
            for _ in range((before + got).count(b"\x1b[5n")):
                os.write(self.fd, b"\x1b[0n")
            for _ in range((before + got).count(b"\x1b[c")):
                os.write(self.fd, b"\x1b[?62c")
            self.text = (self.text + got)[-4000:]
            if self.asked is not None:
                self.waits.append(now - self.asked)
                self.asked = None
        return got

    def key(self, key):
        # One at the end of the list changed nothing, and was not answered.
        self.asked = time.monotonic()
        os.write(self.fd, key)

def pump(screens, until):
    by_fd = {screen.fd: screen for screen in screens}
    while (left := until - time.monotonic()) > 0:
        for fd in select.select(list(by_fd), [], [], min(left, 0.05))[0]:
            if not by_fd[fd].read():
                by_fd.pop(fd)

def private(pid):
    try:
        with open(f"/proc/{pid}/smaps_rollup") as text:
            return sum(int(line.split()[1]) for line in text if line.startswith("Private_")) / 1024
    except OSError:
        return 0.0

def tree(root):
    """The processes below one."""
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as text:
                parents.setdefault(int(text.read().rsplit(")", 1)[1].split()[1]), []).append(int(name))
        except OSError:
            pass
    found, todo = [], [root]
    while todo:
        found.append(todo.pop())
        todo.extend(parents.get(found[-1], []))
    return found[1:]

def ticks(pids):
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat") as text:
                words = text.read().rsplit(")", 1)[1].split()
                total += int(words[11]) + int(words[12])
        except OSError:
            pass
    return total / os.sysconf("SC_CLK_TCK")

def keys(desk, options):
    print(f"\n{options.sessions} screens of 160x45, two keys a second each, for {options.seconds} s")
    screens = []
    pause = 5.0 / 50
    for n in range(options.sessions):
        screens.append(Screen(desk.ssh(desk.people[n % len(desk.people)], "-tt", desk.there())))
        pump(screens, time.monotonic() + pause)
    pump(screens, time.monotonic() + 8)
    first = [screen.first for screen in screens if screen.first is not None]
    print(f"  first screen, coming ten a second: {len(first)} of {len(screens)}, p50 {quantile(first, .5) * 1e3:.0f} ms, "
        f"p95 {quantile(first, .95) * 1e3:.0f} ms, most {max(first, default=0) * 1e3:.0f} ms")
    pids = [pid for pid in tree(desk.server.pid)]
    before = ticks(pids)
    pump(screens, time.monotonic() + 5)
    print(f"  nobody does anything: {(ticks(pids) - before) / 5 * 100:.1f} % of a core")
    end = time.monotonic() + options.seconds
    due = [(time.monotonic() + random.random() / 2, n) for n in range(len(screens))]
    while time.monotonic() < end:
        due.sort()
        at, n = due[0]
        pump(screens, min(at, end))
        if time.monotonic() >= at:
            try:
                if screens[n].first is not None:
                    screens[n].key(random.choice([b"]", b"]", b"["]))
            except OSError:
                pass
            due[0] = (at + 0.5, n)
    waits = [wait for screen in screens for wait in screen.waits]
    print(f"  key to bytes: {len(waits)} keys, p50 {quantile(waits, .5) * 1e3:.1f} ms, p99 {quantile(waits, .99) * 1e3:.1f} ms, most {max(waits, default=0) * 1e3:.0f} ms")
    held = [private(pid) for pid in pids]
    print(f"  private memory: {sum(held):.0f} MB in {len(pids)} processes, {sum(held) / max(len(first), 1):.1f} MB a session with its sshd")
    for screen in screens:
        os.kill(screen.pid, signal.SIGHUP)
    for screen in screens:
        os.close(screen.fd)
        os.waitpid(screen.pid, 0)
    time.sleep(3)
    left = run(desk.casework, "--workspace", desk.work, "serve", "who", "--json").count("\n")
    print(f"  after all have left: {left} sessions, {len(tree(desk.server.pid))} processes below serve")

def writers(desk, options):
    print(f"\n{options.writers} writers flat out for {options.seconds} s, a comment and its fsync each")
    words = os.path.join(desk.dir, "auth-")
    argv = []
    for n in range(options.writers):
        name = desk.people[n % len(desk.people)]
        with open(words + name, "w") as out:
            out.write("publickey " + open(desk.key(name) + ".pub").read())
        key = run("ssh-keygen", "-lf", desk.key(name) + ".pub").split()[1]
        argv.append((name, key))
    end, running, waits, refused, told = time.monotonic() + options.seconds, {}, [], 0, set()
    def start(n):
        name, key = argv[n]
        env = dict(os.environ, SSH_USER_AUTH=words + name, SSH_CONNECTION="10.0.0.7 1 10.0.0.1 22", SSH_ORIGINAL_COMMAND=f"comment p{n} flat-out")
        process = subprocess.Popen([desk.casework, "--workspace", desk.work, "serve", "session", name, key], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        running[process.pid] = (n, process, time.monotonic())
    for n in range(options.writers):
        start(n)
    while running:
        pid, status = os.waitpid(-1, 0)
        if pid not in running:
            continue
        n, process, begun = running.pop(pid)
        said = process.stderr.read()
        waits.append(time.monotonic() - begun)
        if status != 0:
            refused += 1
            told.add(said.decode()[:200])
        if time.monotonic() < end:
            start(n)
    print(f"  {len(waits) - refused} written, {refused} refused {sorted(told)[:3]}; p50 {quantile(waits, .5) * 1e3:.0f} ms, p99 {quantile(waits, .99) * 1e3:.0f} ms, most {max(waits) * 1e3:.0f} ms, program start included")
    said = run(desk.casework, "--workspace", desk.work, "verify", "--quick").strip().splitlines()[-1]
    counted = int(run("python3", "-c", f"import sqlite3; print(sqlite3.connect('{desk.work}/casework.db').execute(\"select count(*) from journal_entry where instr(body, 'flat-out') > 0\").fetchone()[0])"))
    print(f"  in the journal: {counted}; {said}")

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("casework")
    for name, value in [("sessions", 100), ("cases", 100000), ("people", 50), ("seconds", 20), ("writers", 50)]:
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args()
    if os.geteuid() == 0:
        sys.exit("run it in an ordinary account: casework serves for no root")
    desk = Desk(options)
    try:
        keys(desk, options)
        writers(desk, options)
    finally:
        desk.close()
        shutil.rmtree(desk.dir)

main()
