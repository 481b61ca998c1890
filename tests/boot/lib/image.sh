# shellcheck shell=bash
# For boot tests: a small image made of the kernel and busybox of this machine.
# Sourced; expects BUILD and TEST_TMP. `make_image COMMAND-LINE` writes disk.raw,
# initramfs, uki.efi, vmlinuz into TEST_TMP and leaves the final command line in
# $command_line.

. "$ROOT/tests/lib/test.sh"

find_kernel() {
	local modules
	for modules in /lib/modules/*; do
		release=${modules##*/} kernel=/boot/vmlinuz-${modules##*/}
		[ -f "$modules/modules.dep" ] && [ -r "$kernel" ] && return
	done
	skip "no Debian kernel is installed (linux-image-amd64)"
}

# Writes the guest's /sbin/init. A test may redefine this function.
make_init() { # FILE
	cat >"$1" <<-'INIT'
		#!/bin/busybox sh
		/bin/busybox echo "BOOT-MARKER $(/bin/busybox cat /proc/mounts | /bin/busybox grep ' / ext4')"
		/bin/busybox poweroff -f
	INIT
}

make_image() {
	local root=$TEST_TMP/root
	stub=/usr/lib/systemd/boot/efi/linuxx64.efi.stub
	find_kernel
	[ -x /bin/busybox ] && [ -f $stub ] ||
		skip "busybox-static or systemd-boot-efi is not installed"
	need qemu-system-x86_64
	mkdir -p "$root"/{bin,sbin,dev,proc,sys}
	cp /bin/busybox "$root/bin/"
	make_init "$root/sbin/init"
	chmod 0755 "$root/sbin/init"
	cp "$kernel" "$TEST_TMP/vmlinuz"
	command_line=$("$BUILD/tests/tools/mkdisk" "$TEST_TMP" "$root" \
		/lib/modules "$release" "$TEST_TMP/vmlinuz" \
		"$BUILD/programs/initramfs" $stub "$1") || exit 1
}

# Runs a machine until it powers off, for five minutes at most.
run_machine() { # CONSOLE QEMU-ARGUMENT...
	local console=$1
	shift
	timeout -k 5 300 qemu-system-x86_64 -accel tcg,thread=multi -machine q35 \
		-cpu max -m 512 -nodefaults -display none -no-reboot \
		-serial "file:$console" \
		-drive "if=none,id=disk,format=raw,snapshot=on,file=$TEST_TMP/disk.raw" \
		"$@" || fail "QEMU ended with $?: $(tail -n 30 "$console")"
}

direct=(-kernel "$TEST_TMP/vmlinuz" -initrd "$TEST_TMP/initramfs")
firmware() { # sets $uefi: QEMU's arguments for OVMF (Debian 12 and 13 have one path)
	local code=/usr/share/OVMF/OVMF_CODE_4M.fd
	[ -f $code ] || skip "no OVMF"
	uefi=(-drive "if=pflash,format=raw,readonly=on,file=$code"
		-drive "if=pflash,format=raw,snapshot=on,file=${code/CODE/VARS}")
}

expect_console() { # CONSOLE PATTERN
	grep -aqE -- "$2" "$1" || fail "no line matches /$2/ in: $(tail -n 30 "$1")"
}
