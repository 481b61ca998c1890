/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>

#include "builder/evidence/bundle/export_internal.h"
#include "builder/evidence/bundle/samples.h"
#include "lib/grow.h"
#include "lib/io.h"

enum { SERIES_MAX = 4000000, SPOOL_SIZE = 256 * 1024 };

/* A series in the temporary file: a line with its labels, then a line
 * "VALUE TIME" for each sample. */
struct series {
	const char *name; /* of the family; a key of `names` */
	uint64_t offset, size;
	size_t number; /* in the order of reading */
};

struct exporting {
	struct mkv_export_output output, spool;
	json_t *names; /* family -> null */
	struct series *series;
	size_t n_series;
	uint64_t spooled; /* bytes that went to the spool's buffer */
	uint64_t samples;
	const char *run;
};

static void exporting_done(struct exporting *exporting)
{
	mkv_buf_done(&exporting->output.text);
	mkv_buf_done(&exporting->spool.text);
	mkv_auto_close_(&exporting->spool.fd);
	json_decref(exporting->names);
	free(exporting->series);
}

static bool is_name(const char *name, bool is_metric)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
		"0123456789:";
	size_t length = strspn(name, letters);
	return length > 0 && !name[length] && !strchr("0123456789", name[0]) &&
	       (is_metric || !strchr(name, ':'));
}

static void add_label(struct mkv_buf *into, const char *name, const char *value)
{
	mkv_buf_printf(into, "%s%s=\"",
		       into->data[into->size - 1] == '{' ? "" : ",", name);
	for (; *value; value++) {
		if (*value == '\n')
			mkv_buf_str(into, "\\n");
		else if (*value == '"' || *value == '\\')
			mkv_buf_printf(into, "\\%c", *value);
		else
			mkv_buf_char(into, *value);
	}
	mkv_buf_char(into, '"');
}

static int spool(struct exporting *exporting, size_t before,
		 struct mkv_error *err)
{
	exporting->spooled += exporting->spool.text.size - before;
	exporting->series[exporting->n_series - 1].size =
		exporting->spooled -
		exporting->series[exporting->n_series - 1].offset;
	return mkv_export_flush(&exporting->spool, false, err);
}

/* The family's name as a key that lives as long as the export. */
static const char *keep_name(struct exporting *exporting, const char *name,
			     struct mkv_error *err)
{
	if (!json_object_get(exporting->names, name) &&
	    json_object_set_new(exporting->names, name, json_null()) < 0) {
		(void)mkv_oom(err);
		return NULL;
	}
	return json_object_iter_key(
		json_object_iter_at(exporting->names, name));
}

static int begin_series(const struct mkv_samples_label *labels, size_t count,
			void *context, struct mkv_error *err)
{
	struct exporting *exporting = context;
	struct mkv_buf *text = &exporting->spool.text;
	const char *name = NULL;
	size_t before = text->size;
	for (size_t i = 0; i < count; i++)
		if (strcmp(labels[i].name, "__name__") == 0)
			name = labels[i].value;
	if (!name || !is_name(name, true))
		return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
				"'%.100s' isn't the name of a metric",
				name ? name : "");
	if (exporting->n_series == SERIES_MAX)
		return mkv_fail(err, MKV_UNVERIFIED, E2BIG,
				"more than %d series", SERIES_MAX);
	const char *kept = keep_name(exporting, name, err);
	if (!kept)
		return -ENOMEM;
	struct series *series =
		mkv_grow(&exporting->series, &exporting->n_series);
	if (!series)
		return mkv_oom(err);
	*series = (struct series){.name = kept,
				  .offset = exporting->spooled,
				  .number = exporting->n_series};
	mkv_buf_char(text, '{');
	for (size_t i = 0; i < count && !text->failed; i++) {
		if (strcmp(labels[i].name, "__name__") == 0)
			continue;
		if (!is_name(labels[i].name, false))
			return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
					"'%.100s' isn't the name of a label",
					labels[i].name);
		add_label(text, labels[i].name, labels[i].value);
	}
	if (!text->failed)
		add_label(text, "mkvbench_run", exporting->run);
	mkv_buf_str(text, "}\n");
	return spool(exporting, before, err);
}

static int add_sample(const char *time_s, const char *value, void *context,
		      struct mkv_error *err)
{
	struct exporting *exporting = context;
	size_t before = exporting->spool.text.size;
	if (strspn(time_s, "0123456789.") != strlen(time_s) || !*value ||
	    strspn(value, "0123456789.eE+-NaInf") != strlen(value))
		return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
				"'%.40s' at '%.40s' isn't a sample", value,
				time_s);
	mkv_buf_printf(&exporting->spool.text, "%s %s\n", value, time_s);
	exporting->samples++;
	return spool(exporting, before, err);
}

static int read_run(int dirfd, const char *run, unsigned attempt, void *context,
		    struct mkv_error *err)
{
	static const struct mkv_samples_visitor visitor = {begin_series,
							   add_sample};
	struct exporting *exporting = context;
	auto_fd int fd = -1;
	(void)attempt;
	exporting->run = run;
	int rc = mkv_export_open(dirfd, "metrics.json.zst", &fd, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = mkv_samples_read(fd, &visitor, exporting, err);
	return rc < 0 ? mkv_wrap(err, rc, "metrics.json.zst") : 0;
}

static int compare_series(const void *a, const void *b)
{
	const struct series *x = a, *y = b;
	int order = strcmp(x->name, y->name);
	return order ? order
		     : (x->number > y->number) - (x->number < y->number);
}

/* The lines of a part of the spool; `labels` keeps those of the series. */
static int print_lines(struct exporting *exporting, const struct series *series,
		       struct mkv_buf *rest, struct mkv_buf *labels,
		       struct mkv_error *err)
{
	struct mkv_buf *out = &exporting->output.text;
	size_t at = 0;
	const char *stop;
	while (at < rest->size &&
	       (stop = memchr(rest->data + at, '\n', rest->size - at))) {
		size_t size = (size_t)(stop - rest->data) - at;
		if (labels->size == 0) {
			mkv_buf_add(labels, rest->data + at, size);
		} else {
			mkv_buf_str(out, series->name);
			mkv_buf_add(out, labels->data, labels->size);
			mkv_buf_char(out, ' ');
			mkv_buf_add(out, rest->data + at, size + 1);
		}
		at += size + 1;
	}
	if (at)
		memmove(rest->data, rest->data + at, rest->size - at);
	rest->size -= at;
	return mkv_export_flush(&exporting->output, false, err);
}

static int print_series(struct exporting *exporting,
			const struct series *series, struct mkv_error *err)
{
	auto_buf struct mkv_buf rest = {0}, labels = {0};
	for (uint64_t at = 0; at < series->size;) {
		uint64_t left = series->size - at;
		size_t size = left < SPOOL_SIZE ? (size_t)left : SPOOL_SIZE;
		void *place = mkv_buf_extend(&rest, size);
		if (!place)
			return mkv_oom(err);
		int rc = mkv_pread_all(exporting->spool.fd, place, size,
				       series->offset + at, err);
		if (rc < 0)
			return rc;
		rc = print_lines(exporting, series, &rest, &labels, err);
		if (rc < 0)
			return rc;
		at += size;
	}
	return mkv_buf_check(&labels, err);
}

static int print_all(struct exporting *exporting, struct mkv_error *err)
{
	const char *family = "";
	if (exporting->n_series)
		qsort(exporting->series, exporting->n_series,
		      sizeof(*exporting->series), compare_series);
	for (size_t i = 0; i < exporting->n_series; i++) {
		const struct series *series = &exporting->series[i];
		if (strcmp(series->name, family) != 0)
			mkv_buf_printf(&exporting->output.text,
				       "# TYPE %s unknown\n", series->name);
		family = series->name;
		int rc = print_series(exporting, series, err);
		if (rc < 0)
			return rc;
	}
	mkv_buf_str(&exporting->output.text, "# EOF\n");
	return mkv_export_flush(&exporting->output, true, err);
}

static int open_spool(int *ret, struct mkv_error *err)
{
	const char *directory = getenv("TMPDIR");
	if (!directory || !*directory)
		directory = "/var/tmp";
	*ret = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	return *ret < 0 ? mkv_fail(err, MKV_FAILED, errno,
				   "create a temporary file in '%s': %m",
				   directory)
			: 0;
}

int mkv_bundle_export_openmetrics(const char *bundle, int fd,
				  struct mkv_export_counts *ret,
				  struct mkv_error *err)
{
	__attribute__((cleanup(exporting_done))) struct exporting exporting = {
		.output = {.fd = fd}, .spool = {.fd = -1}};
	exporting.names = json_object();
	if (!exporting.names)
		return mkv_oom(err);
	int rc = open_spool(&exporting.spool.fd, err);
	if (rc < 0)
		return rc;
	rc = mkv_export_runs(bundle, read_run, &exporting, &ret->runs, err);
	if (rc < 0)
		return rc;
	rc = mkv_export_flush(&exporting.spool, true, err);
	if (rc < 0)
		return rc;
	ret->items = exporting.samples;
	return print_all(&exporting, err);
}
