# shellcheck shell=bash
# For tests of whole builds: the appliance of recipes/small.yaml, built once per run of
# tests/run and shared. Sourced; expects ROOT, BUILD, TEST_TMP, SHARED.
#
#   small_appliance        builds it unless another test did; then these exist:
#     $small               the appliance
#     $small_lock          its lock
#     $small_images        the directory given to --output
#     $XDG_CACHE_HOME      the store, $XDG_CONFIG_HOME the key
#   private_store DIR [cold]   copies the store, so that a test can damage it; `cold`:
#                              only the packages, no results of steps
#   small_keys             makes the signing key of this run unless it exists
#   digests APPLIANCE      prints the SHA-256 of every file
# and the functions of tests/lib/test.sh.
. "$ROOT/tests/lib/test.sh"
export PATH=$PATH:/usr/sbin:/sbin
mkvbench=$BUILD/mkvbench
SHARED=${SHARED:-$TEST_TMP/shared}
export XDG_CACHE_HOME=$SHARED/cache XDG_CONFIG_HOME=$SHARED/config
small_recipe=$ROOT/recipes/small.yaml
small_lock=$SHARED/small.lock
small_images=$SHARED/images
small=$small_images/small

small_keys() {
	mkdir -p "$XDG_CACHE_HOME" "$XDG_CONFIG_HOME"
	once key small_keygen
}

small_keygen() {
	"$mkvbench" keygen >/dev/null
}

small_appliance() {
	small_keys
	once small "$mkvbench" build --quiet --lock "$small_lock" --output "$small_images" "$small_recipe"
}

# Prints the path of an object of a store.
object() { # STORE SHA256
	echo "$1/objects/${2:0:2}/${2:2}"
}

private_store() {
	local store=$1 from=$XDG_CACHE_HOME/mkvbench sha256
	# The copy has no mark file, like a store of an old version. Other tests may add to
	# the store during the copy: a step is written after its objects, so steps are copied
	# first and the objects of all copied steps exist.
	mkdir -p "$store"/{objects,steps,tmp}
	if [ "${2:-}" != cold ]; then
		cp -r "$from/steps/." "$store/steps/"
		cp -r "$from/objects/." "$store/objects/"
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
