"""The cursor key in two programs, in turns: benches/cursor.py CASEWORK LNAV_LOG [SITTINGS]

Each sitting presses j 450 times, 25 ms apart, in a pseudo-terminal of 160x45, and waits for what is drawn. On a
virtual machine whoever has to be woken is woken late now and then, which is all of a p99 of 450 keys: so sittings
take turns, and their keys are counted together.
"""
import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time

KEYS = 450
ANSWERS = {b"\x1b[5n": b"\x1b[0n", b"\x1b[c": b"\x1b[?62c"}


class Terminal:
    def __init__(self, command):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm-256color"
            os.execvp(command[0], command)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 45, 160, 0, 0))

    def read(self, wait):
        """What the program writes within a time, or nothing."""
        if not select.select([self.fd], [], [], wait)[0]:
            return b""
        said = os.read(self.fd, 65536)
        for asked, answer in ANSWERS.items():
            if asked in said:
                os.write(self.fd, answer)
        return said

    def rest(self, seconds):
        end = time.time() + seconds
        while time.time() < end:
            self.read(0.02)

    def press(self, keys):
        for key in keys:
            os.write(self.fd, key)
            self.rest(0.4)

    def time(self, key):
        """Milliseconds until all is drawn: nothing more comes for 3."""
        began = last = time.perf_counter()
        os.write(self.fd, key)
        wait = 0.5
        while self.read(wait):
            last, wait = time.perf_counter(), 0.003
        return (last - began) * 1e3

    def close(self):
        os.kill(self.pid, 15)
        try:
            while os.read(self.fd, 65536):
                pass
        except OSError:
            pass
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def sitting(command, before, after):
    terminal = Terminal(command)
    terminal.rest(2)
    terminal.press(before)
    times = []
    for _ in range(KEYS):
        times.append(terminal.time(b"j"))
        time.sleep(0.025)
    terminal.press(after)
    terminal.close()
    return times


def main():
    casework, log, sittings = sys.argv[1], sys.argv[2], int((sys.argv[3:] or ["6"])[0])
    # The queue is before the case, which has the keys at the start; Enter gives them back.
    programs = {"casework": ([casework], [b"\t", b"\t"], [b"\r"]), "lnav": (["lnav", log], [b"g"], [])}
    times = {name: [] for name in programs}
    for _ in range(sittings):
        for name, how in programs.items():
            times[name] += sitting(*how)
    print(f"{sittings} sittings of {KEYS} keys each, in turns; ms")
    for name, all_of in times.items():
        all_of.sort()
        silent = sum(one == 0 for one in all_of)
        shares = "  ".join(f"p{p} {all_of[len(all_of) * p // 100]:6.2f}" for p in (50, 90, 95, 99))
        print(f"{name:<9} {shares}" + (f"  {silent} keys drew nothing" if silent else ""))


main()
