/* SPDX-License-Identifier: MIT */
#include "builder/rootfs/package/deb.h"

#include <string.h>
#include <sys/stat.h>

#include "lib/io.h"

enum { GLOBAL_SIZE = 8, HEADER_SIZE = 60, MEMBERS_MAX = 16 };

static int malformed(struct mkv_error *err, const char *what)
{
	return mkv_fail(err, MKV_UNVERIFIED, EBADMSG, "invalid .deb: %s", what);
}

/* A decimal number, padded with spaces. */
static bool parse_size(const char field[static 10], uint64_t *ret)
{
	uint64_t value = 0;
	size_t at = 0;
	for (; at < 10 && field[at] >= '0' && field[at] <= '9'; at++)
		value = value * 10 + (uint64_t)(field[at] - '0');
	bool any = at > 0;
	while (at < 10 && field[at] == ' ')
		at++;
	*ret = value;
	return any && at == 10;
}

/* The name without its padding and without the final slash of GNU ar. */
static void parse_name(const char field[static 16], char ret[static 17])
{
	size_t length = 16;
	memcpy(ret, field, 16);
	while (length > 0 && ret[length - 1] == ' ')
		length--;
	if (length > 0 && ret[length - 1] == '/')
		length--;
	ret[length] = '\0';
}

static bool is_tar(const char *name, const char *stem)
{
	size_t length = strlen(stem);
	return strncmp(name, stem, length) == 0 &&
	       (name[length] == '\0' || name[length] == '.');
}

static int check_version(int fd, const struct mkv_deb_member *member,
			 struct mkv_error *err)
{
	char text[4];
	if (member->size < sizeof(text))
		return malformed(err, "debian-binary is too short");
	int rc = mkv_pread_all(fd, text, sizeof(text), member->offset, err);
	if (rc < 0)
		return rc;
	if (memcmp(text, "2.", 2) != 0)
		return malformed(err, "its format version is not 2.x");
	return 0;
}

static int record_member(int fd, size_t number, const char *name,
			 const struct mkv_deb_member *member,
			 struct mkv_deb *deb, struct mkv_error *err)
{
	if (number == 0) {
		if (strcmp(name, "debian-binary") != 0)
			return malformed(err, "debian-binary is not first");
		return check_version(fd, member, err);
	}
	if (name[0] == '_')
		return 0;
	if (!deb->control.offset) {
		if (!is_tar(name, "control.tar"))
			return malformed(err, "control.tar is not second");
		deb->control = *member;
	} else if (!deb->data.offset) {
		if (!is_tar(name, "data.tar"))
			return malformed(err, "data.tar is not third");
		deb->data = *member;
	}
	return 0; /* deb(5): ignore further members, later versions add them */
}

int mkv_deb_read(int fd, struct mkv_deb *ret, struct mkv_error *err)
{
	struct stat status;
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return mkv_fail(err, MKV_FAILED, EINVAL,
				".deb: not a regular file");
	uint64_t end = (uint64_t)status.st_size, at = GLOBAL_SIZE;
	char global[GLOBAL_SIZE];
	if (end < GLOBAL_SIZE)
		return malformed(err, "shorter than an ar header");
	int rc = mkv_pread_all(fd, global, sizeof(global), 0, err);
	if (rc < 0)
		return rc;
	if (memcmp(global, "!<arch>\n", GLOBAL_SIZE) != 0)
		return malformed(err, "not an ar archive");
	struct mkv_deb deb = {0};
	for (size_t i = 0; i < MEMBERS_MAX && at < end; i++) {
		char header[HEADER_SIZE], name[17];
		struct mkv_deb_member member = {.offset = at + HEADER_SIZE};
		if (end - at < HEADER_SIZE)
			return malformed(err, "truncated member header");
		rc = mkv_pread_all(fd, header, sizeof(header), at, err);
		if (rc < 0)
			return rc;
		if (memcmp(header + 58, "`\n", 2) != 0 ||
		    !parse_size(header + 48, &member.size) ||
		    member.size > end - member.offset)
			return malformed(err, "malformed member header");
		parse_name(header, name);
		rc = record_member(fd, i, name, &member, &deb, err);
		if (rc < 0)
			return rc;
		at = member.offset + member.size + (member.size & 1);
	}
	if (!deb.control.offset || !deb.data.offset)
		return malformed(err, "control.tar or data.tar is missing");
	*ret = deb;
	return 0;
}
