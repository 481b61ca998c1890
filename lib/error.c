/* SPDX-License-Identifier: MIT */
#include "lib/error.h"

#include <stdarg.h>
#include <string.h>

int mkv_fail(struct mkv_error *err, enum mkv_error_kind kind, int code,
	     const char *format, ...)
{
	if (code < 0)
		code = -code;
	if (code == 0)
		code = EIO;
	err->kind = kind;
	err->code = code;
	err->suggestion[0] = '\0';

	va_list ap;
	va_start(ap, format);
	errno = code; /* for %m */
	(void)vsnprintf(err->message, sizeof(err->message), format, ap);
	va_end(ap);
	return -code;
}

int mkv_wrap(struct mkv_error *err, int rc, const char *format, ...)
{
	char inner[MKV_ERROR_MESSAGE_MAX];
	(void)snprintf(inner, sizeof(inner), "%s", err->message);

	va_list ap;
	va_start(ap, format);
	int used = vsnprintf(err->message, sizeof(err->message), format, ap);
	va_end(ap);
	if (used < 0)
		used = 0;
	size_t at = (size_t)used;
	if (at < sizeof(err->message))
		(void)snprintf(err->message + at, sizeof(err->message) - at,
			       ": %s", inner);
	return rc;
}

int mkv_error_suggest(struct mkv_error *err, int rc, const char *word)
{
	if (word && strlen(word) < sizeof(err->suggestion))
		(void)strcpy(err->suggestion, word);
	return rc;
}

int mkv_oom(struct mkv_error *err)
{
	return mkv_fail(err, MKV_FAILED, ENOMEM, "out of memory");
}

int mkv_exit_status(enum mkv_error_kind kind)
{
	switch (kind) {
	case MKV_FAILED:
		return 1;
	case MKV_BAD_USAGE:
	case MKV_BAD_RECIPE:
		return 2;
	case MKV_HOST_CANNOT:
		return 3;
	case MKV_UNVERIFIED:
		return 4;
	}
	return 1;
}
