#!/usr/bin/python3
"""With every privilege oomtop goes last, but keeps an adj that was chosen for it, and stays out of it if told."""
# vm: --mem 512M
import os
import subprocess
import sys
import time

sys.path.insert(0, os.environ["VMLAB_FILES"])
from screen import Tui
from vmlab import check, finish, protect, read, status


def look(what, adj, locked, *args):
    """Starts oomtop with the adj this scenario has now, and looks at it from outside."""
    tui = Tui(*args)
    pid = int(subprocess.run(["pgrep", "-x", "oomtop"], capture_output=True, text=True).stdout.split()[0])
    own = int(read("/proc/%d/oom_score_adj" % pid))
    lock = int(status(pid)["VmLck"].split()[0])
    check(own == adj, "%s: adj %d (%d)" % (what, adj, own))
    check((lock > 0) == locked, "%s: %d kB locked" % (what, lock))
    tui.quit()
    while subprocess.run(["pgrep", "-x", "oomtop"], capture_output=True).returncode == 0:
        time.sleep(0.1)


look("from 0", -999, True)
look("--no-self-protect", 0, False, "--no-self-protect")
protect(-500)
look("from -500", -500, True)
protect(-1000)
look("from -1000", -1000, True)
finish()
