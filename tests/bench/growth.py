# SPDX-License-Identifier: MIT
"""growth.py ORDERS SECONDS SLACK-KIB LOADGEN-PID NAME=PID...: watches processes until
the load generator ends, and says whether one grew. After a quarter of the run as a
lead-in the least memory and the fewest descriptors of some looks (to 45 %) are compared
with those of the last 15 %: what comes and goes with a request is in neither, what a
request leaves behind is in the later ones. Status 1 when memory grew by more than
SLACK-KIB, or descriptors by more than two; 2 when there were too few looks to say. Resident memory is smaps_rollup's, which
is exact where status' VmRSS is counted a CPU at a time."""
import os, sys, time

orders, seconds, slack = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
load = sys.argv[4]
watched = dict(word.split("=") for word in sys.argv[5:])
samples = {name: [] for name in watched}


def runs(pid):
    try:
        return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def resident_kib(pid):
    return next(int(line.split()[1]) for line in open(f"/proc/{pid}/smaps_rollup") if line.startswith("Rss:"))


while runs(load):
    for name, pid in watched.items():
        samples[name].append((resident_kib(pid), len(os.listdir(f"/proc/{pid}/fd"))))
    time.sleep(min(max(seconds / 200, 0.05), 2))
grown = False
for name, rows in samples.items():
    early, late = rows[len(rows) // 4:len(rows) * 45 // 100], rows[len(rows) * 85 // 100:]
    if len(early) < 3 or len(late) < 3:
        print(f"{name}: too few looks: {len(rows)}")
        sys.exit(2)
    kib, fds = ([min(row[i] for row in window) for window in (early, late)] for i in (0, 1))
    more = kib[1] - kib[0]
    verdict = ""
    if more > slack or fds[1] > fds[0] + 2:
        grown, verdict = True, "  GREW"
    print(f"{name:9} {kib[0]} KiB, then {kib[1]} KiB ({more * 1024 / (0.6 * orders):+.0f} B an order); "
          f"{fds[0]} descriptors, then {fds[1]}{verdict}")
sys.exit(grown)
