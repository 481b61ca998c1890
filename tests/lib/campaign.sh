# shellcheck shell=bash
# A whole campaign on one machine: agents, conductor, load generator, collector,
# Prometheus, PostgreSQL and the study's services as processes, each host with an
# address of its own in a network namespace. Sourced first of all; the caller's
# arguments are in "$@".
#
#   campaign_enter          runs the calling test again inside a network namespace
#   campaign_init [JQ]      key, contract (changed by the filter), appliance, recipe
#   campaign_start          everything that runs
#   campaign_file NAME LINES...   a campaign over the recipe native.yaml
#   campaign_run [OPTIONS]  mkvbench run --on hosts, with the campaign of the last file
#   unit HOST NAME          the program of a unit is on standard input
#   systemctl_of HOST ...   the stand-in of systemctl (tests/lib/agent/systemctl)
# and what tests/lib/test.sh and tests/lib/contract.sh have.
#
# Receipts are real ones: mkvbench-verify judges a recorded machine below
# $TEST_TMP/host/HOST/image, whose boot id is this machine's.
. "$ROOT/tests/lib/test.sh"
. "$ROOT/tests/lib/contract.sh"
declare -A address=([collector]=10.77.0.1 [loadgen]=10.77.0.2
	[order]=10.77.0.11 [payment]=10.77.0.12 [user]=10.77.0.13)
hosts=(collector loadgen order payment user)
declare -A pid

on_fail() {
	tail -q -n 8 "$TEST_TMP"/*.log "$TEST_TMP"/host/*/units/*.log 2>/dev/null
}

campaign_enter() {
	[ -z "${CAMPAIGN_INSIDE:-}" ] || return 0
	need jq curl prometheus zstd openssl
	unshare -n -p -f true 2>/dev/null || skip "no network namespaces here"
	# When the namespace's first process ends, all others end.
	CAMPAIGN_INSIDE=1 exec unshare -n -m -p -f --mount-proc "$0" "$@"
}

unit() { # HOST NAME
	local file=$TEST_TMP/host/$1/units/$2
	{ echo '#!/bin/bash'; cat; } >"$file"
	chmod +x "$file"
}

systemctl_of() { # HOST ARGUMENTS...
	local host=$1
	shift
	UNITS=$TEST_TMP/host/$host/units "$ROOT/tests/lib/agent/systemctl" "$@"
}

# The verifier on the recorded machine.
verify() { # HOST OPTION
	"$BUILD/mkvbench-verify" --root "$TEST_TMP/host/$1/image" --out "$TEST_TMP/host/$1/run" \
		--metrics "$TEST_TMP/host/$1/verify.prom" --host "$1" \
		--cpuid "$ROOT/tests/golden/cpuid/amd-guest-topoext.txt" "$2"
}

campaign_image() { # HOST: what the verifier reads
	local image=$TEST_TMP/host/$1/image
	mkdir -p "$image/usr/lib" "$image/proc/sys/kernel/random" "$image/proc/1"
	ln -s "$TEST_TMP/contract" "$image/usr/lib/mkvbench"
	cp /proc/sys/kernel/random/boot_id "$image/proc/sys/kernel/random/"
	echo 0 >"$image/proc/sys/kernel/tainted"
	echo systemd >"$image/proc/1/comm"
}

campaign_contract() { # JQ
	local id recipe
	cp -r "$ROOT/recipes" "$TEST_TMP/recipes"
	cat >"$TEST_TMP/recipes/native.yaml" <<-END
		include: [bare-metal.yaml]
		name: native
		scenario: bare-metal
	END
	recipe=$("$BUILD/mkvbench" check --json "$TEST_TMP/recipes/native.yaml" | jq -r .sha256)
	id=$(openssl pkey -in "$TEST_TMP/key.pem" -pubout -outform DER | sha256sum | cut -c 1-64)
	jq -nS --indent 1 --arg id "$id" --arg recipe "$recipe" '{mkvbench_contract: 1, name: "native", recipe_sha256: $recipe,
		key: {algorithm: "ed25519", id: $id}, scenario: "bare-metal",
		verify: {mode: "gate"}, hosts: {
			order: {image: "dut", role: "order", address: "10.77.0.11"},
			payment: {image: "dut", role: "payment", address: "10.77.0.12"},
			user: {image: "dut", role: "user", address: "10.77.0.13"},
			collector: {image: "dut", role: "collector", address: "10.77.0.1"},
			loadgen: {image: "dut", role: "loadgen", address: "10.77.0.2"}},
		images: {dut: {platform: "guest"}},
		experiment: {
			request: {method: "POST", role: "order", port: 8080, path: "/orders/create/id/{user}",
				headers: {"Content-Type": "application/json"},
				body: "{\"productName\":\"tea\",\"price\":0.01}", status: 200},
			fields: {user: 1000}, rate: 60, arrivals: "constant", connections: 400,
			timeout_ns: 30000000000, warm_up: 30, measured: 300,
			services: {
				order: {role: "order", unit: "mkvbench-order.service", port: 8080,
					health: "/healthz", clean_up: ["mkvbench-order", "--clean-up"],
					vary: ["LARGE_FILE", "SMALL_COUNT"], spans: true},
				payment: {role: "payment", unit: "mkvbench-payment.service", port: 8080,
					health: "/healthz", vary: ["SLEEP", "LINPACK_SIZE"], spans: true},
				user: {role: "user", unit: "mkvbench-user.service", port: 8080,
					health: "/healthz", vary: ["LINPACK_SIZE"], spans: true}}}} | '"${1:-.}" \
		>"$TEST_TMP/contract/contract.json"
}

# What a build writes of an appliance, without its images.
campaign_appliance() {
	local dir=$TEST_TMP/images/native
	mkdir -p "$dir/attestations"
	cp "$TEST_TMP/contract/contract.sigstore.json" "$TEST_TMP/contract/key.pub" "$dir/attestations/"
	jq -S --indent 1 '{mkvbench_manifest: 1, contract: ., artifacts: {}, tool: {name: "mkvbench", version: "0"}}' \
		"$TEST_TMP/contract/contract.json" >"$dir/manifest.json"
	(cd "$dir" && sha256sum attestations/contract.sigstore.json attestations/key.pub manifest.json >SHA256SUMS)
	openssl pkeyutl -sign -rawin -inkey "$TEST_TMP/key.pem" -in "$dir/SHA256SUMS" -out "$dir/SHA256SUMS.sig"
}

campaign_init() {
	local host
	mkdir -p "$TEST_TMP/contract" "$TEST_TMP/bin" "$TEST_TMP/prometheus"
	chmod 0711 "$TEST_TMP"
	ip link set lo up
	for host in "${hosts[@]}"; do
		ip address add "${address[$host]}/24" dev lo
		mkdir -p "$TEST_TMP/host/$host"/{units,run,overrides,data,state/"$host"}
		echo "$host" >"$TEST_TMP/host/$host/run/host"
		campaign_image "$host"
	done
	contract_key "$TEST_TMP/key.pem"
	chmod 0600 "$TEST_TMP/key.pem"
	cp "$TEST_TMP/key.pub" "$TEST_TMP/contract/"
	campaign_contract "${1:-.}"
	KEYLESS=1 sign_contract "$TEST_TMP/contract" "$TEST_TMP/key.pem"
	campaign_appliance
	for name in order payment user loadgen; do
		ln -s "$BUILD/programs/$name" "$TEST_TMP/bin/mkvbench-$name"
	done
	ln -s "$ROOT/tests/lib/agent/systemctl" "$TEST_TMP/bin/"
	export PATH=$TEST_TMP/bin:$PATH
	contract_sha=$(sha256sum <"$TEST_TMP/contract/contract.json" | cut -c 1-64)
}

# The environment of a host's programs, as mkvbench-role writes it.
environment_of() { # HOST
	cat <<-END
		export MKVBENCH_HOST=$1 MKVBENCH_ROLE=$1 MKVBENCH_SCENARIO=bare-metal
		export MKVBENCH_CONTRACT=$contract_sha MKVBENCH_BOOT_ID=$(</proc/sys/kernel/random/boot_id)
		export MKVBENCH_ADDRESS_COLLECTOR=10.77.0.1 MKVBENCH_ADDRESS_ORDER=10.77.0.11
		export MKVBENCH_ADDRESS_PAYMENT=10.77.0.12 MKVBENCH_ADDRESS_USER=10.77.0.13
		export MKVBENCH_OVERRIDES_DIR='$TEST_TMP/host/$1/overrides'
		export PGHOST=127.0.0.1 PGPORT=5432 PGUSER=mkvbench PGDATABASE=mkvbench
		export MKVBENCH_PEER_TIMEOUT_MS=15000 MKVBENCH_DB_TIMEOUT_MS=15000 MKVBENCH_QUEUE_MS=15000
	END
}

campaign_units() {
	local host
	for host in order payment user; do
		unit $host mkvbench-$host.service <<-END
			$(environment_of $host)
			export MKVBENCH_ADDRESS=${address[$host]} MKVBENCH_DATA_DIR='$TEST_TMP/host/$host/data'
			exec "$BUILD/programs/$host"
		END
	done
	unit loadgen mkvbench-loadgen.service.oneshot <<-END
		$(environment_of loadgen)
		export MKVBENCH_DATA_DIR='$TEST_TMP/host/loadgen/data'
		exec "$BUILD/programs/loadgen"
	END
	unit collector mkvbench-collector.service <<-END
		$(environment_of collector)
		export MKVBENCH_DATA_DIR='$TEST_TMP/host/collector/data'
		exec "$BUILD/programs/collector"
	END
	for host in "${hosts[@]}"; do
		unit "$host" mkvbench-verify-watch.service.oneshot <<-END
			exec "$BUILD/mkvbench-verify" --root "$TEST_TMP/host/$host/image" \
				--out "$TEST_TMP/host/$host/run" --metrics "$TEST_TMP/host/$host/verify.prom" \
				--host $host --cpuid "$ROOT/tests/golden/cpuid/amd-guest-topoext.txt" --watch
		END
	done
}

campaign_postgres() {
	local as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
	id postgres >/dev/null 2>&1 || skip "no user postgres"
	pg_bin=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort | tail -n 1)
	[ -n "$pg_bin" ] || skip "PostgreSQL is not installed"
	install -d -o postgres -g postgres -m 0700 "$TEST_TMP/pg"
	cp "$BUILD/programs/postgres" "$TEST_TMP/mkvbench-postgres"
	MKVBENCH_PG_DATA=$TEST_TMP/pg/data MKVBENCH_PG_PORT=5432 \
		MKVBENCH_PG_OPTIONS="-c shared_buffers=16MB -c fsync=off" \
		"${as[@]}" "$TEST_TMP/mkvbench-postgres" >>"$TEST_TMP/pg.log" 2>&1 &
	pid[pg]=$!
	wait_for 60 "$pg_bin/pg_isready" -q -h 127.0.0.1 -p 5432
}

campaign_prometheus() {
	cat >"$TEST_TMP/prometheus.yml" <<-END
		global: {scrape_interval: 1s}
		scrape_configs:
		  - job_name: services
		    static_configs: [{targets: ['10.77.0.11:8080', '10.77.0.12:8080', '10.77.0.13:8080', '10.77.0.1:4318']}]
	END
	prometheus --config.file="$TEST_TMP/prometheus.yml" --storage.tsdb.path="$TEST_TMP/prometheus" \
		--web.listen-address=127.0.0.1:9090 2>"$TEST_TMP/prometheus.log" &
	pid[prometheus]=$!
	wait_for 60 curl -s -f -o /dev/null http://127.0.0.1:9090/-/ready
}

campaign_agent() { # HOST
	local dir=$TEST_TMP/host/$1
	UNITS=$dir/units MKVBENCH_RUN_DIR=$dir/run MKVBENCH_CONTRACT_DIR=$TEST_TMP/contract \
		MKVBENCH_LOADGEN_DIR=$dir/data MKVBENCH_OVERRIDES_DIR=$dir/overrides MKVBENCH_STATE_DIR=$dir/state \
		"$BUILD/programs/agent" 2>>"$TEST_TMP/agent-$1.log" &
	pid[agent-$1]=$!
	wait_for 30 curl -s -f -o /dev/null "http://${address[$1]}:9180/v1/state"
}

campaign_conductor() {
	mkdir -p "$TEST_TMP/conductor"
	MKVBENCH_DATA_DIR=$TEST_TMP/conductor MKVBENCH_CONTRACT_DIR=$TEST_TMP/contract \
		MKVBENCH_COLLECTOR_URL=http://10.77.0.1:4318 MKVBENCH_SPARE=16MiB \
		"$BUILD/programs/conductor" 2>>"$TEST_TMP/conductor.log" &
	pid[conductor]=$!
	wait_for 30 curl -s -f -o /dev/null http://10.77.0.1:9181/v1/state
}

campaign_start() {
	local host
	campaign_units
	campaign_postgres
	campaign_prometheus
	systemctl_of collector start mkvbench-collector.service
	for host in user payment order; do
		systemctl_of $host start mkvbench-$host.service
	done
	for host in "${hosts[@]}"; do
		verify "$host" --boot >"$TEST_TMP/receipt-$host.log" || fail "the receipt of $host: $(cat "$TEST_TMP/receipt-$host.log")"
		campaign_agent "$host"
	done
	campaign_conductor
}

campaign_file() { # NAME; its lines after the recipe are on standard input
	campaign=$TEST_TMP/recipes/campaigns/$1.yaml
	{ printf 'mkvbench-campaign: 1\nname: %s\n' "$1"; cat; } >"$campaign"
}

campaign_run() {
	(cd "$TEST_TMP" && "$BUILD/mkvbench" run --on hosts --key key.pem "$@" "$campaign")
}
