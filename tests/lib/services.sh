# shellcheck shell=bash
# For tests and measurements of the services: a PostgreSQL of one's own and the
# programs, all on loopback. Sourced; expects BUILD and TEST_TMP.
#
#   services_init           ports and the environment; ends everything at exit
#     ${port[NAME]}           of pg, user, payment, order, collector, proxy
#     ${pid[NAME]}            of what runs
#   services_pg [OPTIONS]   PostgreSQL, made by our own entrypoint the first time;
#                           OPTIONS as in MKVBENCH_PG_OPTIONS
#   services_start NAME [VARIABLE=VALUE...]   waits until it listens
#   services_stop NAME      SIGTERM (pg: SIGINT); it must end with 0
#   services_load [VARIABLE=VALUE...]   a run of loadgen: $TEST_TMP/summary.json,
#                           and $TEST_TMP/run.csv with every request
#   services_load_on [...]  the same without an end, in the background, until
#   services_load_off         ends it
#   services_missing        orders that a run was answered 200 for and that are
#                           not in the database, each a line
#   request STATUS CURL-ARGUMENTS...   leaves the answer in $body; within 20 s
#   expect JQ-FILTER        which must hold for $body
#   metric NAME SERIES
# and what tests/lib/test.sh has; a failure prints the end of each log.
#
# SERVICES_PREFIX is an array put before each service's command, LOAD_PREFIX one
# before loadgen, PostgreSQL and the collector.
. "$ROOT/tests/lib/test.sh"
declare -A pid port
declare -a SERVICES_PREFIX LOAD_PREFIX as

on_fail() {
	tail -q -n 8 "$TEST_TMP"/*.log
}

services_end() {
	[ ${#pid[@]} = 0 ] || kill -CONT "${pid[@]}" || true
	[ ${#pid[@]} = 0 ] || kill "${pid[@]}" || true
	wait || true
} 2>/dev/null

services_init() {
	local ports
	pg_bin=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort | tail -n 1)
	[ -n "$pg_bin" ] || skip "PostgreSQL is not installed"
	as=() # PostgreSQL refuses to run as root
	if [ "$(id -u)" = 0 ]; then
		id postgres >/dev/null 2>&1 || skip "no user postgres"
		as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
		chmod 0711 "$TEST_TMP"
		install -d -o postgres -g postgres -m 0700 "$TEST_TMP/pg"
	else
		mkdir -m 0700 "$TEST_TMP/pg"
	fi
	cp "$BUILD/programs/postgres" "$TEST_TMP/mkvbench-postgres"
	mkdir "$TEST_TMP/data"
	trap services_end EXIT
	read -ra ports < <(free_ports 6)
	port=([pg]=${ports[0]} [user]=${ports[1]} [payment]=${ports[2]}
		[order]=${ports[3]} [collector]=${ports[4]} [proxy]=${ports[5]})
	url=http://127.0.0.1
	order=$url:${port[order]}
	export PGHOST=127.0.0.1 PGPORT=${port[pg]} PGUSER=mkvbench PGDATABASE=mkvbench
	export MKVBENCH_ADDRESS=127.0.0.1 MKVBENCH_DATA_DIR=$TEST_TMP/data
	export MKVBENCH_USER_URL=$url:${port[user]} MKVBENCH_ORDER_URL=$order
	export MKVBENCH_PAYMENT_URL=$url:${port[payment]}
	# What other work on the machine doesn't reach; a test that is about a limit
	# sets it.
	export MKVBENCH_PEER_TIMEOUT_MS=15000 MKVBENCH_DB_TIMEOUT_MS=15000
	export MKVBENCH_QUEUE_MS=15000
}

services_pg() {
	MKVBENCH_PG_DATA=$TEST_TMP/pg/data MKVBENCH_PG_PORT=${port[pg]} \
		MKVBENCH_PG_OPTIONS="-c shared_buffers=16MB ${1:--c fsync=off}" \
		"${LOAD_PREFIX[@]}" "${as[@]}" "$TEST_TMP/mkvbench-postgres" >>"$TEST_TMP/pg.log" 2>&1 &
	pid[pg]=$!
	for _ in $(seq 300); do
		"$pg_bin/pg_isready" -q -h 127.0.0.1 -p "${port[pg]}" && return
		kill -0 "${pid[pg]}" || fail "PostgreSQL ended"
		sleep 0.1
	done
	fail "PostgreSQL didn't start"
}

services_start() {
	local name=$1 prefix=("${SERVICES_PREFIX[@]}")
	shift
	[ "$name" != collector ] || prefix=("${LOAD_PREFIX[@]}")
	env "MKVBENCH_PORT=${port[$name]}" "$@" "${prefix[@]}" \
		"$BUILD/programs/$name" 2>>"$TEST_TMP/$name.log" &
	pid[$name]=$!
	for _ in $(seq 600); do
		kill -0 "${pid[$name]}" || fail "$name ended"
		curl -s -o "$TEST_TMP/body" "$url:${port[$name]}/metrics" && return
		sleep 0.05
	done
	fail "$name doesn't listen"
}

services_stop() {
	local signal=TERM rc=0
	[ "$1" != pg ] || signal=INT
	kill -$signal "${pid[$1]}"
	wait "${pid[$1]}" || rc=$?
	unset "pid[$1]"
	[ $rc = 0 ] || fail "$1 ended with $rc"
}

services_load_on() {
	rm -rf "$TEST_TMP"/data/run-*
	env MKVBENCH_WARM_UP=0 MKVBENCH_COUNT=1000000 "$@" "${LOAD_PREFIX[@]}" \
		"$BUILD/programs/loadgen" 2>>"$TEST_TMP/loadgen.log" >"$TEST_TMP/summary.json" &
	pid[loadgen]=$!
}

services_load_end() { # its status
	local rc=0
	wait "${pid[loadgen]}" || rc=$?
	unset "pid[loadgen]"
	mv "$TEST_TMP"/data/run-*/load.csv "$TEST_TMP/run.csv" || fail "loadgen ended with $rc"
	return $rc
}

services_load_off() {
	kill -TERM "${pid[loadgen]}"
	services_load_end
}

services_load() {
	services_load_on "$@"
	services_load_end
}

services_missing() {
	awk -F, '$8 == 200 {print $12}' "$TEST_TMP/run.csv" | sort >"$TEST_TMP/answered"
	"$pg_bin/psql" -Atc "SELECT id FROM orders" | sort >"$TEST_TMP/stored"
	comm -23 "$TEST_TMP/answered" "$TEST_TMP/stored"
}

request() {
	local want=$1 got
	shift
	: >"$TEST_TMP/body"
	got=$(curl -s -m 20 -o "$TEST_TMP/body" -w '%{http_code}' "$@") || true
	body=$(tr -d '\0' <"$TEST_TMP/body")
	[ "$got" = "$want" ] || fail "$*: $got instead of $want: $body"
}

expect() {
	jq -e "$1" <<<"$body" >/dev/null || fail "not $1: $body"
}

metric() {
	curl -s "$url:${port[$1]}/metrics" | awk -v s="$2" 'index($0, s) == 1 {print $2}'
}
