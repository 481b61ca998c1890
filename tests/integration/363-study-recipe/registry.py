# SPDX-License-Identifier: MIT
"""A registry (distribution-spec 1.1, pull) with a substitute for every image in argv[2:],
"NAME:TAG" each. Writes `port`, and `digests` with lines "NAME:TAG sha256:...", into the
directory argv[1]. If that has a file `moved`, the tags name other images."""
import gzip, hashlib, http.server, io, json, os, re, sys, tarfile

root, images = sys.argv[1], sys.argv[2:]
blobs, tags = {}, {}


def blob(data):
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    blobs[digest] = data
    return digest


def image(text):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as t:
        entry = tarfile.TarInfo("stand-in")
        entry.size = len(text)
        t.addfile(entry, io.BytesIO(text))
    layer = gzip.compress(raw.getvalue(), mtime=0)
    config = json.dumps({"os": "linux", "architecture": "amd64", "config": {"Cmd": ["/stand-in"]},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(raw.getvalue()).hexdigest()]}}).encode()
    kind = "application/vnd.oci.image."
    manifest = json.dumps({"schemaVersion": 2, "mediaType": kind + "manifest.v1+json",
        "config": {"mediaType": kind + "config.v1+json", "digest": blob(config), "size": len(config)},
        "layers": [{"mediaType": kind + "layer.v1.tar+gzip", "digest": blob(layer), "size": len(layer)}]}).encode()
    # Real tags name an index of several platforms.
    index = json.dumps({"schemaVersion": 2, "mediaType": kind + "index.v1+json", "manifests": [
        {"mediaType": kind + "manifest.v1+json", "digest": "sha256:" + "7" * 64, "size": 1,
         "platform": {"os": "linux", "architecture": "arm64"}},
        {"mediaType": kind + "manifest.v1+json", "digest": blob(manifest), "size": len(manifest),
         "platform": {"os": "linux", "architecture": "amd64"}}]}).encode()
    return blob(index), blob(manifest)


with open(f"{root}/digests", "w") as f:
    for name in images:
        tags[name] = [image(name.encode()), image(b"later " + name.encode())]
        print(name, tags[name][0][1], tags[name][1][1], file=f)


class Registry(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        if self.path == "/v2/":
            return self.answer(200, b"{}", "application/json")
        m = re.fullmatch(r"/v2/(.+)/(manifests|blobs)/([\w.:-]+)", self.path)
        digest = m and m[3]
        if m and f"{m[1]}:{m[3]}" in tags:
            digest = tags[f"{m[1]}:{m[3]}"][os.path.exists(f"{root}/moved")][0]
        data = blobs.get(digest)
        if data is None:
            return self.answer(404, b'{"errors":[]}', "application/json")
        self.answer(200, data, json.loads(data)["mediaType"] if m[2] == "manifests" else "application/octet-stream")

    def answer(self, status, data, kind):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
with open(f"{root}/port.new", "w") as f:
    f.write(str(server.server_address[1]))
os.rename(f"{root}/port.new", f"{root}/port")
server.serve_forever()
