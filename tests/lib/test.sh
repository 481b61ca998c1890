# shellcheck shell=bash
# Functions for every test script. Sourced, also by the other files of this directory;
# expects TEST_TMP and, for `once` and `free_ports`, SHARED.
#
#   fail MESSAGE...     ends the test as failed: prints the message, then calls the
#                       function on_fail if the test defines it
#   skip REASON...      ends the test as skipped: it can't run on this machine
#   need PROGRAM...     skips unless all are installed
#   expect_status N COMMAND...   runs the command, which must end with N; its output
#                       goes to $TEST_TMP/out and $TEST_TMP/err
#   expect_text FILE PATTERN     an extended regular expression must match a line
#   wait_for SECONDS COMMAND...  repeats the command until it succeeds; fails after
#                       the time
#   free_ports N        prints N TCP ports that are unused and that no other test of
#                       this run gets
#   flip_bit FILE OFFSET         changes one bit of the byte at OFFSET
#   once NAME COMMAND...         runs the command in the first test of a run that
#                       calls it; others wait for it. After a failure the next test
#                       runs the command again.

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
		[ $SECONDS -le $end ] || fail "timed out: $*"
		sleep 0.1
	done
}

# The ports are below the kernel's range for clients, so that no connection takes one
# before the server binds it. The tests of a run share a counter in a file; each run
# starts at a different port.
free_ports() {
	local directory=${SHARED:-$TEST_TMP}
	mkdir -p "$directory"
	flock "$directory/ports.lock" python3 - "$1" "$directory/ports" <<-'END'
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
	local name=$1 directory=${SHARED:-$TEST_TMP}
	shift
	mkdir -p "$directory"
	exec 9>"$directory/$name.once.lock"
	flock 9
	if [ ! -e "$directory/$name.once" ]; then
		"$@" 9>&- || fail "prepare $name: command failed: $*"
		touch "$directory/$name.once"
	fi
	exec 9>&-
}
