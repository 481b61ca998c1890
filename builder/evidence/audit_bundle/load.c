/* SPDX-License-Identifier: MIT */
/* load.csv: a row for each planned request. */
#include <fcntl.h>
#include <string.h>

#include "builder/evidence/audit_bundle/internal.h"

enum { LINE_SIZE = 1024, COLUMNS = 12 };

static const char header[] =
	"request,phase,intended_ns,sent_ns,late_ns,latency_ns,service_ns,"
	"status,connection,blocked,trace_id,order";

struct counts {
	struct mkv_bundle_run_audit *run;
	uint64_t rows, warm_up, answered, blocked, late, untraced;
	unsigned status; /* the expected one */
	char problem[128];
};

static bool parse_number(const char *text, int64_t *ret)
{
	char *end;
	if (!*text || strspn(text, "-0123456789") != strlen(text))
		return false;
	errno = 0;
	*ret = strtoll(text, &end, 10);
	return errno == 0 && *end == '\0';
}

static bool parse_trace(const char *text, uint8_t ret[static 16])
{
	if (strlen(text) != 32 || strspn(text, "0123456789abcdef") != 32)
		return false;
	for (int i = 0; i < 32; i++) {
		int digit = text[i] <= '9' ? text[i] - '0' : text[i] - 'a' + 10;
		ret[i / 2] = (uint8_t)(ret[i / 2] << 4 | digit);
	}
	return true;
}

static void count_trace(struct counts *counts, const char *text)
{
	uint8_t id[16] = {0};
	if (!*text)
		return;
	if (!parse_trace(text, id))
		(void)snprintf(counts->problem, sizeof(counts->problem),
			       "a trace_id that isn't valid");
	else if (!mkv_idset_has(&counts->run->traces, id, sizeof(id)))
		counts->untraced++;
}

/* Numbers are those of the columns; status may be empty for a lost request. */
static void count_row(struct counts *counts, char *line)
{
	char *cells[COLUMNS], *rest = line, *cell;
	int64_t number = 0, late = 0, status = 0, blocked = 0;
	size_t n = 0;
	for (; (cell = strsep(&rest, ",")); n++)
		if (n < COLUMNS)
			cells[n] = cell;
	if (n != COLUMNS) {
		(void)snprintf(counts->problem, sizeof(counts->problem),
			       "%zu columns, expected %d", n, COLUMNS);
		return;
	}
	bool is_warm_up = strcmp(cells[1], "warm-up") == 0;
	if (!parse_number(cells[0], &number) || number != (int64_t)counts->rows)
		(void)snprintf(counts->problem, sizeof(counts->problem),
			       "'%.20s' isn't the number of the request",
			       cells[0]);
	else if (!is_warm_up && strcmp(cells[1], "measured") != 0)
		(void)snprintf(counts->problem, sizeof(counts->problem),
			       "'%.20s' isn't a phase", cells[1]);
	else if (is_warm_up && counts->warm_up != counts->rows)
		(void)snprintf(counts->problem, sizeof(counts->problem),
			       "a warm-up after the measurement");
	else if (!parse_number(cells[4], &late) ||
		 !parse_number(cells[9], &blocked) ||
		 (*cells[7] && !parse_number(cells[7], &status)))
		(void)snprintf(counts->problem, sizeof(counts->problem),
			       "late_ns, status or blocked isn't a number");
	if (counts->problem[0])
		return;
	counts->rows++;
	counts->warm_up += is_warm_up;
	counts->answered += status == (int64_t)counts->status;
	counts->blocked += blocked != 0;
	counts->late +=
		!is_warm_up && late > counts->run->at->plan->limits.lateness_ns;
	count_trace(counts, cells[10]);
}

static int read_rows(int fd, struct counts *counts, const char *path,
		     struct mkv_error *err)
{
	char line[LINE_SIZE];
	bool is_header = true;
	auto_file FILE *file = fdopen(fd, "re");
	if (!file) {
		(void)close(fd);
		return mkv_oom(err);
	}
	while (!counts->problem[0] && fgets(line, sizeof(line), file)) {
		size_t length = strlen(line);
		if (length == 0 || line[length - 1] != '\n') {
			(void)snprintf(counts->problem, sizeof(counts->problem),
				       "a line is cut or too long");
			break;
		}
		line[length - 1] = '\0';
		if (!is_header)
			count_row(counts, line);
		else if (strcmp(line, header) != 0)
			(void)snprintf(counts->problem, sizeof(counts->problem),
				       "other columns than '%.60s...'", header);
		is_header = false;
	}
	if (counts->problem[0])
		mkv_bundle_find(counts->run->at, path, "row %ju: %s",
				(uintmax_t)(counts->rows + 1), counts->problem);
	return counts->problem[0] ? 1 : 0;
}

/* What makes a run valid. */
static void check_valid(const struct counts *counts, const char *path)
{
	const struct mkv_bundle_run_audit *run = counts->run;
	const struct mkv_plan_load *load = &run->at->plan->load;
	uint64_t planned = (uint64_t)load->warm_up + load->measured;
	if (counts->rows != planned || counts->warm_up != load->warm_up)
		mkv_bundle_find(run->at, path,
				"has %ju requests, %ju of them warm-up; the "
				"plan has %ju and %u",
				(uintmax_t)counts->rows,
				(uintmax_t)counts->warm_up, (uintmax_t)planned,
				load->warm_up);
	if (counts->answered != counts->rows)
		mkv_bundle_find(run->at, path,
				"valid, but %ju of %ju requests were not "
				"answered with status %u",
				(uintmax_t)(counts->rows - counts->answered),
				(uintmax_t)counts->rows, counts->status);
	if (counts->blocked)
		mkv_bundle_find(run->at, path,
				"valid, but %ju requests were blocked",
				(uintmax_t)counts->blocked);
	if (counts->late > load->measured / 100 + 1)
		mkv_bundle_find(run->at, path,
				"valid, but %ju of %u measured requests were "
				"later than the plan's limit",
				(uintmax_t)counts->late, load->measured);
	if (counts->untraced && strcmp(run->arm->tracing, "otlp") == 0)
		mkv_bundle_find(run->at, path,
				"%ju requests name a trace of which no span "
				"is there",
				(uintmax_t)counts->untraced);
}

static unsigned expected_status(const struct mkv_bundle_run_audit *run)
{
	const struct mkv_plan_load *load = &run->at->plan->load;
	if (load->has_request)
		return load->request.status;
	if (run->contract && run->contract->experiment.promised)
		return run->contract->experiment.request.status;
	return 200;
}

int mkv_bundle_audit_load(struct mkv_bundle_run_audit *run,
			  struct mkv_error *err)
{
	struct counts counts = {.run = run, .status = expected_status(run)};
	char path[512];
	int fd = -1;
	mkv_bundle_file_path(run, "load.csv", path);
	if (!mkv_bundle_has_file(run, "load.csv")) {
		if (run->event->is_valid)
			mkv_bundle_find(run->at, path, "missing");
		return 0;
	}
	if (mkv_audit_open(&run->at->audit, path, &fd) < 0)
		return 0; /* its digest is a finding */
	int rc = read_rows(fd, &counts, path, err);
	run->at->report->requests += counts.rows;
	if (rc == 0 && run->event->is_valid)
		check_valid(&counts, path);
	return rc < 0 ? rc : 0;
}
