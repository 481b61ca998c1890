# For tests of whole scenarios. Sourced; expects what tests/lib/small.sh does.
#
#   scenario NAME   builds recipes/emulated/NAME.yaml, boots all its hosts, lets its
#                   load generator send orders, and looks at receipts and traces
#
# A boot of five emulated hosts takes minutes: they need the word "scenario", that is
# `make check-scenarios`.
. "$ROOT/tests/lib/small.sh"

skip() {
	echo "$*"
	exit 77
}

scenario() { # NAME
	local name=$1 orders=3 images=$SHARED/scenarios consoles=$TEST_TMP/consoles status=0
	local appliance=$images/emulated-$name hosts='collector loadgen order payment user' host
	command -v qemu-system-x86_64 >/dev/null || skip "no qemu-system-x86_64"
	mkdir -p "$XDG_CACHE_HOME" "$XDG_CONFIG_HOME" "$images"
	[ -f "$XDG_CONFIG_HOME/mkvbench/key.pem" ] || "$mkvbench" keygen >/dev/null
	"$mkvbench" build --quiet --lock "$images/$name.lock" --output "$images" \
		"$ROOT/recipes/emulated/$name.yaml" || fail "it doesn't build"
	echo "built after $SECONDS s"
	# Before the test's own time is up, so that the consoles can be shown.
	timeout -s INT $((${TEST_TIMEOUT:-900} - SECONDS - 20)) \
		"$mkvbench" boot "$appliance" --accel tcg --json --load $orders \
		--console "$consoles" >"$TEST_TMP/out" 2>"$TEST_TMP/err" || status=$?
	echo "booted after $SECONDS s, status $status"
	jq -r 'select(.host) | "\(.host): \(.verdict) after \(.seconds | round) s\n\(.receipt)"' "$TEST_TMP/out"
	cat "$TEST_TMP/err"
	if [ $status != 0 ]; then
		for host in $hosts; do
			echo "== $host"
			tr -d '\r' <"$consoles/$host.console" | grep -av 'Job .* running' | tail -n 12
		done
		fail "the boot failed"
	fi
	[ "$(jq -r 'select(.verdict == "pass") | .host' "$TEST_TMP/out" | sort | paste -sd ' ')" = "$hosts" ] ||
		fail "not all of '$hosts' passed"
	jq -e 'select(.load) | .answered and .spans > 0 and .exported and .dropped == 0' "$TEST_TMP/out" >/dev/null || fail "the load"
	jq -r 'select(.load) | .load' "$TEST_TMP/out"
	python3 "$ROOT/tests/tools/check_trace.py" "$consoles/traces.pb" "$appliance/manifest.json" \
		$orders || fail "the traces"
	rm -rf "$appliance"
}
