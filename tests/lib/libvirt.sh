# shellcheck shell=bash
# A private libvirt daemon: `. tests/lib/libvirt.sh` runs the sourcing script again in
# new namespaces (mounts, network, processes), where libvirt's directories are empty and
# every process ends with the script. /dev/kvm exists only with LIBVIRT_KVM=1, for tests
# of libvirt's capabilities: no test runs a guest with it.
. "$ROOT/tests/lib/test.sh"
if [ "${LIBVIRT_INSIDE:-}" != 1 ]; then
	[ "$(id -u)" = 0 ] || skip "needs root"
	need libvirtd virtlogd virsh
	LIBVIRT_INSIDE=1 exec unshare -mnp --fork --kill-child --mount-proc "$0" "$@"
fi
export PATH=$PATH:/usr/sbin:/sbin LIBVIRT_DEFAULT_URI=qemu:///system

libvirt_mount_directories() {
	local d=$TEST_TMP/libvirt node
	chmod 0755 "$TEST_TMP" "$(dirname "$TEST_TMP")"
	mkdir -p "$d"/{etc,lib/{qemu,dnsmasq,images,boot},cache,log,dev}
	mount --make-rprivate /
	cp -a /etc/libvirt/. "$d/etc/"
	rm -rf "$d"/etc/qemu/* "$d"/etc/storage/*
	mkdir -p "$d/etc/qemu/networks"
	# QEMU runs as root so that it can read the directory of the test.
	printf 'user = "root"\ngroup = "root"\ndynamic_ownership = 0\nsecurity_driver = "none"\nnamespaces = []\n' >"$d/etc/qemu.conf"
	mount --bind "$d/etc" /etc/libvirt
	mount --bind "$d/lib" /var/lib/libvirt
	mount --bind "$d/cache" /var/cache/libvirt
	mount --bind "$d/log" /var/log/libvirt
	mount -t tmpfs tmpfs /run
	mount -t tmpfs tmpfs "$d/dev"
	for node in null zero full random urandom tty ${LIBVIRT_KVM:+kvm} net/tun; do
		mkdir -p "$(dirname "$d/dev/$node")"
		touch "$d/dev/$node"
		mount --bind "/dev/$node" "$d/dev/$node"
	done
	mkdir -p "$d"/dev/{pts,shm}
	mount --bind /dev/pts "$d/dev/pts"
	ln -s pts/ptmx "$d/dev/ptmx"
	ln -s /proc/self/fd "$d/dev/fd"
	mount --rbind "$d/dev" /dev
	# Mount the /sys of this network namespace, and keep the control groups.
	mkdir -p "$d/cgroup"
	mount --rbind /sys/fs/cgroup "$d/cgroup"
	mount -t sysfs sysfs /sys
	mount --rbind "$d/cgroup" /sys/fs/cgroup
	ip link set lo up
}

libvirt_start() {
	[ -e /run/virtlogd.pid ] || virtlogd -d -p /run/virtlogd.pid || exit 1
	libvirtd -d -p /run/libvirtd.pid || exit 1
	for _ in $(seq 50); do
		virsh uri >/dev/null 2>&1 && return
		sleep 0.1
	done
	fail "libvirtd does not answer"
}
libvirt_stop() {
	kill "$(</run/libvirtd.pid)"
	for _ in $(seq 100); do
		[ -e /run/libvirtd.pid ] || return 0
		sleep 0.1
	done
	fail "libvirtd did not exit"
}

# sign_appliance DIR KEY.pem: writes SHA256SUMS and its signature.
sign_appliance() {
	(cd "$1" && rm -f SHA256SUMS SHA256SUMS.sig &&
		find . -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 sha256sum >"$2.sums" &&
		mv "$2.sums" SHA256SUMS)
	openssl pkeyutl -sign -rawin -inkey "$2" -in "$1/SHA256SUMS" -out "$1/SHA256SUMS.sig"
}

# make_appliance DIR KEY.pem small|large: writes an appliance of two guests, `a` and
# `b`, of one image, whose disk is DIR/guest/disk.raw if that exists.
make_appliance() {
	local name=tiny
	[ "$3" = large ] && name=kvm-docker
	mkdir -p "$1"/{libvirt,guest/boot}
	"$BUILD/tests/unit/libvirt_xml_test" "$1/libvirt" "$3" || exit 1
	if [ ! -e "$1/guest/disk.raw" ]; then
		truncate -s 32M "$1/guest/disk.raw"
		seq 100000 | dd of="$1/guest/disk.raw" bs=64k seek=3 conv=notrunc status=none
		seq 200000 | dd of="$1/guest/disk.raw" bs=64k seek=300 conv=notrunc status=none
	fi
	echo kernel >"$1/guest/boot/vmlinuz"
	(cd "$1" && find . -type f -printf '%P\n' | sort | while read -r file; do
		jq -n --arg p "$file" --arg s "$(sha256sum <"$file" | cut -c1-64)" \
			--argjson n "$(stat -c %s "$file")" '{($p): {sha256: $s, size: $n}}'
	done | jq -s add) >"$1.artifacts"
	jq -n --arg name "$name" --slurpfile artifacts "$1.artifacts" '
		{mkvbench_manifest: 1, artifacts: $artifacts[0],
		 tool: {name: "mkvbench", version: "0"},
		 contract: {mkvbench_contract: 1, name: $name, scenario: "kvm",
		  verify: {mode: "gate"},
		  hosts: {a: {image: "guest", role: "a"}, b: {image: "guest", role: "b"}},
		  images: {guest: {platform: "guest",
		   cpu: {vendor: "AuthenticAMD", family: 23, model: 113, stepping: 0,
		         brand: "AMD Ryzen 5 of a sort", features: ["sse4_2", "mkvbench"]}}}}}
		' >"$1/manifest.json"
	sign_appliance "$1" "$2"
}
