#!/usr/bin/python3
"""Linux 6.1 has no task walk: the kernel's own iterator makes the table; counters without per-CPU parts."""
# vm: --mem 512M --kernel 6.1 --file tests/vm/backends.py
import os
import sys

sys.path.insert(0, os.environ["VMLAB_FILES"])
import backends

backends.run(walk=False, iterator=True)
