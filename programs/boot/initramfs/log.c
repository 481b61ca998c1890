/* SPDX-License-Identifier: MIT */
#include "programs/boot/initramfs/log.h"

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

static void write_line(const char *device, const char *head, const char *tail,
		       const char *format, va_list arguments)
{
	char text[1024];
	(void)vsnprintf(text, sizeof(text), format, arguments);
	char line[1200];
	int length = snprintf(line, sizeof(line), "%smkvbench-initramfs: %s%s",
			      head, text, tail);
	auto_fd int fd = open(device, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || write(fd, line, (size_t)length) < 0)
		return; /* no other place to report to */
}

void log_to_kernel(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	write_line("/dev/kmsg", "<6>", "\n", format, arguments);
	va_end(arguments);
}

void log_to_console(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	write_line("/dev/console", "", "\r\n", format, arguments);
	va_end(arguments);
}
