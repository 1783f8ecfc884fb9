"""What a package of oomtop must do, whichever tool installs it: what the scenarios of the .deb and of the .rpm share."""
import os
import subprocess
import sys

sys.path.insert(0, os.environ["VMLAB_FILES"])
from screen import Tui, until
from vmlab import Hog, check, read

PROGRAM = "/usr/bin/oomtop"
UNITS = ("protect", "record", "metrics", "textfile", "watch")
RULES = "/etc/oomtop/rules.toml"
RECORDING = "/var/log/oomtop/last.oomrec"


def sh(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout.strip()


def tree():
    """Every file of the system but those of the kernel, of the package tools and of what logs."""
    found = set()
    for top, dirs, files in os.walk("/"):
        dirs[:] = [d for d in dirs if os.path.join(top, d) not in (
            "/proc", "/sys", "/dev", "/run", "/tmp", "/vmlab", "/var/lib/dpkg", "/var/lib/rpm", "/root/.rpmdb", "/var/log/journal", "/var/cache",
            "/var/tmp", "/var/lib/systemd")]
        found |= {os.path.join(top, name) for name in dirs + files}
    return found


def state(unit):
    """Whether a service runs, is enabled, and as which process."""
    words = sh("systemctl", "show", "-p", "ActiveState,UnitFileState,MainPID", "--value", "oomtop-" + unit)[1].split()
    return {"active": "active" in words, "enabled": "enabled" in words, "pid": next(word for word in words if word.isdigit())}


def gone(before, others=()):
    """Nothing of the package is left; `others` may be there."""
    others = ("/var/lib/prometheus", "/var/log/dpkg.log", *others)
    left = {path for path in tree() - before if "__pycache__" not in path and path not in others}
    check(not left, "nothing is left: %s" % sorted(left)[:10])
    check("oomtop" not in sh("systemctl", "list-unit-files", "--no-legend")[1], "systemd knows no unit of it")


def write_rule():
    os.makedirs(os.path.dirname(RULES), exist_ok=True)
    with open(RULES, "w") as rules:
        rules.write('[[rule]]\nname = "ruled"\nuser = "root"\nlevel = "high"\n')


def run_some():
    """Two services of the installed version run, two are enabled. Returns what each of them is."""
    write_rule()
    sh("systemctl", "start", "oomtop-protect")
    sh("systemctl", "enable", "--now", "oomtop-record")
    sh("systemctl", "enable", "oomtop-watch")
    check(until(lambda: state("record")["active"] and state("protect")["active"]), "two services of the old version run")
    check(until(lambda: os.path.exists(RECORDING)), "and one records")
    return {unit: state(unit) for unit in UNITS}


def go_on(old):
    """After an upgrade: what ran goes on with the new program, what did not stays as it was."""
    new = {unit: state(unit) for unit in UNITS}
    for unit in UNITS:
        same = [new[unit][what] == old[unit][what] for what in ("active", "enabled")]
        check(all(same), "oomtop-%s is as it was: %s" % (unit, new[unit]))
        if old[unit]["active"]:
            check(new[unit]["pid"] != old[unit]["pid"], "oomtop-%s runs the new program" % unit)
    failed = sh("systemctl", "list-units", "--state=failed", "--no-legend", "oomtop-*")[1]
    check(not failed, "no service failed %s %s" % (failed, sh("journalctl", "-q", "-n6", "-u", "oomtop-*")[1] if failed else ""))


def ended():
    check(not os.path.exists(PROGRAM), "the program is gone")
    check(until(lambda: not sh("pgrep", "-x", "oomtop")[1]), "and its services have ended")
    kept = [path for path in (RULES, RECORDING) if os.path.exists(path)]
    check(len(kept) == 2, "settings and recordings stay: %s" % kept)


def is_idle():
    enabled = sh("systemctl", "list-unit-files", "--no-legend", "oomtop-*")[1]
    states = [line.split()[1] for line in enabled.splitlines()]
    check(states == ["disabled"] * 5, "five services, none enabled: %s" % states)
    check(not sh("pgrep", "-x", "oomtop")[1], "nothing was started")


def has(completion_of_zsh):
    """Pages and completions."""
    wanted = ["/usr/share/man/man1/oomtop.1.gz", "/usr/share/bash-completion/completions/oomtop", completion_of_zsh,
              "/usr/share/fish/vendor_completions.d/oomtop.fish"]
    wanted += ["/usr/share/man/man5/oomtop-%s.5.gz" % page for page in ("config", "rules", "recording")]
    return [path for path in wanted if not os.path.exists(path)]


def works():
    """The program, its screen, and each service, started by hand."""
    status, told = sh(PROGRAM, "--version")
    check(status == 0 and told.startswith("oomtop "), told)
    os.environ["PATH"] = "/usr/bin:/bin:/usr/sbin:/sbin:" + os.environ["PATH"]
    tui = Tui()
    check("Mem " in tui.text() and "OOM events" in tui.text(), "the screen")
    tui.quit()
    write_rule()
    os.makedirs("/var/lib/prometheus/node-exporter", exist_ok=True)
    for unit in UNITS:
        status, told = sh("systemctl", "start", "oomtop-%s.service" % unit)
        check(status == 0 and until(lambda: sh("systemctl", "is-active", "oomtop-%s" % unit)[1] == "active"), "oomtop-%s runs %s" % (unit, told))
    ruled = Hog("ruled", mb=4, adj=0)
    check(until(lambda: read("/proc/%d/oom_score_adj" % ruled.pid).strip() == "-500"), "oomtop-protect applies a rule")
    check(until(lambda: os.path.exists(RECORDING)), "oomtop-record records")
    for unit in UNITS:
        told = sh("systemctl", "is-active", "oomtop-%s" % unit)[1]
        check(told == "active", "oomtop-%s still runs (%s) %s" % (unit, told, sh("journalctl", "-q", "-n3", "-u", "oomtop-%s" % unit)[1] if told != "active" else ""))
    ruled.stop()
