# SPDX-License-Identifier: MIT
"""drive.py FOLDER BUILD ROOT PORT...: starts everything and plays the operator."""
import glob, hashlib, http.client, json, os, re, signal, socket, subprocess, sys, time, traceback, urllib.request

from campaign import ADDRESSES, Campaign, Key, LOAD, compact, make_contract
from hosts import Load, World

folder, build, root = sys.argv[1:4]
agent_port, service_port, collector_port, prometheus_port, port = map(int, sys.argv[4:9])
lib, data = folder + "/lib", folder + "/data"
processes = {}
DRAIN_S, SILENT_S, STALL_S = 3, 2, 2


def start(name, argv, **environment):
    with open(f"{folder}/{name}.err", "ab") as err:
        processes[name] = subprocess.Popen(
            argv, env=dict(os.environ, **{"MKVBENCH_" + k: str(v) for k, v in environment.items()}),
            stdout=err, stderr=err)


def stop(name, number=signal.SIGTERM):
    process = processes.pop(name)
    process.send_signal(number)
    status = process.wait(60)
    assert number == signal.SIGKILL or status == 0, f"{name} ended with {status}"


def wait_for(what, condition, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError("not in time: " + what)


def listens(p):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", p)) == 0


def start_collector():
    os.makedirs(folder + "/spans", exist_ok=True)
    start("collector", [build + "/programs/collector"], PORT=collector_port, ADDRESS="127.0.0.1",
          DATA_DIR=folder + "/spans", FILE_SIZE=os.environ.get("FILE_SIZE", "20kB"))
    wait_for("collector", lambda: listens(collector_port))


def start_prometheus():
    with open(folder + "/prometheus.yml", "w") as f:
        json.dump({"global": {"scrape_interval": "1s"}, "scrape_configs": [
            {"job_name": "service", "static_configs": [
                {"targets": [f"{ADDRESSES['order']}:{service_port}"], "labels": {"host": "order"}}]}]}, f)
    start("prometheus", ["prometheus", f"--config.file={folder}/prometheus.yml",
                         f"--storage.tsdb.path={folder}/tsdb", f"--web.listen-address=127.0.0.1:{prometheus_port}"])
    def scrapes():
        try:
            url = f"http://127.0.0.1:{prometheus_port}/api/v1/targets?state=active"
            with urllib.request.urlopen(url, timeout=5) as answer:
                return any(t["health"] == "up" for t in json.load(answer)["data"]["activeTargets"])
        except OSError:
            return None
    wait_for("Prometheus", scrapes)


def start_conductor(**more):
    settings = dict(
        PORT=port, ADDRESS="127.0.0.1", DATA_DIR=data, CONTRACT_DIR=lib, HOST="collector",
        BOOT_ID=world.hosts["collector"].boot, AGENT_PORT=agent_port, POLL_MS=100, SPARE="1MiB",
        COLLECTOR_URL=f"http://127.0.0.1:{collector_port}",
        PROMETHEUS_URL=f"http://127.0.0.1:{prometheus_port}",
        DRAIN_S=DRAIN_S, SILENT_S=SILENT_S, STALL_S=STALL_S)
    settings.update(more)
    start("conductor", [build + "/programs/conductor"], **settings)
    wait_for("conductor", lambda: listens(port))


def call(method, path, body=None, headers={}):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        c.request(method, path, body, headers)
        answer = c.getresponse()
        raw = answer.read()
        return answer.status, raw, dict(answer.getheaders())
    finally:
        c.close()


def ask(method, path, body=None):
    status, raw, _ = call(method, path, body)
    return status, json.loads(raw)


def state():
    return ask("GET", "/v1/state")[1]


unused = {}


def next_run(arm="solo"):
    runs = unused.setdefault(arm, [r for r in campaign.runs if r["arm"] == arm])
    return runs.pop(0)


def begin(run, attempt=1):
    status, answer = ask("POST", "/v1/run", campaign.order(run, world.boots(), attempt))
    assert status == 202, (status, answer)


def settle(run, attempt=1, seconds=60):
    """Waits for the result and reads its run.json."""
    def find():
        for r in ask("GET", "/v1/results")[1]["results"]:
            if (r["run"], r["attempt"]) == (run["id"], attempt):
                return r
    result = wait_for(f"the result of {run['id']}", find, seconds)
    wait_for("the end", lambda: not state()["busy"])
    files = {f["name"]: f for f in result["files"]}
    f = files["run.json"]
    status, raw, _ = call("GET", f"/v1/results/{result['index']}/{f['index']}")
    assert status == 200 and hashlib.sha256(raw).hexdigest() == f["sha256"]
    return result, files, json.loads(raw)


def discard(run, attempt=1):
    status, answer = ask("POST", "/v1/command", campaign.command(run, "discard", world.boots(), attempt))
    assert status == 200, (status, answer)


def attempt(load=None, arm="solo", during=None, before=None, after=None):
    """A whole attempt; what is broken is repaired afterwards."""
    run = next_run(arm)
    world.load = load or Load()
    if before:
        before()
    begin(run)
    if during:
        during(run)
    result, files, document = settle(run)
    if after:
        after()
    world.load = Load()
    print(run["id"], document["reasons"], document["error"], flush=True)
    return run, result, files, document


def invalid(reasons, load=None, complete=True, unheard=(), **more):
    run, result, files, document = attempt(load, **more)
    assert document["valid"] is False and document["reasons"] == sorted(reasons, key=ORDER.index), document
    assert document["error"] and result["valid"] is False
    assert state()["phase"] == ("complete" if complete else "failed"), state()
    assert "logs/conductor.log" in files
    if complete:
        assert "load.csv" in files, files
    else:
        wait_for("abort on each host", lambda: all(
            h.commands[-1] == (run["id"], 1, "abort") for h in world.hosts.values()
            if h.boot in document["boots"].values() and h.name not in unheard))
    discard(run)
    return document, files


ORDER = ["not-all-answered", "spans-dropped", "spans-missing", "late", "rate", "blocked", "receipt-failed",
         "receipt-broken", "host-rebooted", "host-silent", "service-failed", "interrupted", "clock-stepped", "disk-full"]


def fetch(result, files, name):
    status, raw, _ = call("GET", f"/v1/results/{result['index']}/{files[name]['index']}")
    assert status == 200 and hashlib.sha256(raw).hexdigest() == files[name]["sha256"], name
    return raw


def unpack(raw):
    return subprocess.run(["zstd", "-dc"], input=raw, stdout=subprocess.PIPE, check=True).stdout


def read_spans(raw):
    """The ids in delimited messages that must be whole."""
    at, ids = 0, []
    while at < len(raw):
        size = shift = 0
        while True:
            byte = raw[at]
            at += 1
            size |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        message = raw[at:at + size]
        assert size and len(message) == size
        at += size
        start = 0
        while (start := message.find(b"T" * 16 + b"\x12\x08", start)) >= 0:
            ids.append(int.from_bytes(message[start + 18:start + 26], "big"))
            start += 26
    return ids


def a_valid_run_keeps_everything():
    world.load = Load(twice=True)
    run = next_run()
    first = world.next
    begin(run)
    # The same again is no second attempt, another one is told who is there.
    status, answer = ask("POST", "/v1/run", campaign.order(run, world.boots()))
    assert status == 200 and answer["run"] == run["id"], (status, answer)
    status, answer = ask("POST", "/v1/run", campaign.order(next_run(), world.boots()))
    assert status == 409 and (answer["run"], answer["attempt"], answer["name"]) == (run["id"], 1, "study"), answer
    seen = []
    wait_for("phases", lambda: seen.append(state()["phase"]) or seen[-1] == "complete")
    assert {"measured", "collect"} <= set(seen), seen
    result, files, document = settle(run)
    assert document["valid"] is True and document["reasons"] == [] and document["error"] is None, document
    requests = LOAD["warm_up"] + LOAD["measured"]
    spans = document["spans"]
    assert (spans["expected"], spans["received"], spans["dropped"]) == (3 * requests, 3 * requests, 0), spans
    names = [p["name"] for p in document["phases"]]
    assert names == ["prepare", "warm-up", "measured", "drain", "collect"], names
    for a, b in zip(document["phases"], document["phases"][1:]):
        assert a["start_ns"] <= a["end_ns"] == b["start_ns"], document["phases"]
    assert document["phases"][-1]["end_ns"] > document["phases"][-1]["start_ns"]
    assert document["boots"] == world.boots() and document["plan_sha256"] == campaign.sha256
    assert document["load"]["rate_achieved"] == "40"
    wanted = {"run.json", "load.csv", "load-summary.json", "traces.pb.zst", "metrics.json.zst", "logs/conductor.log"}
    wanted |= {f"receipts/{h}/{when}/receipt.json" for h in ADDRESSES for when in ("before", "after")}
    assert set(files) == wanted, sorted(files)
    assert fetch(result, files, "load.csv") == world.hosts["loadgen"].files["load/load.csv"]
    ids = read_spans(unpack(fetch(result, files, "traces.pb.zst")))
    assert sorted(set(ids)) == list(range(first, world.next)) and len(ids) == 2 * 3 * requests, len(ids)
    measured = next(p for p in document["phases"] if p["name"] == "measured")
    samples = json.loads(unpack(fetch(result, files, "metrics.json.zst")))["data"]["result"]
    ended = next(s for s in samples if s["metric"].get("state") == "ended")
    times = [t for t, _ in ended["values"]]
    assert times[0] <= measured["start_ns"] / 1e9 and times[-1] >= measured["end_ns"] / 1e9 - 0.2, (times, measured)
    assert times[0] >= measured["start_ns"] / 1e9 - 2.5 and times[-1] <= measured["end_ns"] / 1e9 + 1.5, (times, measured)
    # Raw: as often as scraped, no step of a query.
    assert len(times) >= 3 and len({t % 1 for t in times}) >= 1
    # Parts of a file.
    path = f"/v1/results/{result['index']}/{files['load.csv']['index']}"
    whole = call("GET", path)[1]
    status, part, headers = call("GET", path, headers={"Range": "bytes=100-299"})
    assert status == 206 and part == whole[100:300] and headers["Content-Range"] == f"bytes 100-299/{len(whole)}", headers
    status, part, _ = call("GET", path, headers={"Range": f"bytes={len(whole) - 7}-"})
    assert status == 206 and part == whole[-7:]
    status, _, headers = call("GET", path, headers={"Range": f"bytes={len(whole)}-"})
    assert status == 416 and headers["Content-Range"] == f"bytes */{len(whole)}", (status, headers)
    status, part, headers = call("GET", path, headers={"Range": "bytes=0-1", "If-Range": '"x"'})
    assert status == 200 and part == whole and headers["Accept-Ranges"] == "bytes"
    assert call("GET", f"/v1/results/{result['index']}/999")[0] == 404
    assert call("GET", "/v1/results/999/0")[0] == 404
    # Posted again after it ended: no second one. After it was discarded: a replay.
    assert ask("POST", "/v1/run", campaign.order(run, world.boots()))[0] == 200
    sequence = campaign.sequence
    old = campaign.order(run, world.boots())
    discard(run)
    assert ask("GET", "/v1/results")[1]["results"] == []
    status, answer = ask("POST", "/v1/run", old)
    assert status == 409 and answer["error"]["code"] == "replay", answer
    assert call("GET", path)[0] == 404
    assert glob.glob(data + "/attempt/*") == []


def runs_that_do_not_count():
    invalid(["not-all-answered"], Load(fails=1))
    invalid(["not-all-answered"], Load(cut=1))
    document, _ = invalid(["spans-dropped"], Load(dropped=2))
    assert document["spans"]["dropped"] == 4, document["spans"]
    document, _ = invalid(["spans-missing"], Load(lost=1))
    assert document["spans"]["expected"] - document["spans"]["received"] == 2, document["spans"]
    document, files = invalid(["spans-missing"], Load(held=True))
    assert document["spans"]["drain_ns"] >= DRAIN_S * 10**9 and "metrics.json.zst" in files
    invalid(["late"], Load(late_ns=1000001))
    invalid(["rate"], Load(achieved="39.9"))
    invalid(["blocked"], Load(blocked=1))
    invalid(["interrupted"], Load(interrupted=True))
    invalid(["not-all-answered", "spans-dropped", "late", "blocked"], Load(fails=2, dropped=1, late_ns=10**7, blocked=3))
    # At the limits a run counts.
    for load in (Load(late_ns=1000000), Load(achieved="39.96"), Load(achieved="40.04")):
        run, _, _, document = attempt(load)
        assert document["valid"] is True, document
        discard(run)
    # Without spans at the collector none is missing.
    for arm in ("off", "file"):
        run, _, files, document = attempt(arm=arm)
        assert document["valid"] is True and "traces.pb.zst" in files, document
        discard(run)


def what_breaks_in_a_run():
    hosts = world.hosts
    order, loadgen, collector = hosts["order"], hosts["loadgen"], hosts["collector"]

    def mend():
        for h in hosts.values():
            h.receipt, h.silent, h.clock_ns, h.bad, h.corrupt, h.extra = "pass", False, 0, {}, None, {}
        world.service.away = False

    def put(host, **what):
        return lambda: host.__dict__.update(what)

    def broken(reasons, load=None, before=None, complete=False, unheard=()):
        document, files = invalid(reasons, load, complete, unheard, before=before, after=mend)
        return document, files

    broken(["receipt-failed"], before=put(order, receipt="fail"))
    broken(["receipt-failed"], before=put(order, receipt="none"))
    broken(["receipt-failed"], before=put(order, receipt="warn"))
    broken(["receipt-broken"], before=put(loadgen, receipt="broken"))
    document, _ = broken(["receipt-broken"], Load(middle=put(order, receipt="broken")))
    assert "'order'" in document["error"], document
    # The agents still list the files of that attempt, which are none of the next.
    _, files = broken(["receipt-broken"], before=put(order, receipt="broken"))
    assert set(files) == {"run.json", "logs/conductor.log"}, files
    document, files = broken(["host-rebooted"], Load(middle=order.reboot))
    assert "receipts/loadgen/before/receipt.json" in files and "receipts/order/before/receipt.json" not in files
    document, _ = broken(["host-silent"], Load(middle=put(order, silent=True)), unheard=["order"])
    assert "order" in document["error"]
    document, _ = broken(["service-failed"], before=put(order, bad={"prepare": "mkvbench-order.service is not healthy"}))
    assert "not healthy" in document["error"]
    document, _ = broken(["service-failed"], before=put(order, bad={"refuse-load": (409, "out of order")}))
    assert "out of order" in document["error"]
    broken(["service-failed"], before=put(order, bad={"finish": "no watch"}))
    broken(["service-failed"], Load(crashes=True))
    broken(["service-failed"], Load(stalls=True))
    document, _ = broken(["service-failed"], Load(restarts=True))
    assert "restarted" in document["error"]
    broken(["clock-stepped"], Load(middle=put(order, clock_ns=300000000)))
    document, _ = broken(["service-failed"], before=put(order, corrupt="before/receipt.json"), complete=True)
    assert "before/receipt.json" in document["error"]
    document, _ = broken(["service-failed"], before=put(order, extra={"../../../escaped": b"x"}), complete=True)
    assert "escaped" in document["error"] and not glob.glob(folder + "/**/escaped", recursive=True)
    # A lost answer to a command is no failure, and a slewed clock no step.
    for what in (put(order, bad={"deaf-prepare": True, "deaf-load": True}), put(order, clock_ns=40000000)):
        run, _, _, document = attempt(before=what)
        mend()
        assert document["valid"] is True, document
        discard(run)
    # The collector and Prometheus, before and in the run.
    stop("collector")
    document, _ = broken(["service-failed"])
    assert "collector" in document["error"], document
    start_collector()
    document, _ = broken(["spans-missing", "service-failed"], Load(middle=lambda: stop("collector")), complete=True)
    start_collector()
    stop("prometheus")
    document, _ = broken(["service-failed"])
    start_prometheus()
    document, files = broken(["service-failed"], Load(middle=lambda: stop("prometheus")), complete=True)
    assert "traces.pb.zst" in files and "metrics.json.zst" not in files
    start_prometheus()
    # The operator aborts; with an old sequence nobody does.
    run = next_run()
    old = campaign.command(run, "abort", world.boots())
    begin(run)
    wait_for("load", lambda: state()["phase"] in ("warm-up", "measured"))
    assert ask("POST", "/v1/command", old)[0] == 409
    assert state()["phase"] in ("warm-up", "measured")
    assert ask("POST", "/v1/command", campaign.command(run, "discard", world.boots()))[0] == 409
    assert ask("POST", "/v1/command", campaign.command(run, "abort", world.boots()))[0] == 202
    document = settle(run)[2]
    assert document["reasons"] == ["interrupted"], document
    discard(run)


def a_conductor_that_is_killed():
    run = next_run()
    begin(run)
    wait_for("measured", lambda: state()["phase"] == "measured")
    stop("conductor", signal.SIGKILL)
    assert not glob.glob(data + "/runs/*")
    start_conductor()
    result, files, document = settle(run)
    assert document["valid"] is False and document["reasons"] == ["interrupted"], document
    assert [p["name"] for p in document["phases"]][:2] == ["prepare", "warm-up"], document["phases"]
    assert all(h.commands[-1][2] == "abort" for h in world.hosts.values())
    # Found again by the next start; the second attempt counts.
    stop("conductor")
    start_conductor()
    assert settle(run)[2] == document
    world.load = Load()
    begin(run, attempt=2)
    assert settle(run, 2)[2]["valid"] is True
    status, answer = ask("POST", "/v1/run", campaign.order(run, world.boots(), 3))
    assert status == 403 and "2 attempts" in answer["error"]["message"], answer
    discard(run)
    discard(run, 2)
    # SIGTERM in a run, and a host that was booted again meanwhile.
    run = next_run()
    begin(run)
    wait_for("measured", lambda: state()["phase"] == "measured")
    stop("conductor")
    world.hosts["collector"].reboot()
    start_conductor()
    document = settle(run)[2]
    assert document["reasons"] == ["host-rebooted", "interrupted"], document
    discard(run)
    # What is no result is left alone.
    os.makedirs(data + "/runs/99-9-strange.1")
    stop("conductor")
    start_conductor()
    assert ask("GET", "/v1/results")[1]["results"] == []
    os.rmdir(data + "/runs/99-9-strange.1")


def hostile_requests():
    boots, run = world.boots(), next_run()
    commands = {n: len(h.commands) for n, h in world.hosts.items()}
    before = state()
    good = lambda **changes: campaign.order(run, boots, **changes)

    def refused(status, text, body, path="/v1/run"):
        got, raw, _ = call("POST", path, body)
        assert got == status and text in raw.decode(), (got, raw, "instead of", status, text)

    other_key = Key(folder + "/other.pem")
    refused(403, "another key", good(key=other_key))
    refused(403, "another key", dict(good(), plan=other_key.sign({})))
    # The signature of something else, and a changed byte.
    mixed = good()
    mixed["commands"][1]["dsseEnvelope"]["signatures"] = mixed["commands"][0]["dsseEnvelope"]["signatures"]
    refused(403, "signature", mixed)
    other = Campaign(campaign.key, contract, runs=270, name="another")
    other.sequence = campaign.sequence + 50
    refused(403, "another plan", dict(good(), plan=other.bundle))
    refused(403, "contract", good(contract_sha256="1" * 64))
    refused(403, "another boot", campaign.order(run, dict(boots, collector="0" * 8 + boots["collector"][8:])))
    refused(403, "no run", good(run="99-1-solo"))
    refused(403, "other settings", good(settings={}))
    refused(403, "another tracing", good(tracing="off"))
    refused(403, "another load", good(load=dict(LOAD, seed=run["seed"], rate=41)))
    refused(403, "another load", good(load=dict(LOAD, seed=run["seed"] + 1)))
    refused(400, "no boot of host 'order'", campaign.order(run, {n: boots[n] for n in ("collector", "loadgen")}))
    refused(400, "sequences", good(sequence=campaign.sequence + 10))
    # Each signed and belonging together, but not one attempt.
    a, b = good(), campaign.order(run, boots, attempt=2)
    refused(400, "several attempts", dict(a, commands=a["commands"][:3] + b["commands"][3:]))
    refused(400, "one each", dict(a, commands=a["commands"][:3] + a["commands"][2:3]))
    refused(400, "four", dict(a, commands=a["commands"][:3]))
    refused(400, "members", {"plan": a["plan"]})
    refused(400, "object", dict(a, plan=[]))
    refused(400, "object", dict(a, commands=[1, 2, 3, 4]))
    refused(400, "bad-json", b"{")
    refused(400, "bad-json", b"[" * 100000)
    refused(400, "bad-json", b'{"plan":1,"plan":1}')
    refused(400, "bad-json", b"")
    refused(400, "bad-json", b"\xff\xfe\x00")
    refused(413, "too-large", b"x" * (3 << 20))
    refused(413, "more than", dict(a, commands=[dict(c, x="y" * 300000) for c in a["commands"]]))
    refused(400, "/v1/run", campaign.command(run, "prepare", boots), "/v1/command")
    refused(404, "no result", campaign.command(run, "discard", boots), "/v1/command")
    refused(404, "not in progress", campaign.command(run, "abort", boots), "/v1/command")
    refused(403, "another key", campaign.command(run, "discard", boots, key=other_key), "/v1/command")
    refused(403, "boot", campaign.command(run, "discard", {"order": boots["order"]}), "/v1/command")
    refused(400, "bad-json", b"null", "/v1/command")
    assert call("GET", "/v1/run")[0] == 405 and call("GET", "/v1/results/0/../../etc")[0] == 404
    # Slow ones hold nobody up, and half a request changes nothing.
    slow = []
    for _ in range(100):
        s = socket.create_connection(("127.0.0.1", port), source_address=("127.77.9.9", 0))
        s.sendall(b"POST /v1/run HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{")
        slow.append(s)
    began = time.monotonic()
    assert state()["phase"] == before["phase"] and time.monotonic() - began < 5
    for s in slow:
        s.close()
    raw = socket.create_connection(("127.0.0.1", port))
    raw.sendall(b"\x16\x03\x01\x00\x00 not HTTP\r\n\r\n")
    raw.close()
    after = state()
    assert (after["sequence"], after["run"], after["busy"]) == (before["sequence"], before["run"], False), after
    assert {n: len(h.commands) for n, h in world.hosts.items()} == commands
    assert ask("GET", "/v1/results")[1]["results"] == []
    # The control: the same without a mistake is accepted.
    begin(run)
    assert settle(run)[2]["valid"] is True
    # A result of another plan with the same name is not overwritten.
    other.sequence = campaign.sequence + 10
    status, answer = ask("POST", "/v1/run", other.order(run, boots))
    assert status == 409 and answer["error"]["code"] == "exists" and answer["plan_sha256"] == campaign.sha256, answer
    refused(404, "of this plan", other.command(run, "discard", boots), "/v1/command")
    discard(run)


def a_disk_that_fills():
    run = next_run()
    free = os.statvfs(folder)
    stop("conductor")
    start_conductor(SPARE=free.f_bavail * free.f_frsize - (1 << 20))
    status, answer = ask("POST", "/v1/run", campaign.order(run, world.boots()))
    assert status == 507 and answer["needed_bytes"] > answer["free_bytes"], answer
    assert not state()["busy"] and not os.path.exists(data + "/attempt")
    stop("conductor")
    full = folder + "/full"
    os.makedirs(full, exist_ok=True)
    if os.getuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", full],
                                          stderr=subprocess.DEVNULL).returncode:
        print("not run without root: a disk that fills in a run")
    else:
        try:
            start_conductor(DATA_DIR=full, SPARE="8MiB")

            def fill():
                with open(full + "/filler", "wb") as f:
                    f.write(b"x" * (33 << 20))

            world.load = Load(middle=fill)
            begin(run)
            document = settle(run)[2]
            assert document["reasons"] == ["disk-full"], document
            assert all(h.commands[-1][2] == "abort" for h in world.hosts.values())
            os.remove(full + "/filler")
            discard(run)
            run = next_run()
            world.load = Load()
            begin(run)
            assert settle(run)[2]["valid"] is True
            stop("conductor")
        finally:
            subprocess.run(["umount", "-l", full])
    start_conductor()


os.makedirs(lib)
key = Key(folder + "/key.pem")
key.write_public(lib + "/key.pub")
contract = make_contract(root + "/tests/fuzz/contract/experiment.json", service_port, key)
with open(lib + "/contract.json", "wb") as f:
    f.write(contract)
os.makedirs(data)
world = World(ADDRESSES, agent_port, service_port, collector_port, hashlib.sha256(contract).hexdigest())
campaign = Campaign(key, contract, runs=270)
wanted = os.environ.get("PARTS", "valid|killed|hostile|fills")
parts = [a_valid_run_keeps_everything, runs_that_do_not_count, what_breaks_in_a_run,
         a_conductor_that_is_killed, hostile_requests, a_disk_that_fills]
done = 0
try:
    start_collector()
    start_prometheus()
    start_conductor()
    for part in parts:
        if re.search(wanted, part.__name__):
            done += 1
            began = time.monotonic()
            part()
            print(f"{part.__name__}: {time.monotonic() - began:.0f} s", flush=True)
    stop("conductor")
    print(done, "parts")
    assert done, "no part is named " + wanted
except BaseException:
    traceback.print_exc()
    sys.stdout.flush()
    raise SystemExit(1)
finally:
    for name in list(processes):
        processes[name].kill()
