# SPDX-License-Identifier: MIT
"""Stand-ins for the hosts of a campaign: an agent each, the load generator's work
and a service with counters of spans. Each can misbehave on purpose: see Host.bad
and Load."""
import base64, hashlib, http.client, http.server, json, socketserver, threading, time, uuid


def field(number, data):
    size, n = b"", len(data)
    while n > 127:
        size, n = size + bytes([n & 127 | 128]), n >> 7
    return bytes([number << 3 | 2]) + size + bytes([n]) + data


def spans(trace, ids):
    """An ExportTraceServiceRequest."""
    body = b"".join(
        field(2, field(1, trace) + field(2, i.to_bytes(8, "big")) + field(5, b"task") + field(9, b""))
        for i in ids)
    return field(1, field(2, body))


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    allow_reuse_address = True


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, value, kind="application/json"):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.server.owner.get(self)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.owner.post(self, body)


def serve(owner, address, port):
    server = Server((address, port), Handler)
    server.owner = owner
    threading.Thread(target=server.serve_forever, daemon=True).start()


class Service:
    """/metrics of the order service."""

    def __init__(self, address, port):
        self.ended = self.exported = self.dropped = 0
        self.away = False
        serve(self, address, port)

    def get(self, request):
        if self.away:
            request.answer(503, {})
            return
        request.answer(200, (
            "# TYPE mkvbench_spans_total counter\n" + "".join(
                f'mkvbench_spans_total{{state="{k}"}} {getattr(self, k)}\n'
                for k in ("ended", "exported", "dropped"))).encode(), "text/plain; version=0.0.4")


class Load:
    """How a load goes; the default is a good one."""

    def __init__(self, **how):
        self.fails = 0            # requests answered 500
        self.cut = 0              # rows that load.csv lacks
        self.lost = 0             # spans counted as exported, and not stored
        self.dropped = 0          # spans dropped by the service
        self.held = False         # the service's last spans are never exported
        self.twice = False        # batches are stored twice
        self.late_ns = 20000
        self.achieved = None      # rate
        self.blocked = 0
        self.interrupted = False
        self.stalls = False       # no progress, no end
        self.crashes = False      # ends without results
        self.restarts = False     # the service is restarted in the middle
        self.middle = None        # called in the middle
        self.__dict__.update(how)


class Host:
    def __init__(self, name, address, port, contract, world):
        self.name, self.contract, self.world = name, contract, world
        self.boot = str(uuid.uuid4())
        self.receipt = "pass"
        self.silent = False
        self.clock_ns = 0
        self.bad = {}             # step -> error; "refuse-STEP" -> (status, message)
        self.corrupt = None       # a file's name: sent with another content
        self.extra = {}           # files that the agent lists as well
        self.sequence = 0
        self.commands = []
        self.run = self.attempt = self.step = None
        self.state, self.error, self.progress = "idle", None, None
        self.files = {}
        self.stop = threading.Event()
        serve(self, address, port)

    def reboot(self):
        self.boot, self.sequence = str(uuid.uuid4()), 0
        self.stop.set()
        self.run = self.attempt = self.step = self.progress = None
        self.state, self.error = "idle", None

    def get(self, request):
        if self.silent:
            time.sleep(30)
            return
        if request.path == "/v1/state":
            request.answer(200, {
                "host": self.name, "contract_sha256": self.contract, "boot_id": self.boot,
                "receipt": self.receipt, "run": self.run, "attempt": self.attempt,
                "step": self.step, "step_state": self.state, "error": self.error,
                "detail": None, "progress": self.progress, "sequence": self.sequence,
                "realtime_ns": time.time_ns() + self.clock_ns})
        elif request.path == "/v1/files":
            request.answer(200, {"files": [
                {"name": n, "size": len(d), "sha256": hashlib.sha256(d).hexdigest()}
                for n, d in sorted(self.files.items())]})
        else:
            name = sorted(self.files)[int(request.path.rsplit("/", 1)[1])]
            data = self.files[name]
            request.answer(200, data[:-1] + b"?" if name == self.corrupt else data)

    def post(self, request, body):
        if self.silent:
            time.sleep(30)
            return
        payload = json.loads(body)["dsseEnvelope"]["payload"]
        command = json.loads(base64.b64decode(payload))["predicate"]
        step = command["step"]
        refuse = self.bad.get("refuse-" + step)
        if not refuse and command["sequence"] <= self.sequence:
            refuse = (409, "sequence is not larger than the last")
        if not refuse and command["boots"].get(self.name) != self.boot:
            refuse = (403, "another boot")
        if refuse:
            request.answer(refuse[0], {"error": {"code": "refused", "message": refuse[1]}})
            return
        self.sequence = command["sequence"]
        self.commands.append((command["run"], command["attempt"], step))
        if step == "abort":
            self.stop.set()
        self.run, self.attempt, self.step = command["run"], command["attempt"], step
        self.state, self.error = "working", None
        # Accepted before it is answered: an answer may be lost.
        threading.Thread(target=self.work, args=(command,), daemon=True).start()
        if self.bad.get("deaf-" + step):
            request.close_connection = True
            return
        request.answer(202, {"accepted": True, "run": self.run, "attempt": self.attempt, "step": step})

    def work(self, command):
        step, error = command["step"], self.bad.get(command["step"])
        if step == "prepare":
            self.stop.clear()
            self.progress = None
            self.files = dict(self.extra)
            if self.name == "order":  # its service is restarted
                self.world.service.__dict__.update(ended=0, exported=0, dropped=0)
            self.files["before/receipt.json"] = b'{"result":"pass","when":"before"}\n'
        if step == "load" and self.name == "loadgen" and not error:
            error = self.load(command)
        if step == "finish":
            self.files["after/receipt.json"] = b'{"result":"pass","when":"after"}\n'
        time.sleep(0.05)
        if self.step == step:
            self.error, self.state = error, "failed" if error else "done"

    def report(self, phase, sent, total):
        self.progress = {"phase": phase, "sent": sent, "answered": sent, "failed": 0, "total": total,
                         "rate_achieved": "40", "latency_ns": {"p50": 1, "p99": 2},
                         "late_ns": {"p99": 1, "max": 2}, "connections": 2}

    def load(self, command):
        how, load = self.world.load, command["load"]
        total = load["warm_up"] + load["measured"]
        began, measured, rows = time.time_ns(), 0, []
        for n in range(total):
            if self.stop.wait(1 / load["rate"]):
                break
            if n == load["warm_up"]:
                measured = time.time_ns()
            while how.stalls and not self.stop.wait(0.05):
                pass
            if n == total // 2 and how.middle:
                how.middle()
            if n == total // 2 and how.restarts:
                self.world.service.__dict__.update(ended=0, exported=0, dropped=0)
            self.world.request(n, how, command["tracing"])
            status = 500 if n < how.fails else 200
            rows.append(f"{n},{'warm-up' if n < load['warm_up'] else 'measured'},{n},{n},{how.late_ns},"
                        f"1000,900,{status},0,0,{self.world.trace.hex()},{n}\n")
            self.report("warm-up" if n < load["warm_up"] else "measured", n + 1, total)
        if how.crashes:
            return "mkvbench-loadgen.service failed: signal 11"
        header = "request,phase,intended_ns,sent_ns,late_ns,latency_ns,service_ns,status,connection,blocked,trace_id,order\n"
        self.files["load/load.csv"] = (header + "".join(rows[:len(rows) - how.cut])).encode()
        self.files["load/summary.json"] = json.dumps({
            "requests": load["measured"], "blocked": how.blocked, "late_ns": {"p50": 1, "p99": how.late_ns, "max": how.late_ns},
            "rate_asked": str(load["rate"]), "rate_achieved": how.achieved or str(load["rate"]),
            "began_realtime_ns": began, "measured_began_realtime_ns": measured,
            "ended_realtime_ns": time.time_ns(), "interrupted": how.interrupted or self.stop.is_set(),
            "spans": {"ended": len(rows), "exported": len(rows), "dropped": 0}}).encode()
        self.report("done", len(rows), total)
        return "mkvbench-loadgen.service failed: status 1" if how.fails else None


class World:
    """All hosts, and the way of spans to the collector."""

    def __init__(self, addresses, agent_port, service_port, collector_port, contract):
        self.collector_port = collector_port
        self.load = Load()
        self.trace, self.next = b"T" * 16, 1
        self.service = Service(addresses["order"], service_port)
        self.hosts = {n: Host(n, a, agent_port, contract, self) for n, a in addresses.items()}

    def boots(self):
        return {n: h.boot for n, h in self.hosts.items()}

    def store(self, ids):
        c = http.client.HTTPConnection("127.0.0.1", self.collector_port, timeout=5)
        try:
            c.request("POST", "/v1/traces", spans(self.trace, ids), {"Content-Type": "application/x-protobuf"})
            return c.getresponse().status == 200
        except OSError:
            return False
        finally:
            c.close()

    def request(self, n, how, tracing):
        """A request has one span of the load generator and two of the service."""
        ids = list(range(self.next, self.next + 3))
        self.next += 3
        service = self.service
        service.ended += 2
        if tracing == "off":
            return
        if tracing == "file":
            service.exported += 2
            return
        if how.dropped > n:
            service.dropped += 2
            self.store(ids[:1])
        elif how.held and n > 40:
            self.store(ids[:1])
        elif how.lost > n:
            service.exported += 2
            self.store(ids[:1])
        elif self.store(ids):
            service.exported += 2
            if how.twice:
                self.store(ids)
