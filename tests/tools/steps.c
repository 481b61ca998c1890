/* SPDX-License-Identifier: MIT */
/* steps NAME: runs a progress step that succeeds and one that fails, whose
 * texts contain NAME and which are drawn several times, and a cached step. */
#include <stdio.h>
#include <time.h>

#include "builder/core/progress/progress.h"

static void draw_some(struct mkv_progress *progress)
{
	const struct timespec pause = {.tv_nsec = 120000000};
	for (int i = 0; i < 2; i++) {
		(void)nanosleep(&pause, NULL);
		mkv_progress_advance(progress, 123456789);
	}
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	struct mkv_progress *progress = mkv_progress_new(MKV_PROGRESS_AUTO);
	if (!progress)
		return 1;
	struct mkv_progress_step step =
		mkv_progress_begin(progress, 1000000000, "copy %s", argv[1]);
	draw_some(progress);
	mkv_progress_note(progress, "note of %s", argv[1]);
	draw_some(progress);
	mkv_progress_end(&step, 0, NULL);
	step = mkv_progress_begin(progress, 0, "write %s", argv[1]);
	draw_some(progress);
	mkv_progress_end(&step, -EIO, NULL);
	step = mkv_progress_begin(progress, 0, "x");
	mkv_progress_end(&step, 0, "cached");
	mkv_progress_free(progress);
	return 0;
}
