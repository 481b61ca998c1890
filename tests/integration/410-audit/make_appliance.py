#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""make_appliance.py DIR KEY.pub [IMAGE.json [--contract]]

Makes a small appliance without attestations: a disk and boot files (those in DIR/dut if
they exist, otherwise arbitrary bytes), an OCI layout with a layer of each type, libvirt's
definitions (by tests/tools/definitions of $BUILD) and manifest.json with a contract, in
which IMAGE.json describes the image. With --contract it only prints the contract, so that
a disk can contain it."""
import gzip, hashlib, io, json, os, subprocess, sys, tarfile, tempfile

directory, key = sys.argv[1:3]


def sha(data):
    return hashlib.sha256(data).hexdigest()


def put(path, data):
    path = os.path.join(directory, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)


def canonical(value):
    return json.dumps(value, sort_keys=True, indent=1, separators=(",", ": "),
                      ensure_ascii=False).encode() + b"\n"


def layer(name, text):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        info = tarfile.TarInfo(name)
        info.size = len(text)
        tar.addfile(info, io.BytesIO(text))
    return out.getvalue()


def blob(data):
    put("oci/blobs/sha256/" + sha(data), data)
    return {"digest": "sha256:" + sha(data), "size": len(data)}


der = subprocess.run(["openssl", "pkey", "-pubin", "-in", key, "-outform", "DER"],
                     check=True, stdout=subprocess.PIPE).stdout
if not os.path.isdir(os.path.join(directory, "dut")) and "--contract" not in sys.argv:
    put("dut/disk.raw", b"disk " * 1000)
    put("dut/boot/vmlinuz", b"kernel " * 100)
    put("dut/boot/initrd.img", b"initramfs " * 100)

plain = [layer("etc/one", b"1"), layer("etc/two", b"2"), layer("etc/three", b"3")]
zstd = subprocess.run(["zstd", "-qc"], input=plain[2], check=True, stdout=subprocess.PIPE)
packed = [("tar", plain[0]), ("tar+gzip", gzip.compress(plain[1], mtime=0)),
          ("tar+zstd", zstd.stdout)]
layers = [dict(blob(data), mediaType="application/vnd.oci.image.layer.v1." + kind)
          for kind, data in packed]
config = blob(canonical({"architecture": "amd64", "os": "linux",
                         "rootfs": {"type": "layers",
                                    "diff_ids": ["sha256:" + sha(p) for p in plain]}}))
manifest = blob(canonical({"schemaVersion": 2, "config": config, "layers": layers}))
put("oci/oci-layout", b'{"imageLayoutVersion": "1.0.0"}\n')
put("oci/index.json", canonical({"schemaVersion": 2, "manifests": [manifest]}))

image = {"platform": "guest"}
if len(sys.argv) > 3:
    with open(sys.argv[3]) as f:
        image = json.load(f)
domain = {
    "domain": "small-order", "uuid": "8752ac13-2a93-5399-8a8f-2494ff542c48",
    "firmware": "uefi", "timers": ["kvmclock"],
    "cpu": {"mode": "host-passthrough", "features": ["+topoext"], "migratable": False,
            "sockets": 1, "dies": 1, "cores": 2, "threads": 2, "caches": "passthrough",
            "pins": [0, 6, 1, 7], "others": [2, 8]},
    "memory": {"bytes": 1 << 30, "huge_page_bytes": 1 << 30},
    "disk": {"file": "/var/lib/libvirt/images/mkvbench/small/order.raw", "bus": "virtio",
             "cache": "none", "io": "native", "iothreads": 1,
             "size": 64 << 20 if len(sys.argv) > 3 else 5000},
    "nic": {"model": "virtio", "network": "mkvbench-small", "bridge": "br-vlan",
            "queues": 4},
}
contract = {
    "mkvbench_contract": 1, "name": "small", "scenario": "kvm", "suite": "trixie",
    "epoch": 1763856000, "recipe_sha256": "a1" + 62 * "0", "lock_sha256": sha(b"lock"),
    "key": {"algorithm": "ed25519", "id": sha(der)}, "verify": {"mode": "gate"},
    "hosts": {"order": {"image": "dut", "role": "order", "mac": "52:54:00:77:00:11",
                        "hypervisor": domain}},
    "images": {"dut": image},
    "oci": {"postgres": {"manifest": manifest["digest"], "config": config["digest"],
                         "layers": [{"digest": l["digest"], "diff_id": "sha256:" + sha(p)}
                                    for l, p in zip(layers, plain)]}},
}
if "--contract" in sys.argv:
    sys.stdout.buffer.write(canonical(contract))
    sys.exit()
with tempfile.NamedTemporaryFile() as text:
    text.write(canonical(contract))
    text.flush()
    os.makedirs(os.path.join(directory, "libvirt"), exist_ok=True)
    subprocess.run([os.environ["BUILD"] + "/tests/tools/definitions", text.name,
                    os.path.join(directory, "libvirt")], check=True)
artifacts = {}
for where, _, names in os.walk(directory):
    for name in names:
        path = os.path.join(where, name)
        with open(path, "rb") as f:
            data = f.read()
        artifacts[os.path.relpath(path, directory)] = {"sha256": sha(data), "size": len(data)}
put("manifest.json", canonical({"mkvbench_manifest": 1, "contract": contract,
                                "artifacts": artifacts,
                                "tool": {"name": "mkvbench", "version": "0.1.0"}}))
