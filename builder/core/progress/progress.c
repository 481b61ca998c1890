/* SPDX-License-Identifier: MIT */
#include "builder/core/progress/progress.h"

#include <jansson.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/display.h"
#include "lib/text.h"
#include "lib/utf8.h"

enum { TEXT_MAX = 256, REDRAW_MS = 100 };

enum style { TERMINAL, PLAIN, JSON, QUIET };

struct mkv_progress {
	enum style style;
	pthread_mutex_t mutex;
	bool in_step;
	uint64_t number; /* of the step that began last */
	char step[TEXT_MAX];
	uint64_t total_bytes, done_bytes;
	int64_t begun_ms, drawn_ms;
};

/* What mkv_progress_interrupt() ends: a command has one progress. */
static pthread_mutex_t live_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct mkv_progress *live;

struct mkv_progress *mkv_progress_new(enum mkv_progress_mode mode)
{
	struct mkv_progress *progress = calloc(1, sizeof(*progress));
	if (!progress)
		return NULL;
	const char *term = getenv("TERM");
	bool terminal = isatty(2) && term && strcmp(term, "dumb") != 0;
	progress->style = mode == MKV_PROGRESS_JSON    ? JSON
			  : mode == MKV_PROGRESS_QUIET ? QUIET
			  : terminal		       ? TERMINAL
						       : PLAIN;
	(void)pthread_mutex_init(&progress->mutex, NULL);
	(void)pthread_mutex_lock(&live_mutex);
	live = progress;
	(void)pthread_mutex_unlock(&live_mutex);
	return progress;
}

/* Takes ownership of `event`. Each line is one write, so that lines of several
 * writers are not mixed. */
static void print_json(json_t *event)
{
	char *line = json_dumps(event, JSON_COMPACT);
	json_decref(event);
	if (line)
		(void)fprintf(stderr, "%s\n", line);
	free(line);
}

/* Formats a text for the output's style: valid UTF-8 for JSON, else without
 * control characters other than those in `keep`. */
static void set_text(const struct mkv_progress *p, char *ret, size_t size,
		     const char *keep, const char *format, va_list arguments)
{
	int length = vsnprintf(ret, size, format, arguments);
	if (length >= (int)size)
		mkv_utf8_drop_cut(ret);
	if (p->style == JSON)
		mkv_utf8_make_valid(ret);
	else
		mkv_display_clean(ret, keep);
}

/* ", 12.3 MB/s, 4 s left"; without the time when the total is unknown, and
 * empty in the first half second. */
static void rate_text(const struct mkv_progress *p, int64_t elapsed_ms,
		      char *ret, size_t size)
{
	ret[0] = '\0';
	if (elapsed_ms < 500 || !p->done_bytes)
		return;
	double rate = (double)p->done_bytes * 1000 / (double)elapsed_ms;
	char text[16];
	mkv_size_text((uint64_t)rate, text);
	if (p->total_bytes > p->done_bytes)
		(void)snprintf(ret, size, ", %s/s, %.0f s left", text,
			       (double)(p->total_bytes - p->done_bytes) / rate);
	else
		(void)snprintf(ret, size, ", %s/s", text);
}

/* The terminal's width less one: in the last column the cursor would move to
 * the next line. */
static size_t columns(void)
{
	struct winsize window;
	if (ioctl(2, TIOCGWINSZ, &window) == 0 && window.ws_col > 0)
		return window.ws_col - 1U;
	return 79;
}

static void draw(struct mkv_progress *p, int64_t at_ms)
{
	char line[2 * TEXT_MAX], amount[64] = "", rate[64], done[16], total[16];
	mkv_size_text(p->done_bytes, done);
	mkv_size_text(p->total_bytes, total);
	if (p->total_bytes)
		(void)snprintf(amount, sizeof(amount), ": %s of %s", done,
			       total);
	else if (p->done_bytes)
		(void)snprintf(amount, sizeof(amount), ": %s", done);
	rate_text(p, at_ms - p->begun_ms, rate, sizeof(rate));
	(void)snprintf(line, sizeof(line), "%s%s%s", p->step, amount, rate);
	(void)fprintf(stderr, "\r%.*s\033[K",
		      (int)mkv_display_cut(line, columns()), line);
	p->drawn_ms = at_ms;
}

/* Erases the redrawn line before a line that stays is printed. Erasing after it
 * would remove the last character of a line as wide as the terminal. */
static const char *line_start(const struct mkv_progress *p)
{
	return p->style == TERMINAL ? "\r\033[K" : "";
}

/* The caller holds p->mutex. */
static void end_step(struct mkv_progress *p, int rc, const char *note)
{
	if (!p->in_step)
		return;
	p->in_step = false;
	int64_t elapsed_ms = mkv_monotonic_ms() - p->begun_ms;
	char size[16];
	mkv_size_text(p->done_bytes, size);
	switch (p->style) {
	case TERMINAL:
	case PLAIN:
		(void)fprintf(stderr, "%s%s: %s (%s%s%.1f s)\n", line_start(p),
			      p->step,
			      rc < 0 ? "failed"
			      : note ? note
				     : "done",
			      p->done_bytes ? size : "",
			      p->done_bytes ? ", " : "",
			      (double)elapsed_ms / 1000);
		break;
	case JSON:
		print_json(json_pack("{s:s,s:s,s:b,s:I,s:I,s:s*}", "event",
				     "end", "step", p->step, "ok", rc >= 0,
				     "bytes", (json_int_t)p->done_bytes,
				     "elapsed_ms", (json_int_t)elapsed_ms,
				     "note", rc < 0 ? NULL : note));
		break;
	case QUIET:
		break;
	}
}

void mkv_progress_free(struct mkv_progress *progress)
{
	if (!progress)
		return;
	(void)pthread_mutex_lock(&live_mutex);
	if (live == progress)
		live = NULL;
	(void)pthread_mutex_unlock(&live_mutex);
	end_step(progress, -ECANCELED, NULL);
	(void)pthread_mutex_destroy(&progress->mutex);
	free(progress);
}

struct mkv_progress_step mkv_progress_begin(struct mkv_progress *p,
					    uint64_t total_bytes,
					    const char *format, ...)
{
	if (!p)
		return (struct mkv_progress_step){0};
	(void)pthread_mutex_lock(&p->mutex);
	end_step(p, -ECANCELED, NULL);
	va_list ap;
	va_start(ap, format);
	set_text(p, p->step, sizeof(p->step), "", format, ap);
	va_end(ap);
	p->in_step = true;
	p->total_bytes = total_bytes;
	p->done_bytes = 0;
	p->begun_ms = mkv_monotonic_ms();
	struct mkv_progress_step step = {p, ++p->number};
	if (p->style == TERMINAL)
		draw(p, p->begun_ms);
	else if (p->style == PLAIN)
		(void)fprintf(stderr, "%s\n", p->step);
	else if (p->style == JSON)
		print_json(json_pack("{s:s,s:s,s:I}", "event", "begin", "step",
				     p->step, "total_bytes",
				     (json_int_t)total_bytes));
	(void)pthread_mutex_unlock(&p->mutex);
	return step;
}

void mkv_progress_advance(struct mkv_progress *p, uint64_t bytes)
{
	if (!p)
		return;
	(void)pthread_mutex_lock(&p->mutex);
	p->done_bytes += bytes;
	if (p->in_step && p->style == TERMINAL) {
		int64_t at_ms = mkv_monotonic_ms();
		if (at_ms - p->drawn_ms >= REDRAW_MS)
			draw(p, at_ms);
	}
	(void)pthread_mutex_unlock(&p->mutex);
}

void mkv_progress_end(struct mkv_progress_step *step, int rc,
		      const char *format, ...)
{
	struct mkv_progress *p = step->progress;
	char note[TEXT_MAX];
	if (!p)
		return;
	if (format) {
		va_list ap;
		va_start(ap, format);
		set_text(p, note, sizeof(note), "", format, ap);
		va_end(ap);
	}
	(void)pthread_mutex_lock(&p->mutex);
	if (p->number == step->number)
		end_step(p, rc, format ? note : NULL);
	(void)pthread_mutex_unlock(&p->mutex);
}

void mkv_progress_step_done(struct mkv_progress_step *step)
{
	int saved = errno;
	mkv_progress_end(step, -ECANCELED, NULL);
	errno = saved;
}

void mkv_progress_note(struct mkv_progress *p, const char *format, ...)
{
	if (!p || p->style == QUIET)
		return;
	char note[4 * TEXT_MAX];
	va_list ap;
	va_start(ap, format);
	set_text(p, note, sizeof(note), "\n\t", format, ap);
	va_end(ap);
	(void)pthread_mutex_lock(&p->mutex);
	if (p->style == JSON)
		print_json(
			json_pack("{s:s,s:s}", "event", "note", "text", note));
	else
		(void)fprintf(stderr, "%s%s\n", p->in_step ? line_start(p) : "",
			      note);
	if (p->in_step && p->style == TERMINAL)
		draw(p, mkv_monotonic_ms());
	(void)pthread_mutex_unlock(&p->mutex);
}

void mkv_progress_interrupt(void)
{
	/* Neither mutex is unlocked: the process is about to end. */
	(void)pthread_mutex_lock(&live_mutex);
	if (!live)
		return;
	(void)pthread_mutex_lock(&live->mutex);
	end_step(live, -ECANCELED, NULL);
}
