# shellcheck shell=bash
# Contracts signed by openssl, for tests of the verifier. Sourced.
#
#   contract_key NAME.pem        makes a private key, and its public key as NAME.pub
#   sign_contract DIR KEY        writes the key's id into DIR/contract.json (unless
#                                KEYLESS is set) and signs it as
#                                DIR/contract.sigstore.json

contract_key() {
	openssl genpkey -algorithm ed25519 -out "$1"
	openssl pkey -in "$1" -pubout -out "${1%.pem}.pub"
}

sign_contract() {
	python3 - "$1" "$2" "$TEST_TMP" <<-'END'
		import base64, hashlib, json, os, subprocess, sys
		lib, key, tmp = sys.argv[1:]
		der = subprocess.run(["openssl", "pkey", "-in", key, "-pubout",
		    "-outform", "DER"], check=True, stdout=subprocess.PIPE).stdout
		keyid = hashlib.sha256(der).hexdigest()
		with open(lib + "/contract.json") as f:
		    document = json.load(f)
		if not os.environ.get("KEYLESS"):
		    document["key"] = {"algorithm": "ed25519", "id": keyid}
		    with open(lib + "/contract.json", "w") as f:
		        json.dump(document, f)
		contract = open(lib + "/contract.json", "rb").read()
		payload = json.dumps({
		    "_type": "https://in-toto.io/Statement/v1",
		    "subject": [{"name": "contract.json", "digest": {
		        "sha256": hashlib.sha256(contract).hexdigest()}}],
		    "predicateType": "urn:mkvbench:contract:1",
		    "predicate": json.loads(contract)}).encode()
		kind = b"application/vnd.in-toto+json"
		open(tmp + "/pae", "wb").write(b"DSSEv1 %d %s %d %s" % (
		    len(kind), kind, len(payload), payload))
		subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", key,
		    "-in", tmp + "/pae", "-out", tmp + "/sig"], check=True)
		b64 = lambda b: base64.b64encode(b).decode()
		json.dump({
		    "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
		    "verificationMaterial": {"publicKey": {"hint": keyid}},
		    "dsseEnvelope": {"payload": b64(payload), "payloadType": kind.decode(),
		        "signatures": [{"sig": b64(open(tmp + "/sig", "rb").read()),
		                        "keyid": keyid}]}},
		    open(lib + "/contract.sigstore.json", "w"))
	END
}
