# SPDX-License-Identifier: MIT
"""Substitute for the user service and for a collector. Files in the directory: `headers`
gets the traceparent of each request to the service, `states` its tracestates, each in
brackets, `NUMBER.request` gets each body of /v1/traces. `answers` holds the answers to
these bodies, a line each: "STATUS [SECONDS]" with SECONDS for Retry-After, or "partial
COUNT"; after the last line the answer is 200. Prints its port."""
import http.server, os, sys, threading

directory = sys.argv[1]
lock = threading.Lock()
count = 0


class Peer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_PUT(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with lock, open(f"{directory}/headers", "a") as f:
            f.write(f"{self.path} {self.headers.get('traceparent')}\n")
            with open(f"{directory}/states", "w") as states:
                states.write("".join(f"[{s}]" for s in self.headers.get_all("tracestate", [])) + "\n")
        self.answer(200, b"{}")

    def do_POST(self):
        global count
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with lock:
            count += 1
            with open(f"{directory}/{count:04d}.part", "wb") as f:
                f.write(body)
            os.rename(f"{directory}/{count:04d}.part", f"{directory}/{count:04d}.request")
            try:
                lines = open(f"{directory}/answers").read().split("\n")
            except FileNotFoundError:
                lines = [""]
            words = lines.pop(0).split()
            with open(f"{directory}/answers", "w") as f:
                f.write("\n".join(lines))
        if words[:1] == ["partial"]:
            return self.answer(200, bytes([10, 2, 8, int(words[1])]))
        self.answer(int(words[0]) if words else 200, b"", words[1:])

    def answer(self, status, body, after=()):
        self.send_response(status)
        self.send_header("Content-Type", "application/x-protobuf")
        for seconds in after:
            self.send_header("Retry-After", seconds)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Peer)
print(server.server_address[1], flush=True)
server.serve_forever()
