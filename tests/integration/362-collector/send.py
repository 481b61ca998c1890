# SPDX-License-Identifier: MIT
"""send.py PORT FROM COUNT FILE: sends spans with ids FROM, FROM + 1, ... by four threads
and writes the ids of those that were answered 200 to FILE. Stops when the collector
exits or answers 503."""
import http.client, sys, threading

port, first, count = map(int, sys.argv[1:4])
taken, lock, statuses = [], threading.Lock(), set()


def field(number, data):
    assert len(data) < 16384
    size = bytes([len(data)]) if len(data) < 128 else bytes([len(data) & 127 | 128, len(data) >> 7])
    return bytes([number << 3 | 2]) + size + data


def send(thread):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    for i in range(first + thread, first + count, 4):
        span = field(1, b"t" * 16) + field(2, i.to_bytes(8, "big")) + field(5, b"x" * 9000)
        body = field(1, field(2, field(2, span)))
        try:
            c.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf"})
            r = c.getresponse()
            r.read()
        except (OSError, http.client.HTTPException):
            return
        with lock:
            statuses.add(r.status)
            if r.status == 200:
                taken.append(i)
        if r.status != 200:
            return


threads = [threading.Thread(target=send, args=(i,)) for i in range(4)]
for t in threads: t.start()
for t in threads: t.join()
with open(sys.argv[4], "a") as f:
    f.writelines(f"{i}\n" for i in taken)
print(len(taken), *sorted(statuses - {200}))
