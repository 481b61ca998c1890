/* SPDX-License-Identifier: MIT */
/* The modules of the initramfs and their order; and the parsers of its /init:
 * the command line, superblocks, partition tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

#include "builder/format/archive/xz.h"
#include "builder/format/disk/gpt.h"
#include "builder/format/initramfs/initramfs.h"
#include "builder/format/initramfs/modules.h"
#include "lib/io.h"

/* The program is included, because its functions are static. */
#include "programs/boot/initramfs/cmdline.c"
#include "programs/boot/initramfs/probe.c"

enum { EPOCH_S = 1763856000, MIB = 1 << 20 };

#define MODULES "/usr/lib/modules/6.1-test/"

static const struct {
	const char *name, *text;
} files[] = {
	{"modules.dep",
	 "kernel/fs/ext4/ext4.ko: kernel/lib/crc16.ko kernel/fs/jbd2/jbd2.ko "
	 "kernel/fs/mbcache.ko\n"
	 "kernel/fs/jbd2/jbd2.ko:\n"
	 "kernel/fs/mbcache.ko:\n"
	 "kernel/lib/crc16.ko:\n"
	 "kernel/crypto/crc32c_generic.ko:\n"
	 "kernel/arch/crc32c-intel.ko:\n"
	 "kernel/drivers/nvme/nvme.ko: kernel/drivers/nvme/nvme-core.ko\n"
	 "kernel/drivers/nvme/nvme-core.ko:\n"
	 "kernel/drivers/scsi/sd_mod.ko: kernel/drivers/scsi/scsi_mod.ko\n"
	 "kernel/drivers/scsi/scsi_mod.ko:\n"
	 "kernel/sound/snd.ko:\n"},
	{"modules.softdep", "softdep jbd2 pre: crypto-crc32c\n"
			    "softdep ext4 pre: crypto-crc32c post: snd\n"
			    "softdep crc32c_intel pre: jbd2\n" /* a cycle */},
	{"modules.alias", "alias crypto-crc32c crc32c_intel\n"
			  "alias crypto-crc32c crc32c_generic\n"
			  "alias pci:v00008086d* nvme\n"
			  "alias pci:v00008087d* nvme_core\n"
			  "alias pci:v*bc01sc08* nvme\n"},
	{"modules.builtin", "kernel/drivers/ata/ahci.ko\n"},
};

static void put_file(struct mkv_tree *tree, const char *name, const char *text)
{
	char path[256];
	struct mkv_error err = {0};
	(void)snprintf(path, sizeof(path), MODULES "%s", name);
	assert_int_equal(
		mkv_tree_put_file(tree, path, 0644, text, strlen(text), &err),
		0);
}

static struct mkv_tree *new_root(void)
{
	struct mkv_error err = {0};
	struct mkv_tree *tree = NULL;
	assert_int_equal(mkv_tree_new(EPOCH_S, &tree, &err), 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		put_file(tree, files[i].name, files[i].text);
	char list[2048];
	(void)snprintf(list, sizeof(list), "%s", files[0].text);
	char *save = NULL;
	for (char *line = strtok_r(list, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		*strchr(line, ':') = '\0';
		put_file(tree, line, line);
	}
	return tree;
}

static int build_initramfs(const struct mkv_tree *root, const char *release,
			   struct mkv_tree **ret, struct mkv_error *err)
{
	auto_content struct mkv_content *init = mkv_content_bytes("INIT", 4);
	return mkv_initramfs_build(root, release, init, EPOCH_S, ret, err);
}

static void orders_dependencies_before_what_needs_them(void **state)
{
	(void)state;
	struct mkv_error err = {0};
	auto_tree struct mkv_tree *root = new_root();
	auto_tree struct mkv_tree *tree = NULL;
	assert_int_equal(build_initramfs(root, "6.1-test", &tree, &err), 0);
	struct mkv_inode *list = mkv_tree_lookup(tree, "/modules");
	char text[512] = "";
	assert_non_null(list);
	size_t size = (size_t)mkv_content_size(list->content);
	assert_int_equal(mkv_content_read(list->content, 0, text, size, &err),
			 0);
	assert_string_equal(text,
			    "nvme_core.ko nvme.ko for pci:v00008086d* "
			    "pci:v*bc01sc08*\n"
			    "scsi_mod.ko sd_mod.ko\n"
			    "mbcache.ko crc32c_intel.ko crc32c_generic.ko "
			    "jbd2.ko crc16.ko ext4.ko\n");
	struct mkv_inode *module = mkv_tree_lookup(tree, "/lib/nvme_core.ko");
	assert_non_null(module);
	memset(text, 0, sizeof(text));
	size = (size_t)mkv_content_size(module->content);
	assert_int_equal(mkv_content_read(module->content, 0, text, size, &err),
			 0);
	assert_string_equal(text, "kernel/drivers/nvme/nvme-core.ko");
	assert_null(mkv_tree_lookup(tree, "/lib/snd.ko"));
	assert_int_equal(mkv_tree_lookup(tree, "/init")->mode, S_IFREG | 0755);
}

static void gives_the_same_bytes_twice(void **state)
{
	(void)state;
	struct mkv_error err = {0};
	struct mkv_sha256 sums[2];
	for (int i = 0; i < 2; i++) {
		auto_tree struct mkv_tree *root = new_root();
		auto_tree struct mkv_tree *tree = NULL;
		auto_content struct mkv_content *packed = NULL;
		assert_int_equal(build_initramfs(root, "6.1-test", &tree, &err),
				 0);
		assert_int_equal(mkv_initramfs_pack(tree, &packed, &err), 0);
		assert_int_equal(mkv_content_sha256(packed, &sums[i], &err), 0);
	}
	assert_true(mkv_sha256_equal(&sums[0], &sums[1]));
}

static void refuses_kernels_that_cannot_boot(void **state)
{
	(void)state;
	static const struct {
		const char *release, *file, *text, *why;
	} rows[] = {
		{"6.2-test", NULL, NULL, "no modules of kernel 6.2-test"},
		{"../6.1-test", NULL, NULL, "is not a kernel release"},
		{"6.1-test", "modules.dep", "", "has no ext4"},
		{"6.1-test", "modules.dep", "rubbish\n",
		 "line without a module"},
		{"6.1-test", "modules.dep", "kernel/away/ext4.ko:\n",
		 "which is missing"},
		{"6.1-test", "modules.dep", "modules.alias/ext4.ko.xz:\n",
		 "which is missing"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mkv_error err = {0};
		auto_tree struct mkv_tree *root = new_root();
		struct mkv_tree *tree = NULL;
		if (rows[i].file)
			put_file(root, rows[i].file, rows[i].text);
		assert_true(build_initramfs(root, rows[i].release, &tree,
					    &err) < 0);
		assert_null(tree);
		assert_non_null(strstr(err.message, rows[i].why));
	}
	/* Built-in modules suffice. */
	struct mkv_error err = {0};
	auto_tree struct mkv_tree *root = new_root();
	auto_tree struct mkv_tree *tree = NULL;
	put_file(root, "modules.dep", "");
	put_file(root, "modules.builtin", "kernel/fs/ext4/ext4.ko\n");
	assert_int_equal(build_initramfs(root, "6.1-test", &tree, &err), 0);
}

/* `printf 'module bytes\n' | xz -9` */
static const uint8_t packed[] = {
	0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x04, 0xe6, 0xd6, 0xb4, 0x46,
	0x02, 0x00, 0x21, 0x01, 0x1c, 0x00, 0x00, 0x00, 0x10, 0xcf, 0x58, 0xcc,
	0x01, 0x00, 0x0c, 0x6d, 0x6f, 0x64, 0x75, 0x6c, 0x65, 0x20, 0x62, 0x79,
	0x74, 0x65, 0x73, 0x0a, 0x00, 0x00, 0x00, 0x00, 0xea, 0x54, 0x2e, 0x23,
	0x22, 0xd9, 0x4c, 0xc5, 0x00, 0x01, 0x25, 0x0d, 0x71, 0x19, 0xc4, 0xb6,
	0x1f, 0xb6, 0xf3, 0x7d, 0x01, 0x00, 0x00, 0x00, 0x00, 0x04, 0x59, 0x5a,
};

static void unpacks_xz_and_nothing_else(void **state)
{
	(void)state;
	struct mkv_error err = {0};
	auto_buf struct mkv_buf plain = {0};
	assert_int_equal(
		mkv_xz_decode(packed, sizeof(packed), 100, &plain, &err), 0);
	assert_string_equal(plain.data, "module bytes\n");
	for (size_t size = 0; size < sizeof(packed); size++) {
		auto_buf struct mkv_buf half = {0};
		assert_int_equal(mkv_xz_decode(packed, size, 100, &half, &err),
				 -EBADMSG);
	}
	auto_buf struct mkv_buf small = {0};
	assert_int_equal(
		mkv_xz_decode(packed, sizeof(packed), 12, &small, &err),
		-EFBIG);
}

static void reads_the_command_line(void **state)
{
	(void)state;
	static struct cmdline cmdline;
	cmdline_parse("BOOT_IMAGE=/vmlinuz root=UUID=1 rw ro quiet rootwait=7 "
		      "rootflags=\"data=journal,x y\" init=/bin/sh panic=-1 "
		      "nvme-core.io_timeout=9 nvme_core.multipath=N nvme.x=1 "
		      "root=LABEL=two -- root=UUID=3\n",
		      &cmdline);
	assert_string_equal(cmdline.root, "LABEL=two");
	assert_string_equal(cmdline.root_flags, "data=journal,x y");
	assert_string_equal(cmdline.init, "/bin/sh");
	assert_false(cmdline.writable);
	assert_int_equal(cmdline.wait_s, 7);
	assert_int_equal(cmdline.panic_s, -1);
	char parameters[64];
	cmdline_module(&cmdline, "nvme_core", parameters, sizeof(parameters));
	assert_string_equal(parameters, "io_timeout=9 multipath=N");
	cmdline_module(&cmdline, "ext4", parameters, sizeof(parameters));
	assert_string_equal(parameters, "");
	cmdline_parse("rw rootwait", &cmdline);
	assert_null(cmdline.root);
	assert_true(cmdline.writable);
	assert_int_equal(cmdline.wait_s, WAIT_LONG_S);
	cmdline_parse("", &cmdline);
	assert_int_equal(cmdline.wait_s, WAIT_DEFAULT_S);
	char long_line[3 * CMDLINE_MAX];
	memset(long_line, 'x', sizeof(long_line) - 1);
	long_line[sizeof(long_line) - 1] = '\0';
	cmdline_parse(long_line, &cmdline);
	assert_null(cmdline.root);
}

static int new_disk(void)
{
	static const uint8_t id[16] = {1};
	struct mkv_error err = {0};
	struct mkv_gpt_partition part = {
		.unique = {0x57, 0xb8, 0x6c, 0x13, 1, 2, 0x43, 4, 0x85, 6, 7, 8,
			   9, 10, 11, 12},
		.name = "root",
		.first_lba = 2048,
		.last_lba = 4095,
	};
	memcpy(part.type, mkv_gpt_type_root_x86_64, 16);
	int fd = memfd_create("disk", MFD_CLOEXEC);
	assert_int_equal(ftruncate(fd, 4 * MIB), 0);
	assert_int_equal(mkv_gpt_write(fd, 4 * MIB, id, &part, 1, &err), 0);
	return fd;
}

static void finds_a_partition_in_its_table(void **state)
{
	(void)state;
	auto_fd int fd = new_disk();
	char uuid[PROBE_UUID_SIZE];
	assert_true(probe_gpt(fd, 512, 1, uuid));
	assert_string_equal(uuid, "57b86c13-0102-4304-8506-0708090a0b0c");
	assert_false(probe_gpt(fd, 512, 0, uuid));
	assert_false(probe_gpt(fd, 512, 2, uuid));
	assert_false(probe_gpt(fd, 512, 129, uuid));
	assert_false(probe_gpt(fd, 4096, 1, uuid));
	assert_false(probe_gpt(fd, 0, 1, uuid));
}

/* A checksum covers every byte of the header and of the entry. */
static void refuses_a_damaged_table(void **state)
{
	(void)state;
	static const struct {
		off_t from, to;
	} ranges[] = {{512, 512 + 92}, {1024, 1024 + 128}};
	auto_fd int fd = new_disk();
	char uuid[PROBE_UUID_SIZE];
	for (size_t i = 0; i < 2; i++) {
		for (off_t at = ranges[i].from; at < ranges[i].to; at++) {
			uint8_t byte, other;
			assert_int_equal(pread(fd, &byte, 1, at), 1);
			other = byte ^ 0x41;
			assert_int_equal(pwrite(fd, &other, 1, at), 1);
			assert_false(probe_gpt(fd, 512, 1, uuid));
			assert_int_equal(pwrite(fd, &byte, 1, at), 1);
		}
	}
	assert_true(probe_gpt(fd, 512, 1, uuid));
}

static void recognises_a_superblock(void **state)
{
	(void)state;
	auto_fd int fd = memfd_create("fs", MFD_CLOEXEC);
	struct probe_fs fs;
	assert_int_equal(ftruncate(fd, 4096), 0);
	assert_false(probe_ext4(fd, &fs));
	assert_int_equal(pwrite(fd, "\x53\xef", 2, 1024 + 56), 2);
	assert_int_equal(pwrite(fd, "\x01\x02\x03\x04", 4, 1024 + 104), 4);
	assert_int_equal(pwrite(fd,
				"la\x1b"
				"bel-16-bytes-x",
				16, 1024 + 120),
			 16);
	assert_true(probe_ext4(fd, &fs));
	assert_string_equal(fs.uuid, "01020304-0000-0000-0000-000000000000");
	assert_string_equal(fs.label, "la?bel-16-bytes-");
	assert_int_equal(ftruncate(fd, 1100), 0);
	assert_false(probe_ext4(fd, &fs));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders_dependencies_before_what_needs_them),
		cmocka_unit_test(gives_the_same_bytes_twice),
		cmocka_unit_test(refuses_kernels_that_cannot_boot),
		cmocka_unit_test(unpacks_xz_and_nothing_else),
		cmocka_unit_test(reads_the_command_line),
		cmocka_unit_test(finds_a_partition_in_its_table),
		cmocka_unit_test(refuses_a_damaged_table),
		cmocka_unit_test(recognises_a_superblock),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
