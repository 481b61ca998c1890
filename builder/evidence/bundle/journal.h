/* SPDX-License-Identifier: MIT */
#pragma once
/* The journal of a campaign, journal.jsonl: one JSON object per line, compact
 * with sorted keys. `n` counts from 0, `previous` is the SHA-256 of the line
 * before without its newline (64 zeros in the first line), `time_ns` is
 * CLOCK_REALTIME, `event` a word; all other members belong to the event
 * (docs/BUNDLE.md). A line is on the disk before mkv_journal_append() returns.
 */

#include "lib/hash.h"
#include "lib/json.h"

#define MKV_JOURNAL_NAME "journal.jsonl"
enum {
	MKV_JOURNAL_LINE_MAX = 1024 * 1024,
	MKV_JOURNAL_LINES_MAX = 1000000,
};

struct mkv_journal;

/* Called for each line, in order. `line` is borrowed. A negative return, with
 * its error recorded, stops the reading. */
typedef int mkv_journal_visit(const json_t *line, void *context,
			      struct mkv_error *err);

/* What mkv_journal_read() found. */
struct mkv_journal_end {
	uint64_t lines;		  /* complete and valid */
	uint64_t bytes;		  /* of these lines */
	uint64_t torn_bytes;	  /* after them: an incomplete last line */
	struct mkv_sha256 sha256; /* of the last line; zeros without any */
};
/* Reads lines from the position of `fd` and checks each: canonical JSON, the
 * number, the chain. Memory is bounded by MKV_JOURNAL_LINE_MAX. A last line
 * without its newline, or with NUL bytes, which a power failure may leave, is
 * torn. Any other line that is not valid is MKV_UNVERIFIED. */
int mkv_journal_read(int fd, mkv_journal_visit *visit, void *context,
		     struct mkv_journal_end *ret,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(2, 4, 5);

/* Reads the journal in the directory and opens it for appending; creates an
 * empty one when it is missing. A torn last line is moved to
 * journal.torn-N.txt in the same directory, whose name `ret_torn` gets (owned
 * by the caller; else NULL). */
int mkv_journal_open(int dirfd, mkv_journal_visit *visit, void *context,
		     struct mkv_journal **ret, char **ret_torn,
		     struct mkv_error *err) mkv_must_check
	mkv_nonnull(2, 4, 5, 6);
void mkv_journal_free(struct mkv_journal *journal);
MKV_DEFINE_AUTO(journal, struct mkv_journal *, mkv_journal_free)
#define auto_journal mkv_auto(journal)

/* Appends one line and syncs it. `members` is an object with the event's own
 * members, or NULL, and its reference is taken, also on failure. A failed
 * append leaves no part of the line; when that can't be ensured, every later
 * append fails. */
int mkv_journal_append(struct mkv_journal *journal, int64_t time_ns,
		       const char *event, json_t *members,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 5);

/* The number of lines. */
uint64_t mkv_journal_count(const struct mkv_journal *journal) mkv_nonnull(1);
