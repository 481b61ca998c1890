# SPDX-License-Identifier: MIT
"""hostile.py PORT: sends hostile bodies, each of which must get its status; after each
the collector must accept a good body."""
import gzip, http.client, json, socket, sys, threading, zlib

port = int(sys.argv[1])
PB, JSON = "application/x-protobuf", "application/json"


def post(body, kind=PB, **headers):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    named = {k.replace("_", "-"): v for k, v in headers.items()}
    c.request("POST", "/v1/traces", body, {"Content-Type": kind, **named})
    r = c.getresponse()
    answer = r.read()
    c.close()
    return r.status, r.getheader("Content-Type"), answer


def field(number, data):
    size, out = len(data), bytearray([number << 3 | 2])
    while size > 127:
        out.append(size & 127 | 128)
        size >>= 7
    return bytes(out + bytes([size])) + data


def request(span):
    return field(1, field(2, field(2, span)))


def attribute(value):
    return request(ids + field(9, field(1, b"k") + field(2, value)))


ids = field(1, b"t" * 16) + field(2, b"s" * 8)
good = request(ids)
deep = b""
for _ in range(5000):
    deep = field(5, field(1, deep))
span = {"traceId": "74" * 16, "spanId": "73" * 8}


def document(**more):
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [{**span, **more}]}]}]}).encode()


zipped = gzip.compress(good)
table = [  # description, status, body, further arguments
    ("good", 200, good, {}),
    ("nothing", 200, b"", {}),
    ("unknown fields", 200, good + field(15, b"later"), {}),
    ("gzip", 200, zipped, {"Content_Encoding": "gzip"}),
    ("identity", 200, good, {"Content_Encoding": "identity"}),
    ("two gzip members", 200, zipped + gzip.compress(good), {"Content_Encoding": "gzip"}),
    ("cut gzip", 400, zipped[:-9], {"Content_Encoding": "gzip"}),
    ("gzip with a wrong sum", 400, zipped[:-8] + bytes(8), {"Content_Encoding": "gzip"}),
    ("not gzip", 400, good, {"Content_Encoding": "gzip"}),
    ("zlib", 400, zlib.compress(good), {"Content_Encoding": "gzip"}),
    ("a gzip bomb", 413, gzip.compress(bytes(300 << 20)), {"Content_Encoding": "gzip"}),
    ("an encoding we don't know", 415, good, {"Content_Encoding": "br"}),
    ("two encodings", 415, zipped, {"Content_Encoding": "gzip, gzip"}),
    ("a type we don't know", 415, good, {"kind": "text/plain"}),
    ("no type", 415, good, {"kind": ""}),
    ("JSON called protobuf", 400, document(), {}),
    ("protobuf called JSON", 400, good, {"kind": JSON}),
    ("a cut message", 400, good[:-1], {}),
    ("a length beyond the end", 400, b"\x0a\xff\xff\xff\xff\x0f", {}),
    ("an endless varint", 400, b"\x08" + b"\xff" * 20, {}),
    ("field 0", 400, b"\x02\x00", {}),
    ("a group", 400, b"\x7b\x7c", {}),
    ("a span where text is", 400, request(ids + b"\x28\x01"), {}),
    ("text that isn't UTF-8", 400, request(ids + field(5, b"\xc3")), {}),
    ("no ids", 400, request(b""), {}),
    ("ids of zeros", 400, request(field(1, bytes(16)) + field(2, b"s" * 8)), {}),
    ("a short id", 400, request(field(1, b"t" * 15) + field(2, b"s" * 8)), {}),
    ("a short parent", 400, request(ids + field(4, b"p")), {}),
    ("values in values", 200, attribute(field(5, field(1, field(5, b"")))), {}),
    ("5,000 deep", 400, attribute(deep), {}),
    ("too large", 413, b"\x0a" * (17 << 20), {}),
    ("JSON", 200, document(name="ü", kind=2, startTimeUnixNano="1", endTimeUnixNano="18446744073709551615"), {"kind": JSON}),
    ("JSON with a parameter", 200, document(), {"kind": JSON + "; charset=utf-8"}),
    ("JSON over lines", 200, b'{\n"resourceSpans":\n[]}', {"kind": JSON}),
    ("JSON with what comes later", 200, document(later=[{}]), {"kind": JSON}),
    ("JSON, kind as a word", 400, document(kind="SPAN_KIND_SERVER"), {"kind": JSON}),
    ("JSON, time as a fraction", 400, document(startTimeUnixNano=1.5), {"kind": JSON}),
    ("JSON, time too large", 400, document(startTimeUnixNano="18446744073709551616"), {"kind": JSON}),
    ("JSON, negative time", 400, document(startTimeUnixNano="-1"), {"kind": JSON}),
    ("JSON, id in base64", 400, document(spanId="c3Nzc3Nzc3M="), {"kind": JSON}),
    ("JSON, no array", 400, b'{"resourceSpans": {}}', {"kind": JSON}),
    ("JSON array", 400, b"[]", {"kind": JSON}),
    ("JSON, not UTF-8", 400, b'{"a\xff": 1}', {"kind": JSON}),
    ("JSON, 5,000 deep", 400, b'{"a":' * 5000 + b"1" + b"}" * 5000, {"kind": JSON}),
    ("JSON that grows", 200, b'{"a":[' + b"{}," * ((4 << 20) // 3 - 8) + b"{}]}", {"kind": JSON}),
    ("JSON, too large", 413, b'{"a":"' + b" " * (4 << 20) + b'"}', {"kind": JSON}),
]
for what, wanted, body, more in table:
    status, kind, answer = post(body, **more)
    assert status == wanted, f"{what}: {status} instead of {wanted}: {answer[:200]}"
    # The answer has the request's encoding; an error is a google.rpc.Status.
    is_json = more.get("kind", PB) != PB or status == 413 and len(body) > 16 << 20
    assert kind == (JSON if is_json else PB), f"{what}: {kind}"
    if is_json:
        told = json.loads(answer)
        assert status == 200 or "message" in told or "error" in told, f"{what}: {told}"
    else:
        assert (answer == b"") == (status == 200), f"{what}: {answer}"
        assert status == 200 or answer[:2] == b"\x08\x03", f"{what}: {answer}"
    assert post(good)[0] == 200, f"after {what}"

# The memory for incomplete requests is limited: ten senders stop before the last byte.
held = []
for _ in range(10):
    s = socket.create_connection(("127.0.0.1", port))
    s.sendall(b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
              % (PB.encode(), 15 << 20))
    s.sendall(b"\x0a" * ((15 << 20) - 1))
    held.append(s)
assert post(good)[0] == 200, "small ones are held up"
for s in held:
    s.sendall(b"\x0a")
answers = [s.recv(64)[9:12] for s in held]
assert answers.count(b"503") >= 6 and answers.count(b"400") >= 3, f"bodies aren't bounded: {answers}"
for s in held:
    s.close()
assert post(good)[0] == 200, "afterwards"
print(f"{len(table)} bodies")
