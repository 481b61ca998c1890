# SPDX-License-Identifier: MIT
"""A registry (distribution-spec 1.1, pull) of one repository, "team/app", from a
directory: tags/TAG holds a digest, blobs/HEX manifests and blobs. Prints its port.
If the directory has a file `lie`, the registry answers every digest with the tag's
manifest. A file `cut` holds the number of requests for manifests whose connection is
closed instead of an answer."""
import http.server, json, os, re, sys

root = sys.argv[1]


class Registry(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        if self.path == "/v2/":
            return self.answer(b"{}", "application/json")
        m = re.fullmatch(r"/v2/team/app/(manifests|blobs)/([\w.:-]+)", self.path)
        name = m and m[2]
        if m and m[1] == "manifests" and self.is_cut():
            self.close_connection = True
            return
        if m and os.path.exists(f"{root}/tags/{name}"):
            name = open(f"{root}/tags/{name}").read().strip()
        elif m and m[1] == "manifests" and os.path.exists(f"{root}/lie"):
            name = open(f"{root}/tags/1.0").read().strip()
        try:
            data = open(f"{root}/blobs/{name.split(':')[1]}", "rb").read()
        except (AttributeError, IndexError, OSError):
            return self.answer(b'{"errors":[]}', "application/json", 404)
        kind = "application/octet-stream"
        if m[1] == "manifests":
            kind = json.loads(data)["mediaType"]
        self.answer(data, kind)

    def is_cut(self):
        try:
            count = int(open(f"{root}/cut").read())
        except OSError:
            return False
        with open(f"{root}/cut", "w") as f:
            f.write(str(max(count - 1, 0)))
        return count > 0

    def answer(self, data, kind, status=200):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
print(server.server_address[1], flush=True)
server.serve_forever()
