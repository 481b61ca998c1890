# shellcheck shell=bash
# Agents as processes on loopback, with stand-ins for systemctl and units that really
# start the programs. Sourced; expects BUILD, ROOT and TEST_TMP.
#
#   agent_init [JQ]      key, contract (changed by the jq filter), ports, directories
#   agent_start HOST [VARIABLE=VALUE...]   an agent for payment or loadgen
#   agent_end HOST       SIGTERM; it must end with 0
#   receipt HOST VERDICT          the receipt of the boot
#   signed FILE STEP SEQUENCE [JQ]   a signed command; the filter changes it first
#   post HOST STATUS FILE         leaves the answer in $body
#   get HOST PATH                 leaves the answer in $body
#   expect JQ-FILTER              which must hold for $body
#   wait_step HOST STEP STATE     until the state says so
# and what tests/lib/test.sh has. UNITS has units and calls (tests/lib/agent/systemctl).
. "$ROOT/tests/lib/test.sh"
declare -A agent_pid agent_port

on_fail() {
	tail -q -n 8 "$TEST_TMP"/*.log "$UNITS"/*.log 2>/dev/null
}

agents_end() {
	local file
	[ ${#agent_pid[@]} = 0 ] || kill "${agent_pid[@]}" || true
	[ ${#agent_pid[@]} = 0 ] || wait "${agent_pid[@]}" || true
	for file in "$UNITS"/*.pid; do
		[ ! -e "$file" ] || kill "$(<"$file")" || true
	done
} 2>/dev/null

unit() { # NAME: the program of standard input
	{ echo '#!/bin/bash'; cat; } >"$UNITS/$1"
	chmod +x "$UNITS/$1"
}

agent_units() {
	unit mkvbench-payment.service <<-END
		SERVICE_MARK=yes MKVBENCH_ADDRESS=127.0.0.1 MKVBENCH_PORT=$payment_port \
			exec "$BUILD/programs/payment"
	END
	unit mkvbench-loadgen.service.oneshot <<-END
		MKVBENCH_DATA_DIR="$TEST_TMP/loadgen" exec "$BUILD/programs/loadgen"
	END
	# The verifier's watch of every minute.
	unit mkvbench-verify-watch.service.oneshot <<-END
		# With this file: until the timer is stopped, and half a second more.
		while [ -e "$UNITS/watch-waits" ] && ! grep -q '^stop.*timer' "$UNITS/calls"; do sleep 0.05; done
		[ ! -e "$UNITS/watch-waits" ] || sleep 0.5
		for host in payment loadgen; do
			echo "{\"verdict\":\"pass\",\"n\":\$\$}" >"$TEST_TMP/run-\$host/new"
			mv "$TEST_TMP/run-\$host/new" "$TEST_TMP/run-\$host/receipt-watch.json"
		done
		echo watched >>"$UNITS/calls"
	END
	"$UNITS/../bin/systemctl" start mkvbench-payment.service
}

agent_contract() { # JQ
	jq -cn --arg key "$key_id" --argjson port "$payment_port" '{
		mkvbench_contract: 1, name: "agents", scenario: "bare-metal",
		key: {algorithm: "ed25519", id: $key}, verify: {mode: "gate"},
		hosts: {
			payment: {image: "dut", role: "payment", address: "127.0.0.1"},
			loadgen: {image: "dut", role: "loadgen", address: "127.0.0.1"}},
		images: {dut: {platform: "metal"}},
		experiment: {
			request: {method: "GET", role: "payment", port: $port, path: "/healthz?{n}",
				status: 200, headers: {"X-Test": "a\\b"}},
			rate: 50, arrivals: "constant", connections: 8, timeout_ns: 5000000000,
			warm_up: 5, measured: 20,
			services: {payment: {role: "payment", unit: "mkvbench-payment.service",
				port: $port, health: "/healthz", spans: true,
				clean_up: ["clean-payment", "a b", "$(touch pwned)", ";"],
				vary: ["SLEEP", "LINPACK_SIZE"]}}}} | '"${1:-.}" \
		>"$TEST_TMP/contract/contract.json"
	contract_sha=$(sha256sum <"$TEST_TMP/contract/contract.json" | cut -c 1-64)
}

agent_init() {
	local host ports
	need jq curl
	export UNITS=$TEST_TMP/units
	mkdir -p "$UNITS" "$TEST_TMP"/{bin,contract,loadgen,payment,overrides,run-payment,run-loadgen}
	ln -s "$ROOT"/tests/lib/agent/* "$TEST_TMP/bin/"
	export PATH=$TEST_TMP/bin:$PATH MKVBENCH_OVERRIDES_DIR=$TEST_TMP/overrides
	unset MKVBENCH_BOOT_ID
	trap agents_end EXIT
	read -ra ports < <(free_ports 3)
	payment_port=${ports[0]}
	agent_port=([payment]=${ports[1]} [loadgen]=${ports[2]})
	boot=$(</proc/sys/kernel/random/boot_id)
	plan_sha=$(echo plan | sha256sum | cut -c 1-64)
	"$BUILD/mkvbench" keygen --output "$TEST_TMP/key.pem" >/dev/null
	cp "$TEST_TMP/key.pub" "$TEST_TMP/contract/"
	key_id=$(openssl pkey -pubin -in "$TEST_TMP/key.pub" -outform DER | sha256sum | cut -c 1-64)
	agent_contract "${1:-.}"
	agent_units
	for host in payment loadgen; do
		echo "$host" >"$TEST_TMP/run-$host/host"
		receipt $host pass
	done
}

receipt() {
	jq -n --arg v "$2" --arg b "${3:-$boot}" '{verdict: $v, machine: {boot_id: $b}}' \
		>"$TEST_TMP/run-$1/receipt.json"
	echo "evidence of $1" >"$TEST_TMP/run-$1/system.txt"
}

agent_start() {
	local host=$1
	shift
	env "MKVBENCH_PORT=${agent_port[$host]}" "MKVBENCH_RUN_DIR=$TEST_TMP/run-$host" \
		"MKVBENCH_CONTRACT_DIR=$TEST_TMP/contract" "MKVBENCH_LOADGEN_DIR=$TEST_TMP/loadgen" \
		"MKVBENCH_STATE_DIR=$TEST_TMP" MKVBENCH_COMMAND_S=30 MKVBENCH_HEALTH_S=20 "$@" \
		"$BUILD/programs/agent" 2>>"$TEST_TMP/agent-$host.log" &
	agent_pid[$host]=$!
	for _ in $(seq 200); do
		kill -0 "${agent_pid[$host]}" || fail "the agent of $host ended"
		curl -s -o /dev/null "http://127.0.0.1:${agent_port[$host]}/v1/state" && return
		sleep 0.05
	done
	fail "the agent of $host doesn't listen"
}

agent_end() {
	local rc=0
	kill "${agent_pid[$1]}"
	wait "${agent_pid[$1]}" || rc=$?
	unset "agent_pid[$1]"
	[ $rc = 0 ] || fail "the agent of $1 ended with $rc"
}

predicate() { # STEP SEQUENCE [JQ]
	jq -cn --arg plan "$plan_sha" --arg contract "$contract_sha" --arg boot "$boot" \
		--arg step "$1" --argjson sequence "$2" '{
		mkvbench_command: 1, plan_sha256: $plan, contract_sha256: $contract,
		run: "01-1-kvm", attempt: 1, step: $step, sequence: $sequence,
		boots: {payment: $boot, loadgen: $boot}, settings: {payment: {SLEEP: "50us"}},
		tracing: "off", load: {rate: 50, arrivals: "constant", connections: 8,
		warm_up: 5, measured: 20, timeout_ns: 5000000000, seed: 7}} | '"${3:-.}"
}

signed() { # FILE STEP SEQUENCE [JQ]
	predicate "${@:2}" | "$BUILD/tests/tools/sign_command" "$TEST_TMP/key.pem" >"$1" ||
		fail "can't sign ${*:2}"
}

post() {
	local got
	got=$(curl -s -m 20 -o "$TEST_TMP/body" -w '%{http_code}' --data-binary "@$3" \
		"http://127.0.0.1:${agent_port[$1]}/v1/command") || true
	body=$(<"$TEST_TMP/body")
	[ "$got" = "$2" ] || fail "$3: $got, not $2: $body"
}

get() {
	body=$(curl -s -f -m 20 "http://127.0.0.1:${agent_port[$1]}$2") || fail "GET $2"
}

expect() {
	jq -e "$1" <<<"$body" >/dev/null || fail "not $1: $body"
}

is_step() {
	get "$1" /v1/state
	[ "$(jq -r '"\(.step) \(.step_state)"' <<<"$body")" = "$2 $3" ]
}
wait_step() {
	local end=$((SECONDS + 40))
	until is_step "$@"; do
		[ $SECONDS -le $end ] || fail "$*: $body"
		sleep 0.05
	done
}
