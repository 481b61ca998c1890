# SPDX-License-Identifier: MIT
"""A contract, a plan and commands, signed by openssl."""
import base64, hashlib, json, subprocess

IN_TOTO = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"


def compact(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


class Key:
    def __init__(self, path):
        self.path = path
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", path], check=True)
        der = subprocess.run(["openssl", "pkey", "-in", path, "-pubout", "-outform", "DER"],
                             check=True, stdout=subprocess.PIPE).stdout
        self.id = hashlib.sha256(der).hexdigest()

    def write_public(self, path):
        subprocess.run(["openssl", "pkey", "-in", self.path, "-pubout", "-out", path], check=True)

    def sign(self, statement):
        payload = compact(statement)
        pae = b"DSSEv1 %d %s %d %s" % (len(IN_TOTO), IN_TOTO.encode(), len(payload), payload)
        with open(self.path + ".pae", "wb") as f:
            f.write(pae)
        signature = subprocess.run(
            ["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.path, "-in", self.path + ".pae"],
            check=True, stdout=subprocess.PIPE).stdout
        text = lambda b: base64.b64encode(b).decode()
        return {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {"publicKey": {"hint": self.id}},
            "dsseEnvelope": {
                "payload": text(payload), "payloadType": IN_TOTO,
                "signatures": [{"sig": text(signature), "keyid": self.id}]}}


ADDRESSES = {"collector": "127.77.0.1", "loadgen": "127.77.0.2", "order": "127.77.0.11"}


def make_contract(source, service_port, key):
    with open(source) as f:
        contract = json.load(f)
    contract["key"]["id"] = key.id
    contract["hosts"] = {
        name: {"image": "dut", "role": name, "address": address}
        for name, address in ADDRESSES.items()}
    contract["hosts"]["order"]["containers"] = ["postgres"]
    experiment = contract["experiment"]
    experiment["services"]["order"]["port"] = service_port
    experiment["request"]["port"] = service_port
    return compact(contract) + b"\n"


LOAD = {"rate": 40, "arrivals": "constant", "connections": 8, "warm_up": 10,
        "measured": 40, "timeout_ns": 1000000000}


class Campaign:
    """One arm and many blocks; each run is used once."""

    def __init__(self, key, contract, runs=90, name="study", arm="solo", load=LOAD):
        self.key, self.load, self.sequence = key, load, 0
        self.contract = hashlib.sha256(contract).hexdigest()
        arms = {arm: {"appliance": "small", "scenario": "kvm-docker", "contract_sha256": self.contract,
                      "baseline": True, "same_as": None, "tracing": "otlp",
                      "settings": {"order": {"FSYNC": "data"}}}}
        for tracing in ("file", "off"):
            arms[tracing] = dict(arms[arm], baseline=False, tracing=tracing)
        names = [arm, "file", "off"]
        self.runs = [
            {"id": f"{block:02}-{slot + 1}-{names[slot]}", "block": block, "slot": slot + 1,
             "arm": names[slot], "seed": block * 10 + slot}
            for block in range(1, runs // 3 + 1) for slot in range(3)]
        self.plan = {
            "mkvbench_plan": 1, "name": name, "seed": 1, "campaign_sha256": "0" * 64,
            "tool_version": "0.1.0", "key_id": key.id, "trial": True, "scale": "0.002",
            "boot": "shared", "arms": arms, "load": load,
            "limits": {"lateness_ns": 1000000, "rate": "0.001", "attempts": 2},
            "analysis": {"delta": "0.05", "alpha": "0.05"},
            "scrape_interval_ns": 1000000000, "runs": self.runs}
        self.sign_plan()

    def sign_plan(self):
        text = compact(self.plan) + b"\n"
        self.sha256 = hashlib.sha256(text).hexdigest()
        self.bundle = self.key.sign({
            "_type": STATEMENT, "predicateType": "urn:mkvbench:plan:1",
            "subject": [{"name": "plan.json", "digest": {"sha256": self.sha256}}],
            "predicate": self.plan})

    def command(self, planned, step, boots, attempt=1, key=None, **changes):
        arm = self.plan["arms"][planned["arm"]]
        self.sequence += 1
        predicate = {
            "mkvbench_command": 1, "plan_sha256": self.sha256, "contract_sha256": self.contract,
            "run": planned["id"], "attempt": attempt, "step": step, "sequence": self.sequence,
            "boots": boots, "settings": arm["settings"], "tracing": arm["tracing"],
            "load": dict(self.load, seed=planned["seed"])}
        predicate.update(changes)
        return (key or self.key).sign({
            "_type": STATEMENT, "predicateType": "urn:mkvbench:command:1",
            "subject": [{"name": "plan.json", "digest": {"sha256": predicate["plan_sha256"]}}],
            "predicate": predicate})

    def order(self, planned, boots, attempt=1, **changes):
        return {"plan": self.bundle, "commands": [
            self.command(planned, step, boots, attempt, **changes)
            for step in ("prepare", "load", "finish", "abort")]}
