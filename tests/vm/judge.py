"""Whether what an action ended in is a refusal that helps, as tests/tty/unprivileged/judge.rs has it: what is said since names the
right that is missing, a command that does it with that right, and another command that is allowed. Commands are looked up, and
those that are allowed are run."""
import os
import re
import shutil
import subprocess

FRAME = re.compile(r"[\s\u2500-\u257f]+")
RIGHTS = {"root", "administrator", "permission", "right", "privilege", "delegated"}
ALLOWED = ("Without root", "allowed without")
ENDS = ("; ", ", ", ". ", " · ", " or, ")


def words(text):
    return [word for word in FRAME.split(text) if word]


def news(before, after):
    """What `after` says and `before` did not: a warning before a write is no answer to it."""
    old = [line.strip() for line in before.splitlines()]
    said = []
    for line in after.splitlines():
        line = line.strip()
        if line in old:
            old.remove(line)
        else:
            said += words(line)
    return " ".join(said)


def is_right(word):
    plain = re.sub(r"^[^\w]+|[^\w]+$", "", word)
    return plain.startswith("CAP_") or plain.lower().rstrip("s") in RIGHTS


def is_known(command):
    first = command.split(" ")[0]
    if first == "sudo":
        command = command[len("sudo "):]
        first = command.split(" ")[0]
    shell = subprocess.run(["sh", "-c", "command -v " + first], capture_output=True, check=False).returncode == 0
    parses = subprocess.run(["sh", "-n"], input=command, text=True, capture_output=True, check=False).returncode == 0
    return parses and (shell or shutil.which(first) is not None)


def commands(text):
    """The commands that a text names, each after a colon: their first word is one that a shell finds."""
    found = []
    for match in re.finditer(": ", text):
        rest = text[match.end():]
        end = min([at for at in map(rest.find, ENDS) if at >= 0], default=len(rest))
        command = rest[:end].rstrip(".;,")
        if re.match(r"[a-z-]+ \S", command) and is_known(command):
            found.append(command)
    return found


def is_pattern(command):
    """It has a name of the reader's choice in it."""
    command = re.sub(r"\b[A-Z_]+=", "", command)
    return any(len(word) > 2 and word.isupper() and word.isalpha() for word in re.split(r"[^A-Za-z0-9]", command))


def fault(said, user=()):
    """What is wrong with an answer; None if it is a refusal that helps. `user`: the words before a command that make it the
    user's."""
    split = min([at for at in map(said.find, ALLOWED) if at >= 0], default=len(said))
    refused, allowed = said[:split], said[split:]
    if not any(map(is_right, words(refused))):
        return "it does not say what is missing"
    if not commands(refused):
        return "it names no command that does it"
    if not allowed:
        return "it names nothing that is allowed instead"
    instead = commands(allowed)
    if not instead:
        return "it names no command that is allowed instead"
    for command in instead:
        # What is started is the reader's choice.
        command = command.replace("COMMAND", "true")
        if is_pattern(command):
            continue
        done = subprocess.run([*user, "sh", "-c", command], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            return "%r is said to be allowed: %s" % (command, done.stderr)
    return None


def is_not_fooled():
    """A judge that lets everything pass would judge nothing."""
    refusal = "Process 7 belongs to another user; only root may change it. Run oomtop as root, or: sudo kill -9 7"
    instead = "Without root you can set a limit for what you start yourself: ulimit -v 1048576, before it starts"
    whole = refusal + " " + instead
    bad = [refusal, instead, whole.replace("root", "Bob").replace("Without Bob", "Without root"), whole.replace("sudo kill", "magic"),
           whole.replace("ulimit -v 1048576", "false -v 1"), news(whole, whole), ""]
    return fault(whole) is None and all(map(fault, bad))
