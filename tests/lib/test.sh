# shellcheck shell=bash
# What every test script may need. Sourced, also by the other files of this directory;
# expects TEST_TMP and, for `once` and `free_ports`, SHARED.
#
#   fail MESSAGE...     the test failed: prints the message, then what the function
#                       on_fail prints, if the test defines one
#   skip REASON...      the test can't run on this machine
#   need PROGRAM...     skips unless all are installed
#   expect_status N COMMAND...   runs it; output goes to $TEST_TMP/out and /err
#   expect_text FILE PATTERN     an extended regular expression that must match a line
#   wait_for SECONDS COMMAND...  until the command succeeds; fails after the time
#   free_ports N        prints N TCP ports that nobody uses and no other test of this
#                       run gets
#   flip_bit FILE OFFSET         changes one bit of the byte there
#   once NAME COMMAND...         runs it in the first test of a run that asks; others
#                       wait for it. A command that fails is run again by the next.

fail() {
	echo "$*"
	if declare -F on_fail >/dev/null; then on_fail || true; fi
	exit 1
}

skip() {
	echo "$*"
	exit 77
}

need() {
	local program
	for program; do
		PATH=$PATH:/usr/sbin:/sbin command -v "$program" >/dev/null ||
			skip "$program is not installed"
	done
}

expect_status() {
	local wanted=$1 got=0
	shift
	"$@" >"$TEST_TMP/out" 2>"$TEST_TMP/err" || got=$?
	[ "$got" = "$wanted" ] && return
	cat "$TEST_TMP/out" "$TEST_TMP/err"
	fail "status $got, not $wanted: $*"
}

expect_text() {
	grep -Eq -- "$2" "$1" || {
		cat "$1"
		fail "no line of ${1##*/} matches /$2/"
	}
}

wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -le $end ] || fail "not in time: $*"
		sleep 0.1
	done
}

# Below the ports that the kernel gives to clients, so that no connection takes one
# between here and the server's bind. A run of tests counts in a file; another run
# counts from elsewhere.
free_ports() {
	local folder=${SHARED:-$TEST_TMP}
	mkdir -p "$folder"
	flock "$folder/ports.lock" python3 - "$1" "$folder/ports" <<-'END'
		import os, socket, sys
		wanted, path = int(sys.argv[1]), sys.argv[2]
		first, last = 10000, 32000
		if os.path.exists(path):
		    port = int(open(path).read())
		else:
		    port = first + os.getpid() * 97 % (last - first)
		found = []
		while len(found) < wanted:
		    port = port + 1 if port < last else first
		    with socket.socket() as s:
		        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		        try:
		            s.bind(("127.0.0.1", port))
		        except OSError:
		            continue
		    found.append(port)
		with open(path, "w") as f:
		    f.write(str(port))
		print(*found)
	END
}

flip_bit() {
	local byte
	chmod u+w "$1"
	byte=$(od -An -tu1 -j "$2" -N 1 "$1")
	printf '%b' "\\x$(printf %02x $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

once() {
	local name=$1 folder=${SHARED:-$TEST_TMP}
	shift
	mkdir -p "$folder"
	exec 9>"$folder/$name.once.lock"
	flock 9
	if [ ! -e "$folder/$name.once" ]; then
		"$@" 9>&- || fail "$name can't be prepared: $*"
		touch "$folder/$name.once"
	fi
	exec 9>&-
}
