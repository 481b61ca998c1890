/* SPDX-License-Identifier: MIT */
#pragma once
/* The programs of the tool that a recipe's images contain. */

#include "builder/build/program.h"
#include "builder/input/lock/lock.h"

/* `program` is a name such as "programs/role". A negative result stops the
 * visit. */
typedef int mkv_programs_visitor(const char *program,
				 struct mkv_content *content, void *context,
				 struct mkv_error *err);
int mkv_programs_visit(const struct mkv_recipe *recipe,
		       mkv_programs_visitor *visit, void *context,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4);

/* MKV_HOST_CANNOT when a program needs a newer glibc than the images have. The
 * programs were linked on the host that built the tool. */
int mkv_programs_check(const struct mkv_recipe *recipe,
		       const struct mkv_lock *lock,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

/* The newest minor version of glibc, 2.MINOR, whose symbols a program needs; 0:
 * none. Format: System V ABI and LSB, "Symbol Versioning". */
int mkv_program_libc_minor(const void *elf, size_t size, unsigned *ret,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4);
