"""Compares the verifier's results in the guests with the true offsets.

    judge.py HISTORY LIMIT_MS AT_LEAST <measurements

A measurement is a list of two probes of the guest's clock, before and after, and the
verifier's receipt. HISTORY has two lines for each offset of the server: the time just
before and just after it was set. All times are of the host's clock.
"""
import json
import sys

history = [tuple(map(int, line.split())) for line in open(sys.argv[1])]
limit, at_least = float(sys.argv[2]) * 1e-3, int(sys.argv[3])
GRAIN = 1e-6
WIDEST_PROBE = 200e-6
CALM = 100e-6  # by how much the clock may change during a query of the server


def offsets(start, end):
    """Every offset that the server may have had between two times."""
    changes = list(zip(history[0::2], history[1::2]))
    found = set()
    for i, ((since, offset), _) in enumerate(changes):
        until = changes[i + 1][1][0] if i + 1 < len(changes) else end + 1
        if since <= end and until >= start:
            found.add(offset)
    return found


def truths(probes, offset):
    """Range of the server's clock minus the guest's, in seconds."""
    lows = [(p[1] + offset - p[2]) * 1e-9 for p in probes]
    highs = [(p[1] + offset + p[2]) * 1e-9 for p in probes]
    return min(lows), max(highs)


def nearest(low, high):
    """The smallest absolute value in a range of true offsets."""
    return 0 if low <= 0 <= high else min(abs(low), abs(high))


asked = bounds = calm = exchanges = passed = over = 0
wrong = []
for line in sys.stdin:
    try:
        *probes, receipt = json.loads(line)
        probes = [(at, offset, half) for at, offset, half in
                  (map(int, p.split()) for p in probes)]
        figures = receipt["figures"]
        clock = next(c for c in receipt["checks"] if c["name"] == "clock")
        bound = figures["clock_bound_s"]
    except (ValueError, KeyError):
        continue  # cut off, unanswered, or before chronyd knew anything
    possible = [truths(probes, o) for o in offsets(probes[0][0] - probes[0][2],
                                                   probes[1][0] + probes[1][2])]
    least = min(nearest(*truth) for truth in possible)
    is_pass = clock["result"] == "pass"
    passed += is_pass
    over += least > limit
    if is_pass and least > limit + GRAIN:
        wrong.append((possible, figures, "passed"))
    if len(possible) > 1 or max(p[2] for p in probes) > WIDEST_PROBE * 1e9:
        continue  # the range of the true offset is too wide
    asked += 1
    low, high = possible[0]
    held = bound + GRAIN >= least
    bounds += held
    if not held:
        wrong.append((possible, figures, "not held"))
    if high - low > CALM + WIDEST_PROBE:
        continue  # chronyd corrected the clock during the measurement
    calm += 1
    offset, half = figures["sntp_offset_s"], figures["sntp_delay_s"] / 2 + GRAIN
    held = offset + half >= low and offset - half <= high
    exchanges += held
    if not held:
        wrong.append((possible, figures, "exchange"))
print(f"{asked} measurements: {bounds} bounds contain the true offset; of {calm} with a "
      f"calm clock {exchanges} exchanges do; {over} over the limit; {passed} pass")
print(*wrong, sep="\n")
assert asked >= at_least, "too few measurements where the truth is known"
assert bounds >= 0.99 * asked and exchanges >= 0.99 * calm
assert not any(w[2] == "passed" for w in wrong)
assert over > 0 and passed > 0, "nothing was shown"
