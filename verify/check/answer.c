/* SPDX-License-Identifier: MIT */
#include "verify/check/answer.h"

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

#include "lib/io.h"

enum { FINDINGS_MAX = 4096 };

const char *mkv_result_name(enum mkv_result result)
{
	static const char *const names[] = {
		[MKV_NOT_PROMISED] = "not-promised",
		[MKV_PASS] = "pass",
		[MKV_NOT_ESTABLISHED] = "not-established",
		[MKV_FAIL] = "fail",
	};
	return names[result];
}

void mkv_answer_done(struct mkv_answer *answer)
{
	for (size_t i = 0; i < answer->count; i++) {
		free(answer->items[i].what);
		free(answer->items[i].expected);
		free(answer->items[i].observed);
		free(answer->items[i].source);
	}
	free(answer->items);
	*answer = (struct mkv_answer){0};
}

enum mkv_result mkv_answer_result(const struct mkv_answer *answer)
{
	enum mkv_result worst = MKV_NOT_PROMISED;
	if (answer->failed)
		worst = MKV_NOT_ESTABLISHED;
	for (size_t i = 0; i < answer->count; i++)
		if (answer->items[i].result > worst)
			worst = answer->items[i].result;
	return worst;
}

static bool grow_findings(struct mkv_answer *answer)
{
	if (answer->count < answer->capacity)
		return true;
	size_t capacity = answer->capacity ? 2 * answer->capacity : 8;
	if (capacity > FINDINGS_MAX)
		return false;
	void *more =
		reallocarray(answer->items, capacity, sizeof(*answer->items));
	if (!more)
		return false;
	answer->items = more;
	answer->capacity = capacity;
	return true;
}

static bool copy_text(const char *text, char **ret)
{
	*ret = text ? strdup(text) : NULL;
	return !text || *ret;
}

void mkv_answer_add(struct mkv_answer *answer, enum mkv_result result,
		    const char *what, const char *source, const char *expected,
		    const char *observed)
{
	if (!grow_findings(answer)) {
		answer->failed = true;
		return;
	}
	struct mkv_finding *finding = &answer->items[answer->count++];
	*finding = (struct mkv_finding){.result = result};
	if (!copy_text(what, &finding->what) ||
	    !copy_text(source, &finding->source) ||
	    !copy_text(expected, &finding->expected) ||
	    !copy_text(observed, &finding->observed))
		answer->failed = true;
}

void mkv_answer_say(struct mkv_answer *answer, enum mkv_result result,
		    const char *what, const char *source, const char *expected,
		    const char *format, ...)
{
	char *observed = NULL;
	va_list ap;
	va_start(ap, format);
	int used = vasprintf(&observed, format, ap);
	va_end(ap);
	if (used < 0) {
		answer->failed = true;
		return;
	}
	mkv_answer_add(answer, result, what, source, expected, observed);
	free(observed);
}

enum mkv_result mkv_answer_compare(struct mkv_answer *answer, const char *what,
				   const char *source, const char *expected,
				   const char *observed)
{
	enum mkv_result result = !expected   ? MKV_NOT_PROMISED
				 : !observed ? MKV_NOT_ESTABLISHED
				 : strcmp(expected, observed) == 0 ? MKV_PASS
								   : MKV_FAIL;
	mkv_answer_add(answer, result, what, source, expected, observed);
	return result;
}

enum mkv_result mkv_answer_number(struct mkv_answer *answer, const char *what,
				  const char *source, int64_t expected,
				  int64_t observed)
{
	char wanted[24], seen[24];
	(void)snprintf(wanted, sizeof(wanted), "%lld", (long long)expected);
	(void)snprintf(seen, sizeof(seen), "%lld", (long long)observed);
	return mkv_answer_compare(answer, what, source,
				  expected < 0 ? NULL : wanted,
				  observed < 0 ? NULL : seen);
}
