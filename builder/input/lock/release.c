/* SPDX-License-Identifier: MIT */
#include "builder/input/lock/release.h"

#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "builder/input/lock/valid.h"
#include "lib/io.h"
#include "lib/process.h"

void mkv_release_done(struct mkv_release *release)
{
	mkv_buf_done(&release->text);
	free(release->origin);
	free(release->label);
	free(release->suite);
	free(release->codename);
	*release = (struct mkv_release){0};
}

/* The result of gpgv's status lines (GnuPG, doc/DETAILS). */
struct verdict {
	unsigned good, bad, plaintexts;
	bool pending_good; /* between GOODSIG and its VALIDSIG */
	char reason[160];  /* the first line of a failed signature */
};

static void read_status_line(const char *line, struct verdict *verdict)
{
	static const char prefix[] = "[GNUPG:] ";
	static const char *const failures[] = {"BADSIG",    "ERRSIG",
					       "EXPSIG",    "EXPKEYSIG",
					       "REVKEYSIG", "NODATA"};
	if (strncmp(line, prefix, sizeof(prefix) - 1) != 0)
		return;
	line += sizeof(prefix) - 1;
	size_t word = strcspn(line, " ");
	if (strncmp(line, "NEWSIG", word) == 0)
		verdict->pending_good = false;
	if (word == 9 && strncmp(line, "PLAINTEXT", word) == 0)
		verdict->plaintexts++;
	if (word == 7 && strncmp(line, "GOODSIG", word) == 0)
		verdict->pending_good = true;
	if (word == 8 && strncmp(line, "VALIDSIG", word) == 0) {
		verdict->good += verdict->pending_good;
		verdict->pending_good = false;
	}
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		if (strlen(failures[i]) != word ||
		    strncmp(line, failures[i], word) != 0)
			continue;
		verdict->pending_good = false;
		verdict->bad += i == 0;
		if (!verdict->reason[0])
			(void)snprintf(verdict->reason, sizeof(verdict->reason),
				       "%s", line);
	}
}

static void read_status(char *text, struct verdict *verdict)
{
	for (char *line; (line = strsep(&text, "\n"));)
		read_status_line(line, verdict);
}

static int copy_to_memfd(const struct mkv_buf *file, int *ret_fd,
			 struct mkv_error *err)
{
	auto_fd int fd = memfd_create("InRelease", MFD_CLOEXEC);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "create memfd: %m");
	int rc = mkv_write_all(fd, file->data, file->size, err);
	if (rc < 0)
		return rc;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "seek memfd: %m");
	*ret_fd = mkv_take_fd(&fd);
	return 0;
}

static int run_gpgv(const struct mkv_buf *file, const char *keyring,
		    struct mkv_buf *signed_text, struct verdict *verdict,
		    struct mkv_error *err)
{
	auto_free char *absolute = realpath(keyring, NULL);
	if (!absolute)
		return mkv_fail(err, MKV_HOST_CANNOT, errno,
				"open keyring '%s': %m; Debian's keyring is in "
				"package debian-archive-keyring",
				keyring);
	auto_fd int fd = -1;
	int rc = copy_to_memfd(file, &fd, err);
	if (rc < 0)
		return rc;
	const char *const argv[] = {
		"gpgv",		 "--quiet", "--status-fd", "2",
		"--weak-digest", "SHA1",    "--keyring",   absolute,
		"--output",	 "-",	    "-",	   NULL};
	auto_buf struct mkv_buf status = {0};
	const struct mkv_process process = {.argv = argv,
					    .stdin_fd = fd,
					    .output = signed_text,
					    .errors = &status,
					    .timeout_s = 60};
	int exit_status = -1;
	rc = mkv_process_run(&process, &exit_status, err);
	if (rc < 0 && exit_status < 0)
		return rc; /* gpgv did not run to its end */
	if (status.data)
		read_status(status.data, verdict);
	return 0;
}

/* The value of "NAME: value" in the signed text; NULL when missing or without
 * memory. */
static char *find_field(const struct mkv_buf *text, const char *name)
{
	size_t length = strlen(name);
	for (const char *at = text->data; at;) {
		if (strncmp(at, name, length) == 0 && at[length] == ':') {
			at += length + 1;
			at += strspn(at, " ");
			return strndup(at, strcspn(at, "\r\n"));
		}
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	return NULL;
}

/* "Sat, 12 Sep 2026 07:55:41 UTC" (RFC 5322, section 3.3, in UTC) */
static int64_t find_date(const struct mkv_buf *text, const char *name)
{
	auto_free char *value = find_field(text, name);
	struct tm tm = {0};
	const char *rest =
		value ? strptime(value, "%a, %d %b %Y %H:%M:%S", &tm) : NULL;
	if (!rest || (strcmp(rest, " UTC") != 0 && strcmp(rest, " GMT") != 0 &&
		      strcmp(rest, " +0000") != 0))
		return 0;
	time_t seconds = timegm(&tm);
	return seconds > 0 && seconds <= MKV_LOCK_SECONDS_MAX ? seconds : 0;
}

int mkv_release_verify(const struct mkv_buf *file, const char *keyring,
		       struct mkv_release *ret, struct mkv_error *err)
{
	auto_release struct mkv_release release = {0};
	struct verdict verdict = {0};
	int rc = mkv_sha256_bytes(file->data, file->size, &release.sha256, err);
	if (rc < 0)
		return rc;
	rc = run_gpgv(file, keyring, &release.text, &verdict, err);
	if (rc < 0)
		return rc;
	if (verdict.bad || !verdict.good || verdict.plaintexts != 1)
		return mkv_fail(
			err, MKV_UNVERIFIED, EBADMSG,
			"no good signature by a key of '%s' (%s)", keyring,
			verdict.reason[0] ? verdict.reason
					  : "gpgv reported no signature");
	if (!release.text.data ||
	    strlen(release.text.data) != release.text.size)
		return mkv_fail(
			err, MKV_UNVERIFIED, EBADMSG,
			"the signed text is empty or contains NUL bytes");
	release.origin = find_field(&release.text, "Origin");
	release.label = find_field(&release.text, "Label");
	release.suite = find_field(&release.text, "Suite");
	release.codename = find_field(&release.text, "Codename");
	release.date_s = find_date(&release.text, "Date");
	release.valid_until_s = find_date(&release.text, "Valid-Until");
	*ret = release;
	release = (struct mkv_release){0};
	return 0;
}

static bool field_equals(const char *text, const char *expected)
{
	return text && strcmp(text, expected) == 0;
}

int mkv_release_check(const struct mkv_release *release, const char *suite,
		      bool allow_expired, struct mkv_error *err)
{
	const char *dash = strrchr(suite, '-');
	const char *label = dash && strcmp(dash, "-security") == 0
				    ? "Debian-Security"
				    : "Debian";
	if (!field_equals(release->origin, "Debian") ||
	    !field_equals(release->label, label))
		return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
				"found Origin '%.60s' and Label '%.60s', "
				"expected 'Debian' and '%s'",
				release->origin ? release->origin : "",
				release->label ? release->label : "", label);
	if (!field_equals(release->codename, suite) &&
	    !field_equals(release->suite, suite))
		return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
				"expected the release of '%s', found '%.60s'",
				suite,
				release->codename ? release->codename : "");
	if (!release->date_s)
		return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
				"the release has no valid Date");
	int64_t now_s = time(NULL);
	if (!allow_expired && release->valid_until_s &&
	    release->valid_until_s < now_s)
		return mkv_fail(err, MKV_UNVERIFIED, EKEYEXPIRED,
				"the release expired %lld hours ago "
				"(Valid-Until): the mirror is stale or "
				"withholds updates; for a snapshot mirror use "
				"--allow-expired",
				(long long)(now_s - release->valid_until_s) /
					3600);
	return 0;
}

/* " SHA256 SIZE PATH" */
static bool parse_entry(const char *line, size_t length, const char *path,
			struct mkv_sha256 *ret_sha256, uint64_t *ret_size)
{
	size_t path_length = strlen(path);
	char hex[MKV_SHA256_HEX_SIZE];
	if (length < 66 + path_length + 2 ||
	    line[length - path_length - 1] != ' ' ||
	    memcmp(line + length - path_length, path, path_length) != 0 ||
	    line[65] != ' ')
		return false;
	memcpy(hex, line + 1, 64);
	hex[64] = '\0';
	uint64_t size = 0;
	const char *at = line + 66;
	at += strspn(at, " ");
	size_t digits = strspn(at, "0123456789");
	if (digits == 0 || digits > 15 ||
	    at + digits != line + length - path_length - 1)
		return false;
	for (size_t i = 0; i < digits; i++)
		size = size * 10 + (uint64_t)(at[i] - '0');
	if (mkv_sha256_parse(hex, ret_sha256) < 0)
		return false;
	*ret_size = size;
	return true;
}

bool mkv_release_find(const struct mkv_release *release, const char *path,
		      struct mkv_sha256 *ret_sha256, uint64_t *ret_size_bytes)
{
	bool in_section = false;
	for (const char *at = release->text.data; *at;) {
		size_t length = strcspn(at, "\n");
		if (at[0] != ' ')
			in_section = strncmp(at, "SHA256:", 7) == 0;
		else if (in_section && parse_entry(at, length, path, ret_sha256,
						   ret_size_bytes))
			return true;
		at += length + (at[length] == '\n');
	}
	return false;
}
