# SPDX-License-Identifier: MIT
"""stall.py FILE RATE STALL_MS [COLUMN]: whether the latencies of a load.csv show a
stall of the server as every request that was due during it would have met it. Half of
the stall is left for a request that is due in its middle, so RATE x STALL_MS / 2 of
them took at least that long; two thirds of this number are demanded. COLUMN is
latency_ns unless given."""
import csv, sys

rows = list(csv.DictReader(open(sys.argv[1])))
rate, stall_ms = int(sys.argv[2]), int(sys.argv[3])
column = sys.argv[4] if len(sys.argv) > 4 else "latency_ns"
demanded = rate * stall_ms / 1000 / 2 * 2 / 3
show = sum(int(r[column]) >= stall_ms * 1_000_000 / 2 for r in rows)
print(f"{show} requests show the stall by their {column}, {demanded:.0f} are demanded")
sys.exit(show < demanded)
