# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# A small Debian archive of packages with random data, signed by its own key and served
# on loopback. For tests; source it with TEST_TMP set, then
#   mirror_key; mirror_package ...; mirror_release SUITE ...; mirror_serve
# $mirror_uris holds the arguments of --mirror, $mirror_keyring that of --keyring.

. "$ROOT/tests/lib/test.sh"
mirror=$TEST_TMP/mirror
mirror_keyring=$TEST_TMP/keyring.gpg
mkdir -p "$mirror"
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY
# Proxy settings of the host's apt must not apply to loopback.
echo 'Acquire::http::Proxy "DIRECT";' >"$TEST_TMP/apt.conf"
export APT_CONFIG=$TEST_TMP/apt.conf

# mirror_key [NAME]: makes a signing key; its public part is $TEST_TMP/NAME.gpg.
# Its directory has a short path because gpg-agent has sockets there (sun_path).
mirror_key() {
	local name=${1:-keyring} home
	home=$(mktemp -d "$TEST_TMP/XXXX")
	gpg --homedir "$home" --batch --quiet --passphrase '' \
		--quick-generate-key "test <$name@example.invalid>" ed25519 sign never 2>"$TEST_TMP/gpg.log" ||
		{ cat "$TEST_TMP/gpg.log"; return 1; }
	gpg --homedir "$home" --batch --export >"$TEST_TMP/$name.gpg"
	eval "mirror_home_$name=$home"
}

mirror_sign() { # KEY RELEASE INRELEASE
	local home_variable=mirror_home_$1
	gpg --homedir "${!home_variable}" --batch --quiet --yes --digest-algo SHA256 \
		--clearsign -o "$3" "$2"
}

# mirror_package ARCHIVE NAME VERSION [FIELD...]: a .deb in that archive's pool,
# and its stanza; each FIELD is a line of the control file.
mirror_package() {
	local archive=$1 name=$2 version=$3 tree=$TEST_TMP/package arch=all prefix=pool deb field
	shift 3
	[ "$archive" = debian ] || prefix=pool/updates
	rm -rf "$tree"
	mkdir -p "$tree/DEBIAN" "$tree/usr/share/$name"
	# Incompressible and large enough that a truncated download has some bytes.
	head -c 20000 < <(openssl enc -aes-128-ctr -pass "pass:$name$version" -nosalt -pbkdf2 </dev/zero 2>/dev/null) \
		>"$tree/usr/share/$name/data"
	{
		printf 'Package: %s\nVersion: %s\nArchitecture: %s\n' "$name" "$version" "$arch"
		printf 'Maintainer: test <test@example.invalid>\n'
		for field in "$@"; do printf '%s\n' "$field"; done
		printf 'Description: nothing\n'
	} >"$tree/DEBIAN/control"
	deb=$prefix/main/${name:0:1}/$name/${name}_${version}_$arch.deb
	mkdir -p "$mirror/$archive/$(dirname "$deb")" "$mirror/stanzas/$archive"
	SOURCE_DATE_EPOCH=1000000000 dpkg-deb -Znone --root-owner-group --build "$tree" "$mirror/$archive/$deb" >/dev/null
	{
		grep -v '^Description' "$tree/DEBIAN/control"
		printf 'Filename: %s\nSize: %s\nSHA256: %s\nDescription: nothing\n\n' "$deb" \
			"$(stat -c %s "$mirror/$archive/$deb")" \
			"$(sha256sum "$mirror/$archive/$deb" | cut -d' ' -f1)"
	} >"$mirror/stanzas/$archive/$name"
}

# mirror_drop ARCHIVE NAME: removes a package and its file.
mirror_drop() {
	rm -f "$mirror/stanzas/$1/$2" "$mirror/$1"/pool/*/"${2:0:1}/$2"/* \
		"$mirror/$1"/pool/*/*/"${2:0:1}/$2"/*
}

# mirror_release ARCHIVE SUITE: writes index and signed release. Settings by variable:
# release_origin, _label, _codename, _suite, _date, _valid, _key.
mirror_release() {
	local archive=$1 suite=$2 dists=$mirror/$1/dists/$2 label=Debian file
	local binary=$dists/main/binary-amd64
	[ "$archive" = debian ] || label=Debian-Security
	mkdir -p "$binary"
	cat "$mirror/stanzas/$archive/"* >"$binary/Packages" 2>/dev/null || : >"$binary/Packages"
	xz -kf "$binary/Packages"
	gzip -nkf "$binary/Packages"
	{
		printf 'Origin: %s\nLabel: %s\nSuite: %s\nCodename: %s\n' \
			"${release_origin:-Debian}" "${release_label:-$label}" \
			"${release_suite:-stable}" "${release_codename:-$suite}"
		printf 'Date: %s\n' "${release_date:-Sat, 01 Jan 2022 00:00:00 UTC}"
		[ -z "${release_valid:-}" ] || printf 'Valid-Until: %s\n' "$release_valid"
		printf 'Architectures: all amd64\nComponents: main\nSHA256:\n'
		for file in Packages Packages.xz Packages.gz; do
			printf ' %s %s main/binary-amd64/%s\n' \
				"$(sha256sum "$binary/$file" | cut -d' ' -f1)" \
				"$(stat -c %s "$binary/$file")" "$file"
		done
	} >"$dists/Release"
	mirror_sign "${release_key:-keyring}" "$dists/Release" "$dists/InRelease"
}

# Makes the packages that every recipe of an image needs, and those of the tests.
mirror_usual() {
	mirror_package debian base-files 1 'Essential: yes' 'Priority: required' 'Pre-Depends: awk'
	mirror_package debian dash 1 'Essential: yes' 'Priority: required'
	mirror_package debian mawk 1 'Priority: required' 'Provides: awk'
	mirror_package debian gawk 1 'Provides: awk'
	mirror_package debian mount 1 'Priority: required'
	local name
	for name in systemd-sysv udev kmod iproute2 libssl3t64 systemd-boot-efi dbus; do
		mirror_package debian "$name" 1
	done
	mirror_package debian initramfs-tools 1 'Provides: linux-initramfs-tool'
	mirror_package debian dracut 1 'Provides: linux-initramfs-tool'
	mirror_package debian linux-image-cloud-amd64 1 'Depends: initramfs-tools | linux-initramfs-tool'
	mirror_package debian zlib-late 1
	mirror_package debian chrony 4.0 'Depends: adduser (>= 1), zlib-late' 'Recommends: gawk'
	mirror_package debian adduser 1 'Depends: circle-a'
	mirror_package debian circle-a 1 'Depends: circle-b'
	mirror_package debian circle-b 1 'Pre-Depends: circle-c'
	mirror_package debian circle-c 1 'Depends: circle-a'
	mirror_package debian-security dash 1+sec 'Essential: yes' 'Priority: required'
	mirror_package debian postfix 1 'Provides: mail-transport-agent'
	mirror_package debian exim4 1 'Provides: mail-transport-agent'
	mirror_package debian unhappy 1 'Depends: nowhere (>= 2)'
	mirror_package debian nemesis 1 'Conflicts: chrony'
	mirror_release debian trixie
	mirror_release debian-security trixie-security
}

mirror_serve() { # sets $mirror_uris, $mirror_log, $mirror_faults
	mirror_log=$TEST_TMP/requests
	mirror_faults=$TEST_TMP/faults
	: >"$mirror_log"
	: >"$mirror_faults"
	rm -f "$TEST_TMP/port"
	python3 "$ROOT/tests/tools/mirror/serve.py" "$mirror" "$TEST_TMP/port" "$mirror_log" "$mirror_faults" &
	mirror_pid=$!
	local waited=0
	until [ -s "$TEST_TMP/port" ]; do
		waited=$((waited + 1))
		[ "$waited" -lt 100 ] || fail "the mirror did not start"
		sleep 0.1
	done
	local base
	base=http://127.0.0.1:$(<"$TEST_TMP/port")
	mirror_uris=$base/debian,$base/debian-security
}

mirror_stop() {
	[ -z "${mirror_pid:-}" ] || kill "$mirror_pid" 2>/dev/null || true
	local variable
	for variable in ${!mirror_home_*}; do
		gpgconf --homedir "${!variable}" --kill gpg-agent 2>/dev/null || true
		rm -rf "${!variable}"
	done
}
trap mirror_stop EXIT

# mirror_recipe DIR [PACKAGE...]: writes a recipe of one image with these packages.
mirror_recipe() {
	local directory=$1 IFS=, packages
	shift
	packages="$*"
	mkdir -p "$directory/overlays/one"
	cp -R "$ROOT/recipes/hardware" "$directory/"
	echo "text" >"$directory/overlays/one/file"
	cat >"$directory/test.yaml" <<END
mkvbench: 1
name: test
scenario: bare-metal
suite: trixie
hardware: qemu-tcg
vlan: {id: 100, subnet: 10.77.0.0/24, nic: 1}
time: {server: server, limit: 20ms, settle: 60s, dwell: 5s}
hosts:
  server: {image: small, address: 10.77.0.1, mac: 52:54:00:77:00:01}
images:
  small:
    kernel: linux-image-cloud-amd64
    packages: [$packages]
    overlays: [one]
END
}

# lock ARGUMENT...: runs `mkvbench lock` with the mirror, a store of the test and short
# timeouts; arguments may override these.
lock() {
	local option usual=(--quiet --mirror "$mirror_uris")
	for option in "--keyring=$mirror_keyring" "--store=$TEST_TMP/store" --attempts=2 --stall=2; do
		[[ " $* " == *" ${option%%=*}"[=\ ]* ]] || usual+=("$option")
	done
	"$BUILD/mkvbench" lock "${usual[@]}" "$@"
}

# refuses STATUS TEXT ARGUMENT...: lock must end with STATUS and print TEXT.
refuses() {
	local status=$1 text=$2 rc=0
	shift 2
	lock "$@" >"$TEST_TMP/out" 2>"$TEST_TMP/err" || rc=$?
	[ "$rc" = "$status" ] || { cat "$TEST_TMP/err"; fail "status $rc, not $status, for: $text"; }
	grep -qF -- "$text" "$TEST_TMP/err" || { cat "$TEST_TMP/err"; fail "its diagnostic lacks: $text"; }
}
