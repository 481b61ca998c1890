/* SPDX-License-Identifier: MIT */
/* Only one boot at a time may use the directory of a software TPM. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "builder/run/boot/tpm.h"
#include "lib/io.h"
#include "lib/process.h"

static void a_directory_is_used_by_one_boot_at_a_time(void **state)
{
	(void)state;
	if (!mkv_process_exists("swtpm"))
		skip();
	char directory[] = "/tmp/mkvbench-tpm-XXXXXX";
	struct mkv_error err = {0};
	struct mkv_boot_tpm first = MKV_BOOT_TPM_INIT;
	struct mkv_boot_tpm second = MKV_BOOT_TPM_INIT;
	struct stat before, after;
	assert_non_null(mkdtemp(directory));
	auto_fd int log = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (mkv_boot_tpm_start(directory, log, &first, &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(stat(first.socket, &before), 0);
	assert_int_equal(mkv_boot_tpm_start(directory, log, &second, &err),
			 -EBUSY);
	assert_non_null(strstr(err.message, "in use by another boot"));
	/* The boot that uses it is not disturbed. */
	assert_int_equal(stat(first.socket, &after), 0);
	assert_true(before.st_ino == after.st_ino);
	mkv_boot_tpm_end(&first);
	if (mkv_boot_tpm_start(directory, log, &second, &err) < 0)
		fail_msg("%s", err.message);
	mkv_boot_tpm_end(&second);
	assert_int_equal(mkv_remove_tree(AT_FDCWD, directory, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_directory_is_used_by_one_boot_at_a_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
