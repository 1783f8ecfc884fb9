"""A process that takes memory as it is told, one order a line; started as: member.py NAME."""
import ctypes
import mmap
import sys
import threading

PRIVATE = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
NO_HUGE_PAGES = 15
CLONE_VM, SIGCHLD = 0x100, 17
libc = ctypes.CDLL(None, use_errno=True)
held = []


def touch(area, size):
    for at in range(0, size, mmap.PAGESIZE):
        area[at] = 1


def anon(kib):
    area = mmap.mmap(-1, kib << 10, flags=PRIVATE)
    try:
        area.madvise(NO_HUGE_PAGES)
    except OSError:
        pass  # A kernel without huge pages.
    touch(area, kib << 10)
    held.append(area)


def shared(path, kib):
    """Memory of a tmpfs file: it counts in full for every process that maps it."""
    with open(path, "r+b") as file:
        area = mmap.mmap(file.fileno(), kib << 10)
    touch(area, kib << 10)
    held.append(area)


def threads(count):
    """Each takes 256 KiB, from its own thread."""
    done = threading.Barrier(count + 1)

    def run():
        anon(256)
        done.wait()
        threading.Event().wait()

    threading.stack_size(128 << 10)
    for _ in range(count):
        threading.Thread(target=run, daemon=True).start()
    done.wait()


def twin():
    """A process of its own that shares this one's memory: clone(CLONE_VM) without CLONE_THREAD."""
    stack = ctypes.create_string_buffer(64 << 10)
    held.append(stack)
    top = (ctypes.addressof(stack) + len(stack) - 64) & ~15
    libc.clone.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]
    pid = libc.clone(ctypes.cast(libc.pause, ctypes.c_void_p), top, CLONE_VM | SIGCHLD, None)
    if pid < 0:
        raise OSError(ctypes.get_errno(), "clone")
    return pid


with open("/proc/self/comm", "w") as comm:
    comm.write(sys.argv[1])
libc.prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL: nothing outlives the test.
print("ready", flush=True)
for line in sys.stdin:
    verb, *words = line.split()
    if verb == "anon":
        answer = anon(int(words[0]))
    elif verb == "shared":
        answer = shared(words[0], int(words[1]))
    elif verb == "threads":
        answer = threads(int(words[0]))
    elif verb == "twin":
        answer = twin()
    else:
        raise ValueError(line)
    print("done", answer or 0, flush=True)
