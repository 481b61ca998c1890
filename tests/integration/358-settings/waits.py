# SPDX-License-Identifier: MIT
"""waits.py DEFAULTS RECIPE DOCS: checks that the timeout of every caller exceeds the time
that its peer may queue and work, with the DEFAULTS (lines "PROGRAM NAME DEFAULT ...") and
with the settings of RECIPE; and that the table of DOCS has the numbers of the defaults."""
import sys, yaml

defaults = {}
for line in open(sys.argv[1]):
    program, name, value = line.split("\t")[:3]
    defaults[program, name] = value
recipe = dict(defaults)
for program, settings in yaml.safe_load(open(sys.argv[2]))["services"].items():
    for name, value in settings.items():
        recipe[program, name.upper()] = str(value)


def rows(s):
    """Program, the parts of its longest time, and its callers."""
    n = lambda program, name: int(s[program, name])
    yield "user", (n("user", "QUEUE_MS"), 2, n("user", "DB_TIMEOUT_MS")), ("payment", "order")
    yield "payment", (n("payment", "QUEUE_MS"), n("payment", "PEER_TIMEOUT_MS")), ("order",)
    yield "order", (n("order", "QUEUE_MS"), 3, n("order", "PEER_TIMEOUT_MS"), n("order", "DB_TIMEOUT_MS")), ("loadgen",)


def longest(parts):
    return parts[0] + parts[1] * parts[2] + sum(parts[3:]) if len(parts) > 2 else sum(parts)


wrong = []
for what, settings in (("the defaults", defaults), ("the recipe", recipe)):
    for program, parts, callers in rows(settings):
        for caller in callers:
            waits = int(settings[caller, "PEER_TIMEOUT_MS"])
            if waits <= longest(parts):
                wrong.append(f"{what}: {caller} waits {waits} ms for {program}, which may take {longest(parts)}")
docs = open(sys.argv[3]).read()
for program, parts, callers in rows(defaults):
    sums = " + ".join(map(str, parts)) if len(parts) == 2 else f"{parts[0]} + {parts[1]} x {parts[2]}" + "".join(f" + {p}" for p in parts[3:])
    waits = ", ".join(f"{caller} {defaults[caller, 'PEER_TIMEOUT_MS']}" for caller in callers)
    row = f"| {program} | {sums} = {longest(parts)}"
    if not any(line.startswith(row) and line.endswith(f"| {waits} |") for line in docs.splitlines()):
        wrong.append(f"{sys.argv[3]} has no row '{row} ... | {waits} |'")
print(*wrong, sep="\n")
sys.exit(bool(wrong))
