/* SPDX-License-Identifier: MIT */
#include "builder/build/programs.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

enum { PROGRAM_BYTES_MAX = 64 << 20 };

static int visit_program(const char *program, mkv_programs_visitor *visit,
			 void *context, struct mkv_error *err)
{
	auto_content struct mkv_content *content = NULL;
	int rc = mkv_program_content(program, &content, err);
	return rc < 0 ? rc : visit(program, content, context, err);
}

static int visit_named(const struct mkv_strings *names,
		       mkv_programs_visitor *visit, void *context,
		       struct mkv_error *err)
{
	for (size_t i = 0; i < names->count; i++) {
		auto_free char *program = NULL;
		if (asprintf(&program, "programs/%s", names->items[i]) < 0)
			return mkv_oom(err);
		int rc = visit_program(program, visit, context, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int mkv_programs_visit(const struct mkv_recipe *recipe,
		       mkv_programs_visitor *visit, void *context,
		       struct mkv_error *err)
{
	static const char *const own[] = {"mkvbench-verify", "programs/role",
					  "programs/containers",
					  "programs/initramfs"};
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++) {
		int rc = visit_program(own[i], visit, context, err);
		if (rc < 0)
			return rc;
	}
	if (recipe->verify_sign) {
		int rc =
			visit_program("programs/tpm-sign", visit, context, err);
		if (rc < 0)
			return rc;
	}
	for (size_t i = 0; i < recipe->n_images; i++) {
		int rc = visit_named(&recipe->images[i].programs, visit,
				     context, err);
		if (rc < 0)
			return rc;
	}
	for (size_t i = 0; i < recipe->n_oci_images; i++) {
		int rc = visit_named(&recipe->oci_images[i].programs, visit,
				     context, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* A range of the file, or NULL when the file is too short. */
static const void *range_of(const void *elf, size_t size, uint64_t offset,
			    uint64_t length)
{
	return offset <= size && length <= size - offset
		       ? (const char *)elf + offset
		       : NULL;
}

static void note_version(const char *strings, size_t strings_size,
			 uint32_t name, unsigned *newest)
{
	static const char prefix[] = "GLIBC_2.";
	if (name >= strings_size ||
	    !memchr(strings + name, '\0', strings_size - name) ||
	    strncmp(strings + name, prefix, sizeof(prefix) - 1) != 0)
		return;
	unsigned long minor =
		strtoul(strings + name + sizeof(prefix) - 1, NULL, 10);
	if (minor > *newest && minor < 10000)
		*newest = (unsigned)minor;
}

/* Follows the chains of one section of type SHT_GNU_verneed. */
static void note_needs(const void *elf, size_t size, const Elf64_Shdr *needs,
		       const Elf64_Shdr *names, unsigned *newest)
{
	const char *strings =
		range_of(elf, size, names->sh_offset, names->sh_size);
	uint64_t at = needs->sh_offset;
	for (uint32_t i = 0; strings && i < needs->sh_info; i++) {
		Elf64_Verneed need;
		const void *bytes = range_of(elf, size, at, sizeof(need));
		if (!bytes)
			return;
		memcpy(&need, bytes, sizeof(need));
		uint64_t below = at + need.vn_aux;
		for (unsigned k = 0; k < need.vn_cnt; k++) {
			Elf64_Vernaux entry;
			bytes = range_of(elf, size, below, sizeof(entry));
			if (!bytes)
				return;
			memcpy(&entry, bytes, sizeof(entry));
			note_version(strings, names->sh_size, entry.vna_name,
				     newest);
			below += entry.vna_next;
		}
		at += need.vn_next;
	}
}

int mkv_program_libc_minor(const void *elf, size_t size, unsigned *ret,
			   struct mkv_error *err)
{
	Elf64_Ehdr head;
	*ret = 0;
	if (size < sizeof(head) || memcmp(elf, ELFMAG, SELFMAG) != 0 ||
	    ((const unsigned char *)elf)[EI_CLASS] != ELFCLASS64)
		return mkv_fail(err, MKV_FAILED, ENOEXEC,
				"not a 64-bit ELF program");
	memcpy(&head, elf, sizeof(head));
	const void *table =
		range_of(elf, size, head.e_shoff,
			 (uint64_t)head.e_shnum * sizeof(Elf64_Shdr));
	if (!table || head.e_shentsize != sizeof(Elf64_Shdr))
		return mkv_fail(err, MKV_FAILED, ENOEXEC,
				"invalid section table");
	auto_free Elf64_Shdr *sections =
		calloc((size_t)head.e_shnum + 1, sizeof(*sections));
	if (!sections)
		return mkv_oom(err);
	memcpy(sections, table, head.e_shnum * sizeof(*sections));
	for (size_t i = 0; i < head.e_shnum; i++)
		if (sections[i].sh_type == SHT_GNU_verneed &&
		    sections[i].sh_link < head.e_shnum)
			note_needs(elf, size, &sections[i],
				   &sections[sections[i].sh_link], ret);
	return 0;
}

/* The minor version of the lock's libc6, 36 of "2.36-9+deb12u13"; 0: none. */
static unsigned locked_libc_minor(const struct mkv_lock *lock)
{
	for (size_t i = 0; i < lock->n_packages; i++)
		if (strcmp(lock->packages[i].name, "libc6") == 0 &&
		    strncmp(lock->packages[i].version, "2.", 2) == 0)
			return (unsigned)strtoul(lock->packages[i].version + 2,
						 NULL, 10);
	return 0;
}

static int check_program(const char *program, struct mkv_content *content,
			 void *context, struct mkv_error *err)
{
	const unsigned *have = context;
	uint64_t size = mkv_content_size(content);
	if (size > PROGRAM_BYTES_MAX)
		return mkv_fail(err, MKV_FAILED, EFBIG,
				"'%s' is too large (at most %d bytes)", program,
				PROGRAM_BYTES_MAX);
	auto_free char *bytes = malloc(size + 1);
	unsigned needed;
	if (!bytes)
		return mkv_oom(err);
	int rc = mkv_content_read(content, 0, bytes, size, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "'%s'", program);
	rc = mkv_program_libc_minor(bytes, size, &needed, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "'%s'", program);
	if (needed > *have)
		return mkv_fail(err, MKV_HOST_CANNOT, ENOTSUP,
				"'%s' was built for glibc 2.%u and the images "
				"have 2.%u: build the tool on the recipe's own "
				"Debian release, or an older one",
				program, needed, *have);
	return 0;
}

int mkv_programs_check(const struct mkv_recipe *recipe,
		       const struct mkv_lock *lock, struct mkv_error *err)
{
	unsigned have = locked_libc_minor(lock);
	return have ? mkv_programs_visit(recipe, check_program, &have, err) : 0;
}
