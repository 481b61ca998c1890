# For tests of whole builds: the appliance of recipes/small.yaml, built once in a
# run of tests/run and shared. Sourced; expects ROOT, BUILD, TEST_TMP, SHARED.
#
#   small_appliance        builds it unless another test did; then there are
#     $small               the appliance
#     $small_lock          its lock
#     $small_images        the folder given to --output
#     $XDG_CACHE_HOME      the store, $XDG_CONFIG_HOME the key
#   private_store DIR [cold]   a copy of the store to do harm to; `cold`: only
#                              the packages, no results of steps
#   fail MESSAGE; expect_status N COMMAND...; digests APPLIANCE
export PATH=$PATH:/usr/sbin:/sbin
mkvbench=$BUILD/mkvbench
SHARED=${SHARED:-$TEST_TMP/shared}
export XDG_CACHE_HOME=$SHARED/cache XDG_CONFIG_HOME=$SHARED/config
small_recipe=$ROOT/recipes/small.yaml
small_lock=$SHARED/small.lock
small_images=$SHARED/images
small=$small_images/small

fail() {
	echo "$*"
	exit 1
}

# Output goes to $TEST_TMP/out and $TEST_TMP/err.
expect_status() {
	local wanted=$1 got=0
	shift
	"$@" >"$TEST_TMP/out" 2>"$TEST_TMP/err" || got=$?
	[ "$got" = "$wanted" ] && return
	cat "$TEST_TMP/out" "$TEST_TMP/err"
	fail "status $got, not $wanted: $*"
}

expect_text() { # FILE PATTERN
	grep -Eq -- "$2" "$1" || { cat "$1"; fail "no /$2/"; }
}

small_appliance() {
	mkdir -p "$XDG_CACHE_HOME" "$XDG_CONFIG_HOME"
	[ -f "$XDG_CONFIG_HOME/mkvbench/key.pem" ] || "$mkvbench" keygen >/dev/null
	[ -f "$SHARED/small.built" ] && return
	"$mkvbench" build --quiet --lock "$small_lock" --output "$small_images" \
		"$small_recipe" || fail "recipes/small.yaml doesn't build"
	touch "$SHARED/small.built"
}

# Prints the store's file of a digest.
object() { # STORE SHA256
	echo "$1/objects/${2:0:2}/${2:2}"
}

private_store() {
	local store=$1 from=$XDG_CACHE_HOME/mkvbench sha256
	# As a version without a mark made it.
	mkdir -p "$store"/{objects,steps,tmp}
	if [ "${2:-}" != cold ]; then
		cp -r "$from/objects" "$from/steps" "$store/"
		return
	fi
	awk '$1 == "package" {print}' "$small_lock" | grep -oE '\b[0-9a-f]{64}\b' |
		while read -r sha256; do
			mkdir -p "$store/objects/${sha256:0:2}"
			cp "$(object "$from" "$sha256")" "$(object "$store" "$sha256")"
		done
}

digests() {
	(cd "$1" && find . -type f -print0 | sort -z | xargs -0 sha256sum)
}
