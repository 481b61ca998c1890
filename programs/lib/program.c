/* SPDX-License-Identifier: MIT */
#include "programs/lib/program.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "lib/io.h"
#include "programs/lib/log.h"

static int print_settings(const struct mkv_program *program,
			  struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	for (size_t i = 0; program->settings[i]; i++)
		mkv_settings_print(program->settings[i], &text);
	int rc = mkv_buf_check(&text, err);
	return rc < 0 ? rc
		      : mkv_write_all(STDOUT_FILENO, text.data, text.size, err);
}

static int run_with_settings(const struct mkv_program *program,
			     int (*run)(const struct mkv_program *program,
					struct mkv_error *err),
			     struct mkv_error *err)
{
	int rc = mkv_settings_load(program->name, err);
	if (rc < 0)
		return rc;
	rc = mkv_settings_check_files(program->settings, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; program->settings[i]; i++) {
		rc = mkv_settings_read(program->settings[i], err);
		if (rc < 0)
			return rc;
	}
	return run(program, err);
}

int mkv_program_allow_descriptors(uint64_t needed, const char *what,
				  struct mkv_error *err)
{
	struct rlimit allowed;
	if (getrlimit(RLIMIT_NOFILE, &allowed) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "getrlimit: %m");
	if (allowed.rlim_cur >= needed)
		return 0;
	allowed.rlim_cur = needed;
	if (needed > allowed.rlim_max || setrlimit(RLIMIT_NOFILE, &allowed) < 0)
		return mkv_fail(
			err, MKV_HOST_CANNOT, EMFILE,
			"%s need %llu descriptors, and %llu are allowed", what,
			(unsigned long long)needed,
			(unsigned long long)allowed.rlim_max);
	return 0;
}

int mkv_program_main(const struct mkv_program *program, int argc, char **argv)
{
	struct mkv_error err = {0};
	bool prints = argc == 2 && strcmp(argv[1], "--settings") == 0;
	bool cleans = argc == 2 && program->clean_up &&
		      strcmp(argv[1], "--clean-up") == 0;
	mkv_log_init(program->name);
	(void)signal(SIGPIPE, SIG_IGN);
	/* libpq resolves names without our deadline, and the C library's
	 * timeout is 10 s or more. No other thread reads the environment yet.
	 */
	(void)setenv("RES_OPTIONS", "timeout:1 attempts:1", 0);
	if (argc > 1 && !prints && !cleans) {
		fprintf(stderr, "usage: mkvbench-%s [--settings%s]\n",
			program->name,
			program->clean_up ? " | --clean-up" : "");
		return 2;
	}
	int rc = prints ? print_settings(program, &err)
			: run_with_settings(program,
					    cleans ? program->clean_up
						   : program->run,
					    &err);
	mkv_settings_done();
	if (rc >= 0)
		return rc;
	mkv_log_error("%s", err.message);
	return mkv_exit_status(err.kind);
}
