/* SPDX-License-Identifier: MIT */
#include "programs/lib/log.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "lib/buf.h"

enum { MESSAGE_MAX = 2048 };

static const char *service_name = "";

void mkv_log_init(const char *service)
{
	service_name = service;
}

static void add_escaped(struct mkv_buf *line, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (c < 0x20 || c >= 0x7f)
			mkv_buf_printf(line, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			mkv_buf_printf(line, "\\%c", c);
		else
			mkv_buf_char(line, (char)c);
	}
}

static void write_entry(const char *level, const char *format, va_list ap)
{
	char message[MESSAGE_MAX], stamp[32];
	struct timespec now;
	struct tm tm;
	auto_buf struct mkv_buf line = {0};
	(void)vsnprintf(message, sizeof(message), format, ap);
	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)gmtime_r(&now.tv_sec, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	mkv_buf_printf(&line, "{\"level\":\"%s\",\"message\":\"", level);
	add_escaped(&line, message);
	mkv_buf_printf(&line, "\",\"service\":\"%s\",\"time\":\"%s.%06ldZ\"}\n",
		       service_name, stamp, now.tv_nsec / 1000);
	if (!line.failed)
		(void)!write(STDERR_FILENO, line.data, line.size);
}

void mkv_log_info(const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	write_entry("info", format, ap);
	va_end(ap);
}

void mkv_log_error(const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	write_entry("error", format, ap);
	va_end(ap);
}
