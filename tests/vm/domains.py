#!/usr/bin/python3
"""cgroup v2, nested limits, memory.oom.group: the view's numbers are the files', a group kill is announced first."""
# vm: --mem 768M
import os
import re
import sys
import time

sys.path.insert(0, os.environ["VMLAB_FILES"])
from screen import Tui
from vmlab import CG, Hog, Kmsg, check, enable_memory, finish, make_cgroup, protect, read, rm_cgroup, say, write

protect()
enable_memory("/")
MIB = 1 << 20


def limited(path, limit, **files):
    directory = make_cgroup(path, memory_max=limit)
    for name, value in dict({"memory.swap.max": 0}, **files).items():
        if os.path.exists(directory + "/" + name):
            write(directory + "/" + name, value)
    return directory


# /shop may take 200 MiB; inside, the api 96 MiB and is killed as a group; the cart asks for more than the shop has.
shop = limited("/shop", 200 * MIB)
write(shop + "/cgroup.subtree_control", "+memory")
api = limited("/shop/api", 96 * MIB, **{"memory.oom.group": 1, "memory.high": 90 * MIB})
write(api + "/memory.high", "max")
cart = limited("/shop/cart", 400 * MIB)
hogs = [Hog("api-main", mb=30, adj=0, cgroup="/shop/api"),
        Hog("api-side", mb=6, adj=0, cgroup="/shop/api"),
        Hog("cart-main", mb=20, adj=0, cgroup="/shop/cart")]
leaker = Hog("api-leak", mb=40, adj=0, cgroup="/shop/api", leak=20)
tui = Tui(cols=200, rows=50)
tui.type("d")
tui.wait("the view", lambda t: "OOM domains by" in t)
tui.type("/shop")
tui.keys("Enter")


def number(path, name):
    text = read("%s%s/%s" % (CG, path, name)).strip()
    return None if text == "max" else int(text)


def event(path, key):
    return int(re.search(r"^%s (\d+)$" % key, read("%s%s/memory.events" % (CG, path)), re.M)[1])


def row(path, text=None):
    """The domain's row; names are paths here, since the view is filtered."""
    lines = (text or tui.text()).splitlines()
    return next((ln for ln in lines if ln.split() and ln.split()[0] == path), None)


def size(value):
    """As the program writes sizes in columns."""
    for unit in ("B", "K", "M", "G"):
        if value < 1024 or unit == "G":
            break
        value /= 1024
    return ("%.1f%s" if value < 9.95 and unit != "B" else "%.0f%s") % (value, unit)


say(tui.wait("the three domains", lambda t: all(row(p, t) for p in ("/shop", "/shop/api", "/shop/cart"))))
for path in ("/shop", "/shop/api", "/shop/cart"):
    def same(t, path=path):
        words = (row(path, t) or "").split()
        return size(number(path, "memory.current")) in words and size(number(path, "memory.max")) in words
    tui.wait("usage and limit of %s as in its files" % path, same)
    say("row:", row(path))
check(" whole " in row("/shop/api"), "the view says that the api dies whole")
check(" one " in row("/shop/cart"), "and that of the cart only one does")


def details(path, *words):
    """Opens the details and compares them with the files, to the byte."""
    tui.keys("Escape")
    time.sleep(0.3)
    tui.type("/" + path)
    tui.keys("Enter")
    tui.wait("its row alone", lambda t: row(path, t))
    for _ in range(3):
        tui.keys("Home")
    if row(path) != [ln for ln in tui.text().splitlines() if ln.startswith(path)][0]:
        tui.keys("Down")
    tui.keys("Enter")

    def same(text):
        flat = re.sub(r"[│\s]+", " ", text)
        return ("(%d bytes) memory.current" % number(path, "memory.current") in flat
                and "(%d bytes) memory.max" % number(path, "memory.max") in flat
                and all(word in flat for word in words))
    text = tui.wait("the details of %s as in its files" % path, same)
    tui.keys("Escape")
    return text


say(details("/shop/cart", "Its limit is never reached: that of /shop is not above it."))
text = details("/shop/api", "dies with 2 others in api: memory.oom.group is set")
say(text)
flat = re.sub(r"[│\s]+", " ", text)
for label, key in (("throttled", "high"), ("at limit", "max"), ("oom", "oom"), ("kills", "oom_kill")):
    found = re.search(r" %s (\d+)( \+\S+)? memory.events %s" % (label, key), flat)
    check(found and int(found[1]) == event("/shop/api", key), "%s is that of memory.events" % key)
check("PSI of the last 10 s" in flat, "the stalls are told or why not")

# The announcement, before anything has died.
check(event("/shop/api", "oom_kill") == 0, "nothing has died yet")
announced = tui.text()
check("whole" in row("/shop/api", announced), "the group kill is announced: %s" % row("/shop/api", announced))
log = Kmsg()
leaker.go()
killed, lines = set(), []
end = time.monotonic() + 90
while event("/shop/api", "oom_kill") == 0 and time.monotonic() < end:
    time.sleep(0.02)
end = time.monotonic() + 10
while len(killed) < 3 and time.monotonic() < end:
    for record in log.read():
        found = re.search(r"Killed process (\d+) \(", record)
        if found:
            killed.add(int(found[1]))
        if "oom.group" in record or found:
            lines.append(record)
    time.sleep(0.02)
say("the kernel's lines:", *lines)
members = {hog.pid for hog in hogs[:2] + [leaker]}
check(killed == members, "the whole group died and nobody else: %s of %s" % (sorted(killed), sorted(members)))
say(tui.wait("the kill in its row", lambda t: re.search(r" \(\d+m?s?\) ", row("/shop/api", t) or "")))
say("row:", row("/shop/api"))
# Its limit was not the shop's: memory.events counts the OOM there too, memory.events.local does not.
check(event("/shop", "oom_kill") > 0, "the kernel counts the kills in the group around it too")
local = int(re.search(r"^oom (\d+)$", read(CG + "/shop/memory.events.local"), re.M)[1])
check(local == 0, "and says that no limit of its own ran out")
tui.keys("Escape")
time.sleep(0.3)
tui.type("/shop")
tui.keys("Enter")
tui.wait("the kills counted in its row", lambda t: str(event("/shop", "oom_kill")) in (row("/shop", t) or "").split())
for _ in range(6):
    time.sleep(0.5)
    outer = row("/shop") or ""
    check(outer and "KILLED" not in outer and "OOM" not in outer, "the group around it is not marked: %s" % outer)
for hog in hogs[:2] + [leaker]:
    hog.stop()                      # what was killed is a zombie until then
tui.wait("nobody is left in it", lambda t: "empty" in row("/shop/api", t))
kills = event("/shop/api", "oom_kill")
tui.wait("the counter as in the file", lambda t: str(kills) in row("/shop/api", t).split())
tui.quit()
hogs[2].stop()
rm_cgroup("/shop/api")
rm_cgroup("/shop/cart")
rm_cgroup("/shop")
finish()
