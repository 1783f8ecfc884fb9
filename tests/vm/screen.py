"""Drives oomtop inside the virtual machine, through tmux: keys in, screen out."""
import os
import re
import subprocess
import time


class Tui:
    """oomtop on a tmux screen of its own."""

    count = 0

    def __init__(self, *args, cols=120, rows=36, env=(), command=()):
        # Each has its own server: the one of the screen before may still be ending, and refuses new sessions then.
        Tui.count += 1
        self.name = "t%d-%d" % (os.getpid(), Tui.count)
        command = [*command, "env", "LC_ALL=C.UTF-8", *env, "oomtop", *args]
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(cols), "-y", str(rows), *command)
        self.tmux("set-option", "-g", "status", "off", ";", "set-option", "-g", "escape-time", "0",
                  ";", "set-option", "-g", "remain-on-exit", "on")
        self.wait("the dashboard", lambda text: "COMMAND" in text)

    def tmux(self, *args):
        command = ["tmux", "-L", self.name, *args]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def keys(self, *keys):
        """Named keys as tmux knows them: Enter, Escape, Down, BSpace, F1. Enter comes as from a hand: it confirms only what
        the screen has shown."""
        for key in keys:
            if key == "Enter":
                time.sleep(0.1)
            self.tmux("send-keys", key)
            # A machine in a storm draws late.
            if key == "Enter" and self.is_early():
                self.tmux("send-keys", key)

    def is_early(self):
        """Waits a moment for the notice that Enter came before the screen had shown what it confirms."""
        end = time.monotonic() + 0.3
        while time.monotonic() < end:
            if "Enter came before" in self.text():
                time.sleep(1)
                return True
            time.sleep(0.05)
        return False

    def type(self, text):
        """Plain text, letter by letter."""
        self.tmux("send-keys", "-l", "--", text)

    def text(self):
        return self.tmux("capture-pane", "-p")

    def wait(self, what, seen, limit=30):
        """Waits until seen(screen) holds; the screen. Prints it and fails when it does not."""
        end = time.monotonic() + limit
        while True:
            text = self.text()
            if seen(text):
                return text
            if time.monotonic() > end:
                print("waited %d s for %s; the screen was:\n%s" % (limit, what, text), flush=True)
                raise SystemExit(1)
            time.sleep(0.1)

    def row(self, pid):
        """The table row of a process; None while there is none."""
        table = self.text().partition("COMMAND")[2].partition("OOM events")[0]
        return next((ln for ln in table.splitlines() if " %d " % pid in ln), None)

    def adjust(self, pid):
        """Opens the dialog for the selected process, which is this one: the footer names the key by the same word."""
        self.keys("a")
        self.wait("the adjust dialog", lambda text: "Adjust %d " % pid in text)

    def undo(self):
        """Takes the newest write back: the dialog says what that does, and Enter does it."""
        self.keys("u")
        self.wait("the undo dialog", lambda text: "take it back" in text)
        time.sleep(0.1)                 # what comes with the question confirms nothing
        self.keys("Enter")

    def only(self, pid):
        """Filters the table down to one process and selects it."""
        self.keys("Escape")
        # What the first one closed may have been a dialog.
        for _ in range(4):
            if until(lambda: "filter: " not in self.text() and "└─" not in self.text(), limit=2):
                break
            self.keys("Escape")
        self.type("/pid:%d" % pid)
        self.keys("Enter")
        self.wait("process %d in the table" % pid, lambda _: self.row(pid))
        self.keys("Home")

    def new_group(self, pid):
        """The cgroup dialog of a process, for a group that oomtop makes itself: of a process in a unit it would start a scope."""
        self.only(pid)
        self.keys("c")
        self.wait("the cgroup dialog", lambda t: "Cgroup of %d" % pid in t and ("new group" in t or "new scope" in t))
        if "new scope" in self.text():
            self.keys("BTab")
        self.wait("a new group", lambda t: "new group" in t)

    def quit(self):
        subprocess.run(["tmux", "-L", self.name, "kill-server"], capture_output=True)


def events(text):
    """The rows of the events pane: the header and the table speak of kills and killers too."""
    return text.partition("OOM events")[2].splitlines()[1:]


def flat(text):
    """A dialog without its frame, as one text: long lines are broken in it."""
    return " ".join(re.sub(r"[│┌└┐┘]", " ", text).split())


def runs(pid):
    """Whether it has not ended. A zombie has: tmux does not always reap a program with threads."""
    try:
        with open("/proc/%s/stat" % pid) as stat:
            return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def until(seen, limit=10):
    """Polls a condition outside the screen; its last value."""
    end = time.monotonic() + limit
    while not seen() and time.monotonic() < end:
        time.sleep(0.05)
    return seen()
