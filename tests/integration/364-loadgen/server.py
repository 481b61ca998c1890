# SPDX-License-Identifier: MIT
"""Substitute for the order service: answers at once, except for STALL_S seconds from the
STALL_AT-th request on. Prints its port. When it ends, it writes to the file argv[3] a line
per request: time of arrival (CLOCK_MONOTONIC, ns), connection, traceparent and path."""
import http.server, signal, sys, threading, time

stall_at, stall_s, path = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
lock, seen, until = threading.Lock(), [], [0.0]


class Order(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_POST(self):
        came = time.monotonic_ns()
        self.rfile.read(int(self.headers["Content-Length"]))
        with lock:
            seen.append((came, self.client_address[1], self.headers["traceparent"], self.path))
            if len(seen) == stall_at:
                until[0] = time.monotonic() + stall_s
        while time.monotonic() < until[0]:
            time.sleep(0.005)
        body = b'{"id":1}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def end(*_):
    with open(path, "w") as f:
        for row in seen:
            print(*row, file=f)
    sys.exit(0)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Order)
server.daemon_threads = True
signal.signal(signal.SIGTERM, end)
print(server.server_address[1], flush=True)
server.serve_forever()
