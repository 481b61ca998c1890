# SPDX-License-Identifier: MIT
"""kept.py FILE...: prints the ids of the spans of send.py that are in files of delimited
messages; fails if a message is incomplete."""
import re, sys

for path in sys.argv[1:]:
    data, at = open(path, "rb").read(), 0
    while at < len(data):
        size = shift = 0
        while True:
            byte = data[at]
            at += 1
            size |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        message = data[at:at + size]
        assert size and len(message) == size, f"{path}: cut at {at}"
        at += size
        for m in re.finditer(rb"t{16}\x12\x08(.{8})\x2a", message, re.S):
            print(int.from_bytes(m[1], "big"))
