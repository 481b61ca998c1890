#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A mirror on loopback that can inject faults.

    serve.py DIR PORT-FILE LOG FAULTS

FAULTS is read again for every request; a line `SUBSTRING ACTION [COUNT]` applies to
paths that contain SUBSTRING, COUNT times (default: always). ACTION is a status (404,
503), `truncate` (half of the bytes, then the connection is closed), `corrupt` (one
byte flipped), `stall` (some bytes, then nothing), `whole` (ranges are ignored),
`longer` (more bytes than the file has). LOG gets a line per request: STATUS RANGE PATH.
"""
import http.server
import os
import re
import socketserver
import sys
import threading
import time

directory, port_file, log_path, faults_path = sys.argv[1:5]
lock = threading.Lock()
used = {}


def fault_for(path):
    try:
        lines = open(faults_path).read().splitlines()
    except FileNotFoundError:
        return None
    for line in lines:
        words = line.split()
        if len(words) < 2 or words[0] not in path:
            continue
        with lock:
            if len(words) > 2 and used.get(line, 0) >= int(words[2]):
                continue
            used[line] = used.get(line, 0) + 1
        return words[1]
    return None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def note(self, status):
        with lock, open(log_path, "a") as log:
            log.write(f"{status} {self.headers.get('Range', '-')} {self.path}\n")

    def fail(self, status):
        self.note(status)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self):
        # Works as a proxy for any host: then the URI is absolute.
        self.path = re.sub("^http://[^/]*", "", self.path)
        fault = fault_for(self.path)
        path = os.path.normpath(directory + self.path)
        if fault and fault.isdigit():
            return self.fail(int(fault))
        if not path.startswith(directory + "/") or not os.path.isfile(path):
            return self.fail(404)
        data = open(path, "rb").read()
        status, total, wanted = 200, len(data), self.headers.get("Range")
        if fault == "corrupt":
            data = data[:-1] + bytes([data[-1] ^ 1])
        if fault == "longer":
            data += b"more"
        if wanted and fault != "whole":
            start = int(wanted[len("bytes="):].split("-")[0])
            if start >= total:
                return self.fail(416)
            status, data = 206, data[start:]
        self.note(status)
        self.send_response(status)
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if fault in ("truncate", "stall"):
            self.wfile.write(data[: len(data) // 2])
            self.wfile.flush()
            if fault == "stall":
                time.sleep(30)
            self.close_connection = True
            return
        try:
            self.wfile.write(data)
        except ConnectionError:
            self.close_connection = True


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


server = Server(("127.0.0.1", 0), Handler)
with open(port_file + ".new", "w") as file:
    file.write(str(server.server_port))
os.rename(port_file + ".new", port_file)
server.serve_forever()
