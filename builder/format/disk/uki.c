/* SPDX-License-Identifier: MIT */
#include "builder/format/disk/uki.h"

#include <string.h>
#include <sys/mman.h>

#include "lib/bytes.h"
#include "lib/io.h"

enum {
	STUB_BYTES_MAX = 16 << 20,
	PE_OFFSET_AT = 0x3c,
	COFF_BYTES = 20,
	OPTIONAL_BYTES_MIN = 112, /* PE32+, before the data directories */
	SECTION_BYTES = 40,
	SECTIONS_MAX = 96, /* the limit of loaders */
	MACHINE_AMD64 = 0x8664,
	MAGIC_PE32_PLUS = 0x20b,
	DIRECTORY_SECURITY = 4,
	DIRECTORY_DEBUG = 6,
	PAGE = 4096,
	FILE_ALIGNMENT_MAX = 1 << 16,
	/* The maximum growth of the headers: new rows and two alignments. */
	SPARE_BYTES = SECTIONS_MAX * SECTION_BYTES + 2 * FILE_ALIGNMENT_MAX,
	/* IMAGE_SCN_: data or code, readable, executable */
	FLAGS_DATA = 0x40000040,
	FLAGS_CODE = 0x60000020,
};

/* The stub, with pointers to its headers. */
struct pe {
	uint8_t *bytes;
	size_t size;
	uint8_t *coff, *optional, *table;
	uint32_t section_alignment, file_alignment;
	uint32_t headers_bytes;
	unsigned n_sections;
	uint64_t image_end;  /* first address behind all sections */
	uint64_t file_end;   /* first offset behind all sections' data */
	uint64_t first_data; /* offset of the first section's data */
	uint64_t first_address;
};

static void pe_done(struct pe *pe)
{
	free(pe->bytes);
}

struct section {
	const char *name;
	const struct mkv_content *content;
	uint32_t flags;
	uint32_t size, address, offset;
};

static uint64_t align(uint64_t value, uint64_t to)
{
	return (value + to - 1) / to * to;
}

static bool is_alignment(uint32_t value, uint32_t max)
{
	return value && value <= max && (value & (value - 1)) == 0;
}

static int bad_stub(struct mkv_error *err, const char *what)
{
	return mkv_fail(err, MKV_FAILED, EBADMSG,
			"the UKI stub is not a usable PE executable: %s", what);
}

static int parse_headers(struct pe *pe, struct mkv_error *err)
{
	if (pe->size < PE_OFFSET_AT + 4 || memcmp(pe->bytes, "MZ", 2) != 0)
		return bad_stub(err, "no MZ header");
	size_t at = mkv_le_get32(pe->bytes + PE_OFFSET_AT);
	if (at > pe->size || pe->size - at < 4 + COFF_BYTES ||
	    memcmp(pe->bytes + at, "PE\0\0", 4) != 0)
		return bad_stub(err, "no PE signature");
	pe->coff = pe->bytes + at + 4;
	pe->optional = pe->coff + COFF_BYTES;
	at += 4 + COFF_BYTES;
	size_t optional_bytes = mkv_le_get16(pe->coff + 16);
	pe->n_sections = mkv_le_get16(pe->coff + 2);
	if (mkv_le_get16(pe->coff) != MACHINE_AMD64)
		return bad_stub(err, "not for x86-64");
	if (optional_bytes < OPTIONAL_BYTES_MIN ||
	    pe->size - at < optional_bytes ||
	    mkv_le_get16(pe->optional) != MAGIC_PE32_PLUS)
		return bad_stub(err, "no PE32+ header");
	uint32_t directories = mkv_le_get32(pe->optional + 108);
	if (directories > (optional_bytes - OPTIONAL_BYTES_MIN) / 8)
		return bad_stub(err, "too many data directories");
	pe->table = pe->optional + optional_bytes;
	at += optional_bytes;
	if (pe->n_sections == 0 || pe->n_sections > SECTIONS_MAX ||
	    (pe->size - at) / SECTION_BYTES < pe->n_sections)
		return bad_stub(err, "invalid number of sections");
	pe->section_alignment = mkv_le_get32(pe->optional + 32);
	pe->file_alignment = mkv_le_get32(pe->optional + 36);
	pe->headers_bytes = mkv_le_get32(pe->optional + 60);
	if (!is_alignment(pe->section_alignment, 1 << 20) ||
	    !is_alignment(pe->file_alignment, FILE_ALIGNMENT_MAX))
		return bad_stub(err, "invalid alignment");
	return 0;
}

static int parse_sections(struct pe *pe, struct mkv_error *err)
{
	pe->first_data = pe->size;
	pe->first_address = UINT32_MAX;
	for (unsigned i = 0; i < pe->n_sections; i++) {
		const uint8_t *s = pe->table + (size_t)i * SECTION_BYTES;
		uint64_t memory = mkv_le_get32(s + 8);
		uint64_t address = mkv_le_get32(s + 12);
		uint64_t bytes = mkv_le_get32(s + 16);
		uint64_t offset = mkv_le_get32(s + 20);
		if (bytes && (offset > pe->size || bytes > pe->size - offset))
			return bad_stub(err, "a section exceeds the file");
		if (address < pe->image_end)
			return bad_stub(err, "sections overlap");
		pe->image_end = address + (memory ? memory : bytes);
		if (address < pe->first_address)
			pe->first_address = address;
		if (bytes && offset + bytes > pe->file_end)
			pe->file_end = offset + bytes;
		if (bytes && offset < pe->first_data)
			pe->first_data = offset;
	}
	if (!pe->file_end)
		return bad_stub(err, "all sections are empty");
	if (pe->image_end > (uint64_t)STUB_BYTES_MAX * 2)
		return bad_stub(err, "its image in memory is too large");
	if (pe->headers_bytes > pe->first_data ||
	    pe->headers_bytes > pe->first_address ||
	    pe->table + (size_t)pe->n_sections * SECTION_BYTES >
		    pe->bytes + pe->headers_bytes)
		return bad_stub(err, "headers and sections overlap");
	return 0;
}

static bool has_section(const struct pe *pe, const char *name)
{
	char padded[8] = {0};
	memcpy(padded, name, strnlen(name, sizeof(padded)));
	for (unsigned i = 0; i < pe->n_sections; i++)
		if (memcmp(pe->table + (size_t)i * SECTION_BYTES, padded, 8) ==
		    0)
			return true;
	return false;
}

/* Makes space for `more` rows in the section table and moves the sections' data
 * where the headers grow. */
static int extend_section_table(struct pe *pe, unsigned more,
				struct mkv_error *err)
{
	uint8_t *end =
		pe->table + (size_t)(pe->n_sections + more) * SECTION_BYTES;
	uint64_t need = align((uint64_t)(end - pe->bytes), pe->file_alignment);
	if (pe->n_sections + more > SECTIONS_MAX || need > pe->first_address)
		return bad_stub(err, "no space for more sections");
	uint32_t directories = mkv_le_get32(pe->optional + 108);
	/* The changed image has neither a valid signature nor a symbol table.
	 */
	if (directories > DIRECTORY_SECURITY)
		memset(pe->optional + 112 + 8 * DIRECTORY_SECURITY, 0, 8);
	memset(pe->coff + 8, 0, 8);
	if (need <= pe->first_data)
		return 0;
	if (directories > DIRECTORY_DEBUG &&
	    mkv_le_get32(pe->optional + 112 + 8 * DIRECTORY_DEBUG))
		/* The debug directory has file offsets that would change. */
		return bad_stub(err, "no space for more sections without "
				     "moving debugging data");
	uint64_t shift = align(need - pe->first_data, pe->file_alignment);
	memmove(pe->bytes + pe->first_data + shift, pe->bytes + pe->first_data,
		pe->file_end - pe->first_data);
	for (unsigned i = 0; i < pe->n_sections; i++) {
		uint8_t *s = pe->table + (size_t)i * SECTION_BYTES;
		if (mkv_le_get32(s + 16))
			mkv_le_put32(s + 20,
				     mkv_le_get32(s + 20) + (uint32_t)shift);
	}
	memset(pe->bytes + pe->headers_bytes, 0,
	       pe->first_data + shift - pe->headers_bytes);
	pe->first_data += shift;
	pe->file_end += shift;
	return 0;
}

/* Assigns addresses and file offsets behind the stub's own sections. */
static int place_sections(const struct pe *pe, struct section *sections,
			  size_t count, uint64_t *ret_image_end,
			  struct mkv_error *err)
{
	uint64_t unit =
		pe->section_alignment > PAGE ? pe->section_alignment : PAGE;
	uint64_t address = align(pe->image_end, unit);
	uint64_t offset = align(pe->file_end, pe->file_alignment);
	for (size_t i = 0; i < count; i++) {
		struct section *s = &sections[i];
		uint64_t size = mkv_content_size(s->content);
		if (has_section(pe, s->name))
			return bad_stub(err, "contains a kernel already");
		if (size > INT32_MAX || address + size > INT32_MAX ||
		    offset + size > INT32_MAX)
			return mkv_fail(err, MKV_FAILED, EFBIG,
					"a unified kernel image can't hold "
					"section %s of %llu bytes",
					s->name, (unsigned long long)size);
		s->size = (uint32_t)size;
		s->address = (uint32_t)address;
		s->offset = (uint32_t)offset;
		address = align(address + size, unit);
		offset = align(offset + size, pe->file_alignment);
	}
	*ret_image_end = address;
	return 0;
}

static void add_headers(struct pe *pe, const struct section *sections,
			size_t count, uint64_t image_end)
{
	uint64_t raw_bytes = mkv_le_get32(pe->optional + 8);
	uint8_t *row = pe->table + (size_t)pe->n_sections * SECTION_BYTES;
	for (size_t i = 0; i < count; i++, row += SECTION_BYTES) {
		const struct section *s = &sections[i];
		uint64_t raw = align(s->size, pe->file_alignment);
		memset(row, 0, SECTION_BYTES);
		memcpy(row, s->name, strnlen(s->name, 8));
		mkv_le_put32(row + 8, s->size);
		mkv_le_put32(row + 12, s->address);
		mkv_le_put32(row + 16, (uint32_t)raw);
		mkv_le_put32(row + 20, s->offset);
		mkv_le_put32(row + 36, s->flags);
		raw_bytes += raw;
	}
	uint64_t headers =
		align((uint64_t)(row - pe->bytes), pe->file_alignment);
	mkv_le_put16(pe->coff + 2, (uint16_t)(pe->n_sections + count));
	mkv_le_put32(pe->optional + 8, (uint32_t)raw_bytes);
	mkv_le_put32(pe->optional + 56, (uint32_t)image_end);
	if (headers > pe->headers_bytes)
		mkv_le_put32(pe->optional + 60, (uint32_t)headers);
	mkv_le_put32(pe->optional + 64, 0); /* checksum, unused by UEFI */
}

static int write_image(const struct pe *pe, const struct section *sections,
		       size_t count, struct mkv_content **ret,
		       struct mkv_error *err)
{
	auto_fd int fd = memfd_create("uki", MFD_CLOEXEC);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "memfd_create: %m");
	int rc = mkv_pwrite_all(fd, pe->bytes, pe->file_end, 0, err);
	uint64_t end = align(pe->file_end, pe->file_alignment);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < count; i++) {
		rc = mkv_content_copy_to(sections[i].content, fd,
					 sections[i].offset, err);
		if (rc < 0)
			return rc;
		end = align((uint64_t)sections[i].offset + sections[i].size,
			    pe->file_alignment);
	}
	if (ftruncate(fd, (off_t)end) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "ftruncate: %m");
	auto_source struct mkv_source *source = NULL;
	rc = mkv_source_new(mkv_take_fd(&fd), &source, err);
	if (rc < 0)
		return rc;
	*ret = mkv_content_range(source, 0, end, NULL);
	return *ret ? 0 : mkv_oom(err);
}

static int load_stub(const struct mkv_content *stub, struct pe *pe,
		     struct mkv_error *err)
{
	uint64_t size = mkv_content_size(stub);
	if (size > STUB_BYTES_MAX)
		return bad_stub(err, "larger than 16 MiB");
	pe->size = (size_t)size;
	pe->bytes = calloc(1, pe->size + SPARE_BYTES);
	if (!pe->bytes)
		return mkv_oom(err);
	int rc = mkv_content_read(stub, 0, pe->bytes, pe->size, err);
	if (rc < 0)
		return rc;
	rc = parse_headers(pe, err);
	return rc < 0 ? rc : parse_sections(pe, err);
}

static int add_sections(const struct mkv_content *stub,
			struct section *sections, size_t count,
			struct mkv_content **ret, struct mkv_error *err)
{
	__attribute__((cleanup(pe_done))) struct pe pe = {0};
	uint64_t image_end = 0;
	int rc = load_stub(stub, &pe, err);
	if (rc < 0)
		return rc;
	rc = extend_section_table(&pe, (unsigned)count, err);
	if (rc < 0)
		return rc;
	rc = place_sections(&pe, sections, count, &image_end, err);
	if (rc < 0)
		return rc;
	add_headers(&pe, sections, count, image_end);
	return write_image(&pe, sections, count, ret, err);
}

int mkv_uki_build(const struct mkv_content *stub,
		  const struct mkv_uki_parts *parts, struct mkv_content **ret,
		  struct mkv_error *err)
{
	auto_content struct mkv_content *command_line = mkv_content_bytes(
		parts->command_line, strlen(parts->command_line));
	auto_content struct mkv_content *release = mkv_content_bytes(
		parts->kernel_release, strlen(parts->kernel_release));
	if (!command_line || !release)
		return mkv_oom(err);
	/* The kernel is last, so that memory behind the image is free for it.
	 */
	struct section sections[5];
	size_t count = 0;
	if (parts->os_release)
		sections[count++] = (struct section){
			".osrel", parts->os_release, FLAGS_DATA, 0, 0, 0};
	sections[count++] =
		(struct section){".cmdline", command_line, FLAGS_DATA, 0, 0, 0};
	sections[count++] =
		(struct section){".uname", release, FLAGS_DATA, 0, 0, 0};
	sections[count++] = (struct section){
		".initrd", parts->initramfs, FLAGS_DATA, 0, 0, 0};
	sections[count++] =
		(struct section){".linux", parts->kernel, FLAGS_CODE, 0, 0, 0};
	return add_sections(stub, sections, count, ret, err);
}
