"""oomtop on a terminal of the driver's own: what stands on the screen is known the moment it is drawn. tmux is late
when memory is short."""
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
import time

TOKEN = re.compile(r"\x1b\[([?<>=]?)([0-9;]*)([@-~])|\x1b[()][A-Z0-9]|\x1b[=>78M]|([^\x1b\r\n]+)|([\r\n])", re.S)


# Notes when what arrived. A process of its own, locked in memory and before all others: a thread of the driver would wait
# until the one that holds the interpreter gets to run.
NOTE = """
import ctypes, fcntl, os, struct, sys, time
ctypes.CDLL(None).mlockall(3)
os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(10))
terminal = int(sys.argv[1])
fcntl.fcntl(1, 1031, 1 << 20)  # F_SETPIPE_SZ: it waits for no reader
while True:
    try:
        data = os.read(terminal, 65536)
    except OSError:
        break
    if not data:
        break
    os.write(1, struct.pack("=dI", time.monotonic(), len(data)) + data)
"""


class Terminal:
    """Runs a program, reads what it draws and keeps it as rows of text."""

    def __init__(self, *command, cols=140, rows=40):
        self.cols, self.rows = cols, rows
        self.grid = [[" "] * cols for _ in range(rows)]
        self.x = self.y = 0
        self.rest = ""
        self.lock = threading.Lock()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", LC_ALL="C.UTF-8")
            os.execvp(command[0], command)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
        self.watches = []
        self.notes = subprocess.Popen(
            [sys.executable, "-S", "-E", "-c", NOTE, str(self.fd)], stdout=subprocess.PIPE, pass_fds=[self.fd])
        threading.Thread(target=self.follow, daemon=True).start()

    def follow(self):
        held = b""
        while True:
            note = self.notes.stdout.read(12)
            if len(note) < 12:
                return
            arrived, size = struct.unpack("=dI", note)
            held += self.notes.stdout.read(size)
            text = held.decode("utf-8", "ignore")
            # A letter may be cut at the end of a read.
            cut = len(held) - len(text.encode())
            held = held[-cut:] if 0 < cut < 4 else b""
            with self.lock:
                self.take(self.rest + text)
            for watch in self.watches:
                watch.look(arrived)

    def take(self, text):
        end = 0
        for token in TOKEN.finditer(text):
            if token.start() != end and "\x1b" in text[end:token.start()]:
                break
            end = token.end()
            self.token(token)
        self.rest = text[end:]

    def token(self, token):
        run, line_end = token.group(4), token.group(5)
        if run:
            if self.y < self.rows and self.x < self.cols:
                run = run[:self.cols - self.x]
                self.grid[self.y][self.x:self.x + len(run)] = run
            self.x += len(run)
        elif line_end == "\r":
            self.x = 0
        elif line_end:
            self.y += 1
        else:
            private, numbers, final = token.group(1), token.group(2) or "", token.group(3)
            if final == "H" and not private:
                y, _, x = numbers.partition(";")
                self.y, self.x = int(y or 1) - 1, int(x or 1) - 1
            elif final == "J" and not private:
                self.grid = [[" "] * self.cols for _ in range(self.rows)]

    def lines(self):
        with self.lock:
            return ["".join(row).rstrip() for row in self.grid]

    def text(self):
        return "\n".join(self.lines())

    def keys(self, text):
        os.write(self.fd, text.encode())

    def wait(self, what, seen, limit=60):
        """Waits until seen(screen) holds; the screen. Prints it and fails when it does not."""
        end = time.monotonic() + limit
        while not seen(self.text()):
            if time.monotonic() > end:
                print("waited %d s for %s; the screen was:\n%s" % (limit, what, self.text()), flush=True)
                raise SystemExit(1)
            time.sleep(0.05)
        return self.text()

    def quit(self):
        self.keys("q")
        os.waitpid(self.pid, 0)
        self.notes.wait()


class Watch:
    """Looks at the screen whenever something was drawn: how old the sample says it is and when, and when which kill was a
    row."""

    def __init__(self, terminal):
        self.terminal = terminal
        self.ages, self.rows, self.named, self.frames, self.stop = [], {}, [], [], False
        self.last = self.clock = None
        terminal.watches.append(self)

    def look(self, now):
        if self.stop:
            return
        lines = self.terminal.lines()
        old = re.search(r"sample ([\d.]+)s old", lines[0])
        if old:
            self.ages.append((now, float(old[1])))
        for pid in re.findall(r"killed (\d+) ", "\n".join(lines[20:])):
            self.rows.setdefault(int(pid), now)
        next_line = next((ln for ln in lines[:9] if ln.startswith("Next victim")), "")
        found = re.match(r"Next victim +(\d+) (\S+)(?: or (\d+))?", next_line)
        said = (int(found[1]), int(found[3]) if found[3] else None) if found else None
        if said != self.last:
            self.named.append((now, said))
            self.last = said
        clock = lines[0][-8:]
        if clock != self.clock:
            # The clock moves with each sample.
            self.clock = clock
            self.frames.append(now)

    def at(self, moment):
        """Who was named last before a moment, and who may have died instead."""
        before = [said for when, said in self.named if when <= moment]
        return before[-1] if before else None


def kernel_clock(log):
    """What must be added to the times of the kernel's records to have those of this program."""
    os.write(os.open("/dev/kmsg", os.O_WRONLY), b"oomtop test: what time is it\n")
    now = time.monotonic()
    while True:
        for record in log.read():
            if "what time is it" in record:
                return now - int(record.split(",")[2]) / 1e6
        time.sleep(0.01)
