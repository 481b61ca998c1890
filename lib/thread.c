/* SPDX-License-Identifier: MIT */
#include "lib/thread.h"

#include <stdarg.h>

int mkv_thread_start(pthread_t *ret, void *(*main)(void *), void *context,
		     struct mkv_error *err, const char *format, ...)
{
	char name[256];
	int code = pthread_create(ret, NULL, main, context);
	if (code == 0)
		return 0;
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(name, sizeof(name), format, arguments);
	va_end(arguments);
	return mkv_fail(err, MKV_FAILED, code, "start the thread '%s': %m%s",
			name,
			code == EAGAIN ? " (memory, or a limit: RLIMIT_NPROC, "
					 "pids.max or kernel.threads-max)"
				       : "");
}
