# SPDX-License-Identifier: MIT
"""shift.py FROM.pb TO.pb HOST MICROSECONDS: copies a file of requests, each after its
length, and adds MICROSECONDS to the times of the spans of HOST."""
import os, struct, sys

sys.path.insert(0, os.path.join(os.environ["ROOT"], "tests/tools"))
from check_trace import attributes, first, varint

source, target, host, shift_ns = *sys.argv[1:4], int(sys.argv[4]) * 1000
data = bytearray(open(source, "rb").read())


def fields(begin, end):
    """(number, begin, end) of every field; of fixed64 the eight bytes."""
    at = begin
    while at < end:
        tag, at = varint(data, at)
        wire = tag & 7
        size = {1: 8, 5: 4}.get(wire, 0)
        if wire == 2:
            size, at = varint(data, at)
        elif wire == 0:
            _, at = varint(data, at)
        yield tag >> 3, at, at + size
        at += size


at = shifted = 0
while at < len(data):
    size, at = varint(data, at)
    for _, b, e in [f for f in fields(at, at + size) if f[0] == 1]:  # resource_spans
        inner = list(fields(b, e))
        resource = next(bytes(data[b:e]) for n, b, e in inner if n == 1)
        if attributes(resource, 1).get("host.name", b"").decode() != host:
            continue
        for _, b, e in [f for f in inner if f[0] == 2]:  # scope_spans
            for _, b, e in [f for f in fields(b, e) if f[0] == 2]:  # spans
                for n, b, e in fields(b, e):
                    if n in (7, 8):  # start and end
                        data[b:e] = struct.pack("<Q", struct.unpack("<Q", data[b:e])[0] + shift_ns)
                        shifted += 1
    at += size
open(target, "wb").write(data)
sys.exit(shifted == 0)
