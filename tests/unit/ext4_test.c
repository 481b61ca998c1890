/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "builder/format/ext4/ext4.h"
#include "lib/io.h"
#include "lib/process.h"
#include "tests/unit/sample_tree.h"

static const struct mkv_ext4_options sample_options = {
	.uuid = {0xde, 0xad, 0xbe, 0xef},
	.hash_seed = {1, 2, 3, 4},
	.label = "sixteen-bytes-16",
	.epoch_s = SAMPLE_EPOCH,
};

/* An image with a path, for programs that read it. */
struct image {
	char path[32];
	int fd;
};

static void image_done(struct image *image)
{
	(void)close(image->fd);
	(void)unlink(image->path);
}
#define auto_image __attribute__((cleanup(image_done)))

static struct image new_image(uint64_t size)
{
	struct image image = {.path = "/tmp/mkv-ext4-test-XXXXXX"};
	image.fd = mkostemp(image.path, O_CLOEXEC);
	assert_true(image.fd >= 0);
	assert_int_equal(ftruncate(image.fd, (off_t)size), 0);
	return image;
}

static struct image write_image(const struct mkv_tree *tree, uint64_t size)
{
	struct mkv_error err;
	struct mkv_ext4_options options = sample_options;
	options.size_bytes = size;
	if (!size)
		assert_int_equal(mkv_ext4_size(tree, &options.size_bytes, &err),
				 0);
	struct image image = new_image(options.size_bytes);
	int rc = mkv_ext4_write(tree, image.fd, 0, &options, &err);
	if (rc < 0)
		fail_msg("%s", err.message);
	return image;
}

/* Runs a program on an image and collects its output; returns its exit status.
 */
static int run_program(const char *program, const char *option,
		       const char *argument, const struct image *image,
		       struct mkv_buf *output)
{
	struct mkv_error err;
	const char *const argv[] = {program, option,
				    argument ? argument : image->path,
				    argument ? image->path : NULL, NULL};
	/* e2fsck reports bad superblocks on stderr, where debugfs prints its
	 * version. */
	bool takes_errors = strcmp(program, "e2fsck") == 0;
	struct mkv_process process = {.argv = argv,
				      .output = output,
				      .errors = takes_errors ? output : NULL};
	int status = -1;
	if (!mkv_process_exists(program))
		skip();
	if (mkv_process_run(&process, &status, &err) < 0 && status < 0)
		fail_msg("%s", err.message);
	return status;
}

static void assert_clean(const struct image *image)
{
	auto_buf struct mkv_buf output = {0};
	if (run_program("e2fsck", "-fn", NULL, image, &output) != 0)
		fail_msg("%s", output.data);
	assert_null(strstr(output.data, "?"));
	assert_null(strstr(output.data, "backup"));
}

static struct mkv_sha256 digest_of(const struct image *image)
{
	struct mkv_error err;
	struct mkv_sha256 sha;
	assert_int_equal(lseek(image->fd, 0, SEEK_SET), 0);
	assert_int_equal(mkv_sha256_fd(image->fd, &sha, NULL, &err), 0);
	return sha;
}

static void a_tree_with_every_kind_of_entry_is_clean(void **state)
{
	(void)state;
	auto_tree struct mkv_tree *tree = sample_tree();
	auto_image struct image image = write_image(tree, 0);
	assert_clean(&image);
	auto_buf struct mkv_buf output = {0};
	assert_int_equal(run_program("debugfs", "-R", "stat /usr/bin/ping",
				     &image, &output),
			 0);
	assert_non_null(strstr(output.data, "Mode:  04755"));
	assert_non_null(strstr(output.data, "Links: 2"));
	assert_non_null(strstr(output.data, "security.capability (20)"));
	output.size = 0;
	assert_int_equal(
		run_program("debugfs", "-R", "stat /dev-disk", &image, &output),
		0);
	assert_non_null(strstr(output.data, "259:70000"));
	output.size = 0;
	assert_int_equal(
		run_program("debugfs", "-R", "cat /home/new", &image, &output),
		0);
	assert_string_equal(output.data, "from after 2038");
}

static void e2fsck_detects_a_flipped_bit(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_tree struct mkv_tree *tree = sample_tree();
	auto_image struct image image = write_image(tree, 0);
	auto_buf struct mkv_buf output = {0};
	/* The free blocks of the first group, in its descriptor. */
	uint8_t byte;
	assert_int_equal(mkv_pread_all(image.fd, &byte, 1, 4096 + 12, &err), 0);
	byte ^= 1;
	assert_int_equal(mkv_pwrite_all(image.fd, &byte, 1, 4096 + 12, &err),
			 0);
	assert_int_not_equal(
		run_program("e2fsck", "-fn", NULL, &image, &output), 0);
}

static void equal_trees_give_equal_bytes(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_tree struct mkv_tree *tree = sample_tree();
	auto_tree struct mkv_tree *copy = NULL;
	assert_int_equal(mkv_tree_clone(tree, &copy, &err), 0);
	auto_image struct image a = write_image(tree, 0);
	auto_image struct image b = write_image(copy, 0);
	struct mkv_sha256 x = digest_of(&a), y = digest_of(&b);
	assert_true(mkv_sha256_equal(&x, &y));
	mkv_tree_lookup(copy, "/pipe")->mtime_s++;
	auto_image struct image c = write_image(copy, 0);
	y = digest_of(&c);
	assert_false(mkv_sha256_equal(&x, &y));
}

static void the_clock_and_the_environment_do_not_show(void **state)
{
	(void)state;
	auto_tree struct mkv_tree *tree = sample_tree();
	auto_image struct image a = write_image(tree, 0);
	assert_int_equal(setenv("SOURCE_DATE_EPOCH", "1", 1), 0);
	assert_int_equal(setenv("E2FSPROGS_FAKE_TIME", "2", 1), 0);
	assert_int_equal(setenv("MKE2FS_CONFIG", "/dev/null", 1), 0);
	assert_int_equal(setenv("TZ", "Asia/Kathmandu", 1), 0);
	auto_image struct image b = write_image(tree, 0);
	assert_int_equal(unsetenv("SOURCE_DATE_EPOCH"), 0);
	assert_int_equal(unsetenv("E2FSPROGS_FAKE_TIME"), 0);
	assert_int_equal(unsetenv("MKE2FS_CONFIG"), 0);
	assert_int_equal(unsetenv("TZ"), 0);
	struct mkv_sha256 x = digest_of(&a), y = digest_of(&b);
	assert_true(mkv_sha256_equal(&x, &y));
}

static void an_offset_moves_and_changes_nothing(void **state)
{
	(void)state;
	struct mkv_error err;
	enum { OFFSET = 1 << 20 };
	auto_tree struct mkv_tree *tree = sample_tree();
	auto_image struct image a = write_image(tree, 64 << 20);
	auto_image struct image b = new_image((64 << 20) + 2 * OFFSET);
	struct mkv_ext4_options options = sample_options;
	options.size_bytes = 64 << 20;
	assert_int_equal(mkv_ext4_write(tree, b.fd, OFFSET, &options, &err), 0);
	for (uint64_t at = 0; at < (64 << 20); at += OFFSET) {
		static char x[OFFSET], y[OFFSET];
		assert_int_equal(mkv_pread_all(a.fd, x, OFFSET, at, &err), 0);
		assert_int_equal(
			mkv_pread_all(b.fd, y, OFFSET, at + OFFSET, &err), 0);
		assert_memory_equal(x, y, OFFSET);
	}
	struct stat st;
	assert_int_equal(fstat(b.fd, &st), 0);
	assert_int_equal(st.st_size, (64 << 20) + 2 * OFFSET);
	/* Nothing is written before or after it; holes stay holes. */
	assert_int_equal(lseek(b.fd, 0, SEEK_DATA), OFFSET);
	assert_true(st.st_blocks * 512 < 2 << 20);
}

/* Many long names need an index of two levels. */
static void large_directories_are_indexed(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_tree struct mkv_tree *tree = sample_empty();
	static const struct {
		const char *directory;
		unsigned count, width;
	} rows[] = {{"/plain", 100, 20},
		    {"/one-level", 5000, 30},
		    {"/two-levels", 12000, 250}};
	sample_file(tree, "/target", "x");
	struct mkv_inode *target = mkv_tree_lookup(tree, "/target");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(
			mkv_tree_make_dirs(tree, rows[i].directory, &err), 0);
		for (unsigned j = 0; j < rows[i].count; j++) {
			char path[300];
			(void)snprintf(path, sizeof(path), "%s/%0*u",
				       rows[i].directory, (int)rows[i].width,
				       j);
			assert_int_equal(mkv_tree_put(tree, path, target, &err),
					 0);
		}
	}
	auto_image struct image image = write_image(tree, 0);
	assert_clean(&image);
	static const char *const levels[] = {"Not a hash-indexed directory",
					     "Indirect levels: 0",
					     "Indirect levels: 1"};
	for (size_t i = 0; i < 3; i++) {
		auto_buf struct mkv_buf output = {0};
		char command[64], path[600];
		if (i > 0) {
			(void)snprintf(command, sizeof(command),
				       "htree_dump %s", rows[i].directory);
			(void)run_program("debugfs", "-R", command, &image,
					  &output);
			assert_non_null(strstr(output.data, levels[i]));
		}
		/* Lookup by hash. */
		(void)snprintf(path, sizeof(path), "cat %s/%0*u",
			       rows[i].directory, (int)rows[i].width, 77);
		output.size = 0;
		assert_int_equal(
			run_program("debugfs", "-R", path, &image, &output), 0);
		assert_string_equal(output.data, "x");
	}
}

/* More extents than fit into an inode: an extent ends at 128 MiB. */
static void large_files_are_mapped_by_a_tree_of_extents(void **state)
{
	(void)state;
	struct mkv_error err;
	uint64_t size = ((uint64_t)700 << 20) + 5;
	int fd = memfd_create("large", MFD_CLOEXEC);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	assert_int_equal(mkv_pwrite_all(fd, "the end", 7, size - 7, &err), 0);
	auto_source struct mkv_source *source = NULL;
	assert_int_equal(mkv_source_new(fd, &source, &err), 0);
	auto_tree struct mkv_tree *tree = sample_empty();
	struct mkv_inode *inode = sample_put(tree, "/large", S_IFREG | 0600);
	mkv_content_unref(inode->content);
	inode->content = mkv_content_range(source, 0, size, NULL);
	auto_image struct image image = write_image(tree, 0);
	assert_clean(&image);
	auto_buf struct mkv_buf output = {0};
	assert_int_equal(
		run_program("debugfs", "-R", "stat /large", &image, &output),
		0);
	assert_non_null(strstr(output.data, "(ETB0)"));
	assert_non_null(strstr(output.data, "Size: 734003205"));
}

static void the_size_is_enough_for_any_tree(void **state)
{
	(void)state;
	static const struct {
		unsigned files, bytes;
		bool has_xattr;
	} rows[] = {{0, 0, false},	   {1, 0, false},
		    {40000, 0, false},	   {9000, 1, false},
		    {3000, 100, true},	   {30, 5000000, false},
		    {1, 130000000, false}, {2000, 4097, true}};
	static char bytes[130000000];
	static const char value[3000] = "x";
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mkv_error err;
		auto_tree struct mkv_tree *tree = sample_empty();
		for (unsigned j = 0; j < rows[i].files; j++) {
			char path[64];
			(void)snprintf(path, sizeof(path), "/%u/%u", j / 100,
				       j);
			assert_int_equal(mkv_tree_put_file(tree, path, 0644,
							   bytes, rows[i].bytes,
							   &err),
					 0);
			if (rows[i].has_xattr)
				assert_int_equal(
					mkv_inode_set_xattr(
						mkv_tree_lookup(tree, path),
						"user.x", value, sizeof(value),
						&err),
					0);
		}
		uint64_t size;
		assert_int_equal(mkv_ext4_size(tree, &size, &err), 0);
		assert_int_equal(size % (1 << 20), 0);
		uint64_t data = (uint64_t)rows[i].files *
				((rows[i].bytes + 4095) / 4096 * 4096 +
				 (rows[i].has_xattr ? 4096 : 0));
		assert_true(size > data + data / 10 + (32 << 20));
		assert_true(size < data + data / 4 + (64 << 20));
		auto_image struct image image = write_image(tree, size);
		assert_clean(&image);
	}
}

static void a_tree_that_exceeds_the_size_is_refused(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_tree struct mkv_tree *tree = sample_empty();
	static char bytes[20 << 20];
	assert_int_equal(
		mkv_tree_put_file(tree, "/f", 0644, bytes, sizeof(bytes), &err),
		0);
	static const uint64_t sizes[] = {0, 4096, 1 << 20, 4 << 20, 16 << 20};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct mkv_ext4_options options = sample_options;
		options.size_bytes = sizes[i];
		auto_image struct image image = new_image(32 << 20);
		int rc = mkv_ext4_write(tree, image.fd, 0, &options, &err);
		assert_true(rc == -ENOSPC || (i == 0 && rc < 0));
	}
	auto_image struct image image = write_image(tree, 28 << 20);
	assert_clean(&image);
}

static void the_error_names_entries_that_ext4_cannot_represent(void **state)
{
	(void)state;
	static char long_target[5000];
	memset(long_target, 't', sizeof(long_target) - 1);
	for (size_t i = 0; i < 6; i++) {
		struct mkv_error err;
		auto_tree struct mkv_tree *tree = sample_empty();
		struct mkv_inode *inode =
			sample_put(tree, "/bad", S_IFCHR | 0600);
		static char huge[5000];
		switch (i) {
		case 0:
			inode->mtime_s = (int64_t)1 << 40;
			break;
		case 1:
			inode->major = 5000;
			break;
		case 2:
			inode->mode = S_IFSOCK | 0600;
			break;
		case 3:
			inode->mode = S_IFLNK | 0777;
			inode->target = strdup(long_target);
			break;
		case 4:
			assert_int_equal(mkv_inode_set_xattr(inode, "user.x",
							     huge, sizeof(huge),
							     &err),
					 0);
			break;
		default:
			assert_int_equal(mkv_inode_set_xattr(inode, "odd.x",
							     huge, 1, &err),
					 0);
		}
		struct mkv_ext4_options options = sample_options;
		options.size_bytes = 64 << 20;
		auto_image struct image image = new_image(64 << 20);
		assert_true(mkv_ext4_write(tree, image.fd, 0, &options, &err) <
			    0);
		if (!strstr(err.message, "'/bad'"))
			fail_msg("row %zu: %s", i, err.message);
	}
}

static void bad_options_are_refused(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_tree struct mkv_tree *tree = sample_empty();
	auto_image struct image image = new_image(64 << 20);
	for (size_t i = 0; i < 3; i++) {
		struct mkv_ext4_options options = sample_options;
		options.size_bytes = 64 << 20;
		if (i == 0)
			options.epoch_s = 0;
		else if (i == 1)
			options.epoch_s = (int64_t)1 << 32;
		else
			options.label = "seventeen-bytes-7";
		assert_int_equal(
			mkv_ext4_write(tree, image.fd, 0, &options, &err),
			-EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tree_with_every_kind_of_entry_is_clean),
		cmocka_unit_test(e2fsck_detects_a_flipped_bit),
		cmocka_unit_test(equal_trees_give_equal_bytes),
		cmocka_unit_test(the_clock_and_the_environment_do_not_show),
		cmocka_unit_test(an_offset_moves_and_changes_nothing),
		cmocka_unit_test(large_directories_are_indexed),
		cmocka_unit_test(large_files_are_mapped_by_a_tree_of_extents),
		cmocka_unit_test(the_size_is_enough_for_any_tree),
		cmocka_unit_test(a_tree_that_exceeds_the_size_is_refused),
		cmocka_unit_test(
			the_error_names_entries_that_ext4_cannot_represent),
		cmocka_unit_test(bad_options_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
