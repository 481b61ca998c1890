/* SPDX-License-Identifier: MIT */
#include "programs/campaign/conductor/validity.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

enum { DECIMALS = 9 };

int mkv_decimal_parse(const char *text, int64_t *ret)
{
	int64_t value = 0;
	size_t whole = 0, decimals = 0;
	for (; *text >= '0' && *text <= '9'; text++, whole++) {
		if (whole == 9)
			return -ERANGE;
		value = value * 10 + (*text - '0');
	}
	if (whole == 0)
		return -EINVAL;
	if (*text == '.')
		for (text++; *text >= '0' && *text <= '9'; text++, decimals++)
			if (decimals < DECIMALS)
				value = value * 10 + (*text - '0');
	if (*text)
		return -EINVAL;
	for (; decimals < DECIMALS; decimals++)
		value *= 10;
	*ret = value;
	return 0;
}

static int64_t read_decimal(struct mkv_json_reader *reader,
			    const json_t *object, const char *key)
{
	int64_t value = 0;
	const char *text = mkv_json_string(reader, object, key, true);
	if (text && mkv_decimal_parse(text, &value) < 0)
		mkv_json_mistake(reader, key, "not a decimal number");
	return value;
}

static void read_times(struct mkv_json_reader *reader, const json_t *summary,
		       struct mkv_run_facts *facts)
{
	const struct {
		const char *key;
		int64_t *into;
	} rows[] = {
		{"began_realtime_ns", &facts->began_realtime_ns},
		{"measured_began_realtime_ns",
		 &facts->measured_began_realtime_ns},
		{"ended_realtime_ns", &facts->ended_realtime_ns},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		*rows[i].into = mkv_json_integer(reader, summary, rows[i].key,
						 0, INT64_MAX, true, 0);
}

static void read_spans(struct mkv_json_reader *reader, const json_t *summary,
		       struct mkv_run_facts *facts)
{
	const json_t *spans =
		mkv_json_member(reader, summary, "spans", JSON_OBJECT, true);
	size_t mark = mkv_json_enter(reader, "spans");
	facts->spans_ended = (uint64_t)mkv_json_integer(reader, spans, "ended",
							0, INT64_MAX, true, 0);
	facts->spans_dropped = (uint64_t)mkv_json_integer(
		reader, spans, "dropped", 0, INT64_MAX, true, 0);
	mkv_json_leave(reader, mark);
}

int mkv_facts_read_summary(const json_t *summary, struct mkv_run_facts *ret,
			   struct mkv_error *err)
{
	struct mkv_json_reader reader;
	mkv_json_reader_init(&reader, err);
	ret->is_interrupted =
		mkv_json_boolean(&reader, summary, "interrupted") != 0;
	ret->blocked = mkv_json_integer(&reader, summary, "blocked", 0,
					INT64_MAX, true, 0);
	ret->rate_asked = read_decimal(&reader, summary, "rate_asked");
	ret->rate_achieved = read_decimal(&reader, summary, "rate_achieved");
	const json_t *late =
		mkv_json_member(&reader, summary, "late_ns", JSON_OBJECT, true);
	size_t mark = mkv_json_enter(&reader, "late_ns");
	ret->late_p99_ns =
		mkv_json_integer(&reader, late, "p99", 0, INT64_MAX, true, 0);
	mkv_json_leave(&reader, mark);
	read_times(&reader, summary, ret);
	read_spans(&reader, summary, ret);
	return reader.rc;
}

/* The index of a column in the header line; -1: there is none. */
static int find_column(char *line, const char *name)
{
	char *rest = line;
	int index = 0;
	for (char *cell; (cell = strsep(&rest, ",")); index++)
		if (strcmp(cell, name) == 0)
			return index;
	return -1;
}

/* The cell of a row; NULL: the row has fewer. */
static const char *find_cell(char *line, int column)
{
	char *rest = line, *cell = strsep(&rest, ",");
	for (int i = 0; cell && i < column; i++)
		cell = strsep(&rest, ",");
	return cell;
}

static int count_row(char *line, int column, int64_t status,
		     struct mkv_run_facts *facts, struct mkv_error *err)
{
	char wanted[24];
	(void)snprintf(wanted, sizeof(wanted), "%" PRId64, status);
	const char *cell = find_cell(line, column);
	if (!cell)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"row %" PRIu64 " has no status",
				facts->rows + 1);
	facts->rows++;
	facts->answered += strcmp(cell, wanted) == 0;
	return 0;
}

/* Reads a line without its newline. 1: there is one, 0: the end. */
static int next_line(FILE *file, char line[static 4096], struct mkv_error *err)
{
	if (!fgets(line, 4096, file))
		return ferror(file)
			       ? mkv_fail(err, MKV_FAILED, errno, "read: %m")
			       : 0;
	size_t length = strlen(line);
	if (length == 0 || line[length - 1] != '\n')
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"a line is cut or too long");
	line[length - 1] = '\0';
	return 1;
}

int mkv_facts_read_rows(int fd, int64_t status, struct mkv_run_facts *ret,
			struct mkv_error *err)
{
	char line[4096];
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	auto_file FILE *file = copy < 0 ? NULL : fdopen(copy, "r");
	if (!file)
		return mkv_fail(err, MKV_FAILED, errno, "open: %m");
	int rc = next_line(file, line, err);
	if (rc < 0)
		return rc;
	int column = rc ? find_column(line, "status") : -1;
	if (column < 0)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"there is no column 'status'");
	ret->rows = ret->answered = 0;
	while ((rc = next_line(file, line, err)) > 0) {
		rc = count_row(line, column, status, ret, err);
		if (rc < 0)
			return rc;
	}
	return rc;
}

static bool is_off_rate(const struct mkv_run_facts *load, int64_t limit_ppb)
{
	int64_t off = load->rate_achieved - load->rate_asked;
	__int128 absolute = off < 0 ? -(__int128)off : off;
	return absolute * 1000000000 > (__int128)limit_ppb * load->rate_asked;
}

unsigned mkv_validity_find(const struct mkv_run_facts *load,
			   const struct mkv_span_facts *spans,
			   const struct mkv_validity_limits *limits)
{
	const struct {
		bool holds;
		enum mkv_reason reason;
	} rows[] = {
		{load->rows != limits->requests ||
			 load->answered != limits->requests,
		 MKV_REASON_NOT_ALL_ANSWERED},
		{spans->dropped > 0, MKV_REASON_SPANS_DROPPED},
		{spans->is_counted &&
			 spans->received + spans->dropped < spans->expected,
		 MKV_REASON_SPANS_MISSING},
		{load->late_p99_ns > limits->lateness_ns, MKV_REASON_LATE},
		{is_off_rate(load, limits->rate_ppb), MKV_REASON_RATE},
		{load->blocked > 0, MKV_REASON_BLOCKED},
		{load->is_interrupted, MKV_REASON_INTERRUPTED},
	};
	unsigned set = 0;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].holds)
			set |= 1U << rows[i].reason;
	return set;
}
