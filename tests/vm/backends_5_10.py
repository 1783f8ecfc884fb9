#!/usr/bin/python3
"""Linux 5.10 has no task walk: the kernel's own iterator makes the table; one counter for each process."""
# vm: --mem 512M --kernel 5.10 --file tests/vm/backends.py
import os
import sys

sys.path.insert(0, os.environ["VMLAB_FILES"])
import backends

backends.run(walk=False, iterator=True)
