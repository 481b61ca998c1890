#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""make_uki.py OUT COMMAND-LINE RELEASE KERNEL INITRAMFS: writes a PE file with the
sections of a unified kernel image but without code."""
import struct, sys

out, line, release, kernel, initramfs = sys.argv[1:]
sections = [(b".cmdline", line.encode() + b"\0"), (b".uname", release.encode()),
            (b".linux", open(kernel, "rb").read()), (b".initrd", open(initramfs, "rb").read())]
head = b"MZ" + bytes(58) + struct.pack("<I", 64)
head += b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, len(sections), 0, 0, 0, 0, 0)
at, table, body = 1024, b"", b""
for name, data in sections:
    size = -(-len(data) // 512) * 512
    table += name.ljust(8, b"\0") + struct.pack("<IIIIIIHHI", len(data), at, size, at,
                                                 0, 0, 0, 0, 0)
    body += data.ljust(size, b"\0")
    at += size
with open(out, "wb") as f:
    f.write((head + table).ljust(1024, b"\0") + body)
