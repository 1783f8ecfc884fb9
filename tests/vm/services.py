#!/usr/bin/python3
"""The services of oomtop under systemd, each in its sandbox: a kill is recorded, served, written for node_exporter and told in
the journal; then all stop cleanly."""
# vm: --mem 512M
# long: systemd starts four services, each of which reads all of an emulated machine first
import json
import os
import shutil
import subprocess
import sys
import urllib.request

sys.path.insert(0, os.environ["VMLAB_FILES"])
from screen import until
from vmlab import Hog, check, enable_memory, finish, make_cgroup, protect, read, rm_cgroup

UNITS = ["oomtop-record", "oomtop-metrics", "oomtop-watch", "oomtop-textfile"]
FILE = "/var/log/oomtop/last.oomrec"
PROM = "/var/lib/prometheus/node-exporter/oomtop.prom"
PLACE = "/run/systemd/system/"


def sh(*command):
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


def page():
    try:
        return urllib.request.urlopen("http://127.0.0.1:9469/metrics", timeout=5).read().decode()
    except OSError:
        return ""


protect()
binary = not os.path.exists("/usr/bin/oomtop")
if binary:
    shutil.copy(shutil.which("oomtop"), "/usr/bin/oomtop")
os.makedirs(os.path.dirname(PROM), exist_ok=True)
for unit in UNITS:
    shutil.copy(os.path.join(os.environ["VMLAB_FILES"], unit + ".service"), PLACE)
sh("systemctl", "daemon-reload")
sh("systemctl", "start", *UNITS)
check(until(lambda: "oomtop_sample_timestamp_seconds " in page(), 60), "metrics are served")
check(until(lambda: os.path.exists(PROM) and "oomtop_memory_used_ratio" in read(PROM), 60), "and written for node_exporter")
check(until(lambda: os.path.exists(FILE) and os.path.getsize(FILE) > 2000, 60), "samples are recorded")

enable_memory("/")
group = make_cgroup("/services", **{"memory.max": str(40 << 20), "memory.swap.max": "0"})
hog = Hog("served", mb=4, cgroup="/services", leak=100)
hog.go()
check(until(hog.killed, 20), "the kernel kills")
hog.stop()
watched = lambda: sh("journalctl", "-u", "oomtop-watch", "-o", "cat")
check(until(lambda: "served" in watched() and "killed" in watched(), 30), "watch tells of it in the journal: %s" % watched())
counted = 'oomtop_kills_total{by="kernel",scope="memcg"} 1'
check(until(lambda: counted in page(), 30), "metrics count it")


def recorded():
    shown = subprocess.run(["oomtop", "replay", "--json", FILE], capture_output=True, text=True)
    return shown.returncode == 0 and "served" in json.dumps(json.loads(shown.stdout)["events"])


check(until(recorded, 30), "it is in the recording")
check(os.stat(FILE).st_mode & 0o077 == 0, "which only root reads")
for unit in UNITS:
    about = sh("systemctl", "show", unit, "-p", "ActiveState,NRestarts,MemoryCurrent")
    check("ActiveState=active" in about and "NRestarts=0" in about, "%s: %s" % (unit, about.replace("\n", " ")))
sh("systemctl", "stop", *UNITS)
for unit in UNITS:
    about = sh("systemctl", "show", unit, "-p", "Result,ExecMainStatus,ActiveState").replace("\n", " ")
    clean = all(word in about for word in ("Result=success", "ExecMainStatus=0", "ActiveState=inactive"))
    check(clean, "%s stops cleanly: %s" % (unit, about))
check(not os.path.exists(PROM), "no old numbers stay for node_exporter")
rm_cgroup("/services")
for unit in UNITS:
    os.remove(PLACE + unit + ".service")
sh("systemctl", "daemon-reload")
shutil.rmtree("/var/log/oomtop", ignore_errors=True)
if binary:
    os.remove("/usr/bin/oomtop")
finish()
