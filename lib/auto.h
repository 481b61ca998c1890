/* SPDX-License-Identifier: MIT */
#pragma once
/* Ownership by scope: a variable declared with one of these attributes is
 * released when it leaves its scope; mkv_take() moves the ownership out of the
 * variable. */

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define mkv_must_check __attribute__((warn_unused_result))
#define mkv_nonnull(...) __attribute__((nonnull(__VA_ARGS__)))
#define mkv_printf(f, a) __attribute__((format(printf, f, a)))
#define mkv_unused __attribute__((unused))

/* Returns the pointer and sets the variable to NULL, so that its cleanup does
 * nothing. */
#define mkv_take(p)                                                            \
	({                                                                     \
		__auto_type mkv_taken_ = (p);                                  \
		(p) = NULL;                                                    \
		mkv_taken_;                                                    \
	})

/* Returns the descriptor and sets the variable to -1. */
static inline int mkv_take_fd(int *fd)
{
	int taken = *fd;
	*fd = -1;
	return taken;
}

static inline void mkv_auto_free_(void *p)
{
	int saved = errno;
	free(*(void **)p);
	errno = saved;
}

static inline void mkv_auto_close_(int *fd)
{
	int saved = errno;
	if (*fd >= 0)
		(void)close(*fd);
	errno = saved;
}

static inline void mkv_auto_fclose_(FILE **f)
{
	int saved = errno;
	if (*f)
		(void)fclose(*f);
	errno = saved;
}

static inline void mkv_auto_closedir_(DIR **d)
{
	int saved = errno;
	if (*d)
		(void)closedir(*d);
	errno = saved;
}

#define auto_free __attribute__((cleanup(mkv_auto_free_)))
#define auto_fd __attribute__((cleanup(mkv_auto_close_)))
#define auto_file __attribute__((cleanup(mkv_auto_fclose_)))
#define auto_dir __attribute__((cleanup(mkv_auto_closedir_)))

/* Defines the cleanup function behind `#define auto_NAME mkv_auto(NAME)` for a
 * pointer type whose release function accepts NULL. */
#define MKV_DEFINE_AUTO(name, type, release)                                   \
	static inline mkv_unused void mkv_auto_##name##_(type *p)              \
	{                                                                      \
		int saved = errno;                                             \
		if (*p)                                                        \
			release(*p);                                           \
		errno = saved;                                                 \
	}
#define mkv_auto(name) __attribute__((cleanup(mkv_auto_##name##_)))
