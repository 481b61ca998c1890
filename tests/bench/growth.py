# SPDX-License-Identifier: MIT
"""growth.py ORDERS SECONDS SLACK-KIB LOADGEN-PID NAME=PID...: samples processes until
the load generator exits, and reports whether one of them grew. The first quarter of the
run is warm-up. The minimum memory and descriptor count of the samples up to 45 % of the
run are compared with the minimum of the last 15 %. A minimum excludes what a request
allocates and releases; what requests leak is in the later one. Status 1 when memory grew
by more than SLACK-KIB or descriptors by more than two; 2 when there were too few samples.
Resident memory is read from smaps_rollup, which is exact; VmRSS of status is approximate
(per-CPU counters)."""
import os, sys, time

orders, seconds, slack = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
load = sys.argv[4]
watched = dict(word.split("=") for word in sys.argv[5:])
samples = {name: [] for name in watched}


def is_running(pid):
    try:
        return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def resident_kib(pid):
    return next(int(line.split()[1]) for line in open(f"/proc/{pid}/smaps_rollup") if line.startswith("Rss:"))


while is_running(load):
    for name, pid in watched.items():
        samples[name].append((resident_kib(pid), len(os.listdir(f"/proc/{pid}/fd"))))
    time.sleep(min(max(seconds / 200, 0.05), 2))
grown = False
for name, rows in samples.items():
    early, late = rows[len(rows) // 4:len(rows) * 45 // 100], rows[len(rows) * 85 // 100:]
    if len(early) < 3 or len(late) < 3:
        print(f"{name}: too few samples: {len(rows)}")
        sys.exit(2)
    kib, fds = ([min(row[i] for row in window) for window in (early, late)] for i in (0, 1))
    more = kib[1] - kib[0]
    verdict = ""
    if more > slack or fds[1] > fds[0] + 2:
        grown, verdict = True, "  GREW"
    print(f"{name:9} {kib[0]} KiB, then {kib[1]} KiB ({more * 1024 / (0.6 * orders):+.0f} B an order); "
          f"{fds[0]} descriptors, then {fds[1]}{verdict}")
sys.exit(grown)
