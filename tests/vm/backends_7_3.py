#!/usr/bin/python3
"""Linux 7.3, where badness sums the per-CPU parts of the counters: so do the rows of every back end."""
# vm: --mem 512M --kernel 7.3 --file tests/vm/backends.py
import os
import sys

sys.path.insert(0, os.environ["VMLAB_FILES"])
import backends

backends.run(walk=True, iterator=True)
