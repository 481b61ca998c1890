# shellcheck shell=bash
# For boot tests that need no image: an initramfs of busybox, programs with their
# libraries, and modules. Sourced; sources image.sh for find_kernel.
#
#   guest_new DIR                makes DIR with busybox and mount points
#   guest_program DIR FILE...    copies programs and their libraries; programs to /bin
#   guest_modules DIR MODULE...  copies modules and their dependencies; /modules lists
#                                them in the order of loading
#   guest_pack DIR FILE          writes the initramfs
#   guest_start                  prints the first lines of DIR/init: they mount /proc,
#                                /sys and /dev and load the modules
. "$ROOT/tests/boot/lib/image.sh"
export PATH=$PATH:/usr/sbin:/sbin

guest_new() {
	[ -x /bin/busybox ] || skip "busybox-static is not installed"
	need qemu-system-x86_64
	mkdir -p "$1"/{bin,sbin,proc,sys,dev,run,tmp,etc,var/lib}
	cp /bin/busybox "$1/bin/"
	echo 'root:x:0:0::/:/bin/sh' >"$1/etc/passwd"
	echo 'root:x:0:' >"$1/etc/group"
}

guest_program() {
	local root=$1 file library
	shift
	for file; do
		cp -L "$file" "$root/bin/"
		ldd "$file" 2>/dev/null | grep -o '/[^ ]*' | while read -r library; do
			mkdir -p "$root${library%/*}"
			cp -L "$library" "$root$library"
		done || true
	done
}

guest_modules() {
	local root=$1 module _ file
	shift
	for module; do
		modprobe -S "$release" --show-depends "$module" || skip "no module $module"
	done | while read -r _ file _; do
		[ -n "$file" ] && [ ! -e "$root$file" ] || continue
		mkdir -p "$root${file%/*}"
		cp "$file" "$root$file"
		echo "$file" >>"$root/modules"
	done
}

guest_start() {
	cat <<-'END'
		#!/bin/busybox sh
		/bin/busybox --install -s /bin
		mount -t proc proc /proc
		mount -t sysfs sys /sys
		mount -t devtmpfs dev /dev
		for module in $(cat /modules 2>/dev/null); do
			case $module in
			*.ko) insmod $module ;;
			*.xz) xz -dc $module >/tmp/module && insmod /tmp/module ;;
			esac
		done
	END
}

guest_pack() {
	chmod 0755 "$1/init"
	(cd "$1" && find . | sort | cpio -o -H newc --quiet -R 0:0) >"$2"
}
