# shellcheck shell=bash
# For tests that need Docker's programs or units: downloaded once per run of tests/run
# and never installed, so that no service of Docker starts on this machine. Sourced;
# expects SHARED or TEST_TMP.
#
#   dockerd_fetch   puts dockerd and docker into PATH, and sets
#     $docker_root    the directory of the unpacked packages; "" if Docker is installed
. "$ROOT/tests/lib/test.sh"

dockerd_fetch() {
	docker_root=
	command -v dockerd >/dev/null && return
	docker_root=${SHARED:-$TEST_TMP}/docker
	export PATH=$docker_root/usr/sbin:$docker_root/usr/bin:$PATH
	once docker dockerd_unpack
}

dockerd_unpack() {
	local debs=$docker_root.debs part=$docker_root.part deb
	rm -rf "$debs" "$part"
	mkdir -p "$debs"
	(cd "$debs" && apt-get -q download docker.io containerd runc tini >/dev/null 2>&1) ||
		skip "docker.io can't be downloaded"
	for deb in "$debs"/*.deb; do dpkg-deb -x "$deb" "$part"; done
	# Debian 13 has the client in a separate package.
	[ -e "$part/usr/bin/docker" ] || {
		(cd "$debs" && apt-get -q download docker-cli >/dev/null 2>&1)
		dpkg-deb -x "$debs"/docker-cli_*.deb "$part"
	}
	rm -rf "$debs"
	mv "$part" "$docker_root"
}
