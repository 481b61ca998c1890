#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whether the spans that a collector kept are whole traces of orders.

    check_trace.py [--outside] [--bound-us N] TRACES.pb MANIFEST.json ORDERS

TRACES.pb holds OTLP requests (opentelemetry/proto/collector/trace/v1), each after
its length as a varint; MANIFEST.json is the appliance's. Every one of ORDERS orders
must be one trace with exactly the spans of the application, each under its parent,
on its host and of its kind. Where a call crosses hosts, the server's span may exceed
the client's by no more than the promised error of both clocks: twice --bound-us, by
default twice the contract's limit. --outside: the orders came from a caller that is
not traced, not from the load generator. Prints each violation; status 1 if there is
one. The parser of the wire format shares no code with the exporter or the collector.
"""
import argparse
import collections
import json
import struct
import sys

INTERNAL, SERVER, CLIENT = 1, 2, 3
KINDS = {INTERNAL: "internal", SERVER: "server", CLIENT: "client"}

# (service, name, kind, child spans)
USER_UPDATE = [("user", "SELECT users", CLIENT, []), ("user", "UPDATE users", CLIENT, [])]
ORDER = ("loadgen", "POST order", CLIENT, [
    ("order", "POST /orders/create/id/{id}", SERVER, [
        ("order", "LargeFileTask.write", INTERNAL, []),
        ("order", "LargeFileTask.read", INTERNAL, []),
        ("order", "SmallFileTask.run", INTERNAL, []),
        ("order", "GET user", CLIENT, [
            ("user", "GET /users/{id}", SERVER, [
                ("user", "SELECT users", CLIENT, []),
                ("user", "LinpackBenchmark1", INTERNAL, [])])]),
        ("order", "GET payment", CLIENT, [
            ("payment", "GET /payment/transfer/id/{id}/amount/{amount}", SERVER, [
                ("payment", "SleepTask", INTERNAL, []),
                ("payment", "LinpackBenchmark2", INTERNAL, []),
                ("payment", "PUT user", CLIENT, [
                    ("user", "PUT /users/{id}", SERVER, USER_UPDATE)])])]),
        ("order", "PUT user", CLIENT, [
            ("user", "PUT /users/{id}", SERVER, USER_UPDATE)]),
        ("order", "INSERT orders", CLIENT, [])])])


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at
        if shift > 63:
            raise ValueError("a varint is too long")


def fields(data):
    """(number, value) of every field of a message."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = varint(data, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
            value, at = data[at:at + size], at + size
        elif wire == 2:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
        else:
            raise ValueError(f"wire type {wire}")
        if at > len(data):
            raise ValueError("a field exceeds the message")
        yield number, value


def all_values(data, number):
    return [value for n, value in fields(data) if n == number]


def first(data, number, absent=b""):
    return next(iter(all_values(data, number)), absent)


Span = collections.namedtuple(
    "Span", "trace id parent name kind start end error service host")


def attributes(message, number):
    found = {}
    for pair in all_values(message, number):
        found[first(pair, 1).decode()] = first(first(pair, 2), 1)
    return found


def read_spans(path):
    data, at, spans = open(path, "rb").read(), 0, []
    while at < len(data):
        size, at = varint(data, at)
        if at + size > len(data):
            raise ValueError("the file ends within a request")
        request, at = data[at:at + size], at + size
        for resource_spans in all_values(request, 1):
            names = attributes(first(resource_spans, 1), 1)
            for scope in all_values(resource_spans, 2):
                for s in all_values(scope, 2):
                    spans.append(Span(
                        first(s, 1).hex(), first(s, 2).hex(), first(s, 4).hex(),
                        first(s, 5).decode(), first(s, 6, 0),
                        struct.unpack("<Q", first(s, 7))[0],
                        struct.unpack("<Q", first(s, 8))[0],
                        first(first(s, 15), 3, 0) == 2,
                        names.get("service.name", b"").decode(),
                        names.get("host.name", b"").decode()))
    return spans


class Check:
    def __init__(self, slack_ns, hosts):
        self.slack_ns, self.hosts = slack_ns, hosts
        self.wrong, self.worst_ns, self.calls = [], 0, 0

    def report(self, text):
        self.wrong.append(text)

    def check_times(self, parent, span):
        over = max(parent.start - span.start, span.end - parent.end, 0)
        if parent.host != span.host:
            self.calls += 1
            self.worst_ns = max(self.worst_ns, over)
        if over > self.slack_ns:
            self.report(f"'{span.name}' on {span.host} lies {over / 1000:.0f} us outside of "
                     f"'{parent.name}' on {parent.host}")

    def check_span(self, span, expected, children):
        service, name, kind, inner = expected
        where = f"'{name}' of {service}"
        if span.kind != kind:
            self.report(f"{where} is of kind {KINDS.get(span.kind, span.kind)}, not {KINDS[kind]}")
        if span.host != self.hosts.get(service):
            self.report(f"{where} ran on '{span.host}', not '{self.hosts.get(service)}'")
        if span.error:
            self.report(f"{where} has the status error")
        if span.end < span.start:
            self.report(f"{where} ends before it begins")
        left = list(children.get(span.id, []))
        for want in inner:
            match = [s for s in left if (s.service, s.name) == want[:2]]
            if not match:
                self.report(f"{where} has no '{want[1]}' of {want[0]} under it")
                continue
            left.remove(match[0])
            self.check_times(span, match[0])
            self.check_span(match[0], want, children)
        for other in left:
            self.report(f"{where} has '{other.name}' of {other.service} under it")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--outside", action="store_true")
    parser.add_argument("--bound-us", type=float)
    parser.add_argument("traces")
    parser.add_argument("manifest")
    parser.add_argument("orders", type=int)
    args = parser.parse_args()
    path, orders = args.traces, args.orders
    order = ORDER[3][0] if args.outside else ORDER
    contract = json.load(open(args.manifest))["contract"]
    limit_ns = int(args.bound_us * 1000) if args.bound_us else contract["clock"]["limit_ns"]
    hosts = {h.get("role", name): name for name, h in contract["hosts"].items()}
    check = Check(2 * limit_ns, hosts)
    traces = collections.defaultdict(list)
    ids = collections.Counter()
    for span in read_spans(path):
        traces[span.trace].append(span)
        ids[span.id] += 1
    for span_id, count in ids.items():
        if count > 1:
            check.report(f"span {span_id} was kept {count} times")
    if len(traces) != orders:
        check.report(f"{len(traces)} traces, not {orders}")
    for trace, spans in traces.items():
        known = {s.id for s in spans}
        children = collections.defaultdict(list)
        for span in sorted(spans, key=lambda s: s.start):
            children[span.parent].append(span)
        roots = [s for s in spans if not s.parent]
        for span in spans:
            if span.parent and span.parent not in known:
                check.report(f"'{span.name}' of {span.service} has a missing parent")
        if len(roots) != 1 or (roots[0].service, roots[0].name) != order[:2]:
            check.report(f"trace {trace} begins with {[r.name for r in roots]}, not '{order[1]}'")
        else:
            check.check_span(roots[0], order, children)
    total = sum(len(spans) for spans in traces.values())
    print(f"{len(traces)} traces, {total} spans of {len({s.host for t in traces.values() for s in t})} hosts; "
          f"{check.calls} calls between hosts, the worst {check.worst_ns / 1000:.1f} us outside of its "
          f"client's span, {2 * limit_ns / 1000:.0f} us promised")
    for line in check.wrong:
        print(f"wrong: {line}")
    return 1 if check.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
