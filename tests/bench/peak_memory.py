"""Runs a command and prints on standard error the peak memory of the command and all
its descendants, in MiB: the maximum over all samples of the sum of their proportional
set sizes (proc(5), smaps_rollup). Files in a tmpfs are not counted."""
import os
import subprocess
import sys
import time


def parent_of_each_process():
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as f:
                    found[int(name)] = int(f.read().rsplit(b") ", 1)[1].split()[1])
            except (OSError, IndexError):
                pass
    return found


def pss_kib(pid):
    total = 0
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as f:
            for line in f:
                if line.startswith((b"Pss_Anon:", b"Pss_File:")):
                    total += int(line.split()[1])
    except OSError:
        pass
    return total


def tree_kib(root):
    parent = parent_of_each_process()
    inside = {root}
    for pid in sorted(parent):
        chain, at = [], pid
        while at in parent and at not in inside:
            chain.append(at)
            at = parent[at]
        if at in inside:
            inside.update(chain)
    return sum(map(pss_kib, inside))


def main():
    watched = subprocess.Popen(sys.argv[1:])
    peak = 0
    while watched.poll() is None:
        peak = max(peak, tree_kib(watched.pid))
        time.sleep(0.1)
    print(f"{peak / 1024:.0f}", file=sys.stderr)
    sys.exit(watched.returncode)


if __name__ == "__main__":
    main()
