# shellcheck shell=bash
# For tests of whole scenarios. Sourced; expects what tests/lib/small.sh does.
#
#   scenario NAME   builds recipes/emulated/NAME.yaml, boots all its hosts, lets its
#                   load generator send orders, and checks receipts and traces
#
# A boot of five emulated hosts takes minutes: these tests have the word `scenario` in
# `needs`, so only `make check-scenarios` runs them.
. "$ROOT/tests/lib/small.sh"

# Polls during a boot the clock bound of each host that passed, as its node exporter
# publishes it for the verifier; appends lines "HOST SECONDS".
watch_bounds() { # FILE-OF-THE-BOOT'S-NOTES OUTPUT-FILE
	local host at
	while sleep 5; do
		while read -r host at; do
			curl -s -m 10 "http://$at/metrics?collect%5B%5D=textfile" |
				awk -v host="$host" '{value[$1] = $2}
					END {if (value["mkvbench_verified"] == 1 && value["mkvbench_clock_bound_seconds"] > 0)
						print host, value["mkvbench_clock_bound_seconds"]}' || true # not up yet
		done < <(sed -n 's/.*"text":"\([a-z]*\):9100 is forwarded from \([0-9.:]*\)".*/\1 \2/p' "$1") >>"$2"
	done
}

# Prints the largest bound of all hosts, in microseconds; fails if a host is missing.
worst_bound_us() { # FILE-OF-WATCH_BOUNDS HOST...
	local file=$1
	shift
	awk -v hosts="$*" '{seen[$1] = 1; if ($2 > worst) worst = $2}
		END {n = split(hosts, wanted, " ")
		     for (i = 1; i <= n; i++) if (!(wanted[i] in seen)) exit 1
		     printf "%.1f", worst * 1e6}' "$file"
}

# Prints a program of an appliance: from the layers of its OCI image if there is one,
# otherwise from the disk.
print_program() { # APPLIANCE NAME
	local oci=$1/oci path=usr/bin/mkvbench-$2 disk=$1/dut/disk.raw manifest layer start
	manifest=$(jq -r --arg name "$2:pinned" '.manifests[] |
		select(.annotations["org.opencontainers.image.ref.name"] == $name) | .digest' "$oci/index.json")
	if [ -n "$manifest" ]; then
		for layer in $(jq -r '.layers[].digest' "$oci/blobs/sha256/${manifest#sha256:}"); do
			zcat "$oci/blobs/sha256/${layer#sha256:}" | tar -xO "$path" 2>/dev/null && return
		done
		return 1
	fi
	start=$(sfdisk -J "$disk" | jq '.partitiontable.partitions[] |
		select(.type == "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709").start')
	debugfs -R "cat /$path" "$disk?offset=$((start * 512))" 2>/dev/null
}

# The programs of every scenario are byte for byte those of the build.
compare_programs() { # APPLIANCE
	local name
	for name in order payment user; do
		print_program "$1" "$name" | cmp - "$BUILD/programs/$name" || fail "$name differs from the build's"
	done
}

scenario() { # NAME
	local calling=(loadgen order payment user) watcher worst_us
	local name=$1 orders=3 images=$SHARED/scenarios consoles=$TEST_TMP/consoles status=0
	local appliance=$images/emulated-$name hosts='collector loadgen order payment user' host
	need qemu-system-x86_64
	mkdir -p "$images"
	small_keys
	"$mkvbench" build --quiet --lock "$images/$name.lock" --output "$images" \
		"$ROOT/recipes/emulated/$name.yaml" || fail "the build of $name failed"
	compare_programs "$appliance"
	echo "built after $SECONDS s"
	: >"$TEST_TMP/err"
	: >"$TEST_TMP/bounds"
	watch_bounds "$TEST_TMP/err" "$TEST_TMP/bounds" &
	watcher=$!
	# Ends before the test's own timeout, so that the consoles can be printed.
	timeout -s INT $((${TEST_TIMEOUT:-900} - SECONDS - 20)) \
		"$mkvbench" boot "$appliance" --accel tcg --json --load $orders \
		--forward "$(printf '%s:9100,' "${calling[@]}" | sed 's/,$//')" \
		--console "$consoles" >"$TEST_TMP/out" 2>"$TEST_TMP/err" || status=$?
	kill $watcher
	wait $watcher || true
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
	jq -e 'select(.load) | .answered and .spans > 0 and .exported and .dropped == 0' "$TEST_TMP/out" >/dev/null || fail "the load failed"
	jq -r 'select(.load) | .load' "$TEST_TMP/out"
	# Spans of different hosts may be inconsistent by the hosts' own clock bounds only.
	worst_us=$(worst_bound_us "$TEST_TMP/bounds" "${calling[@]}") ||
		fail "not all of '${calling[*]}' reported a clock bound: $(sort -u "$TEST_TMP/bounds")"
	python3 "$ROOT/tests/tools/check_trace.py" --bound-us "$worst_us" "$consoles/traces.pb" "$appliance/manifest.json" \
		$orders || fail "the traces are incomplete or inconsistent"
	rm -rf "$appliance"
}
