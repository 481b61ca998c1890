/* SPDX-License-Identifier: MIT */
/* Answers of daemons and servers, and tables of the kernel; the first byte of
 * an input selects the parser. */
#include <limits.h>
#include <math.h>

#include "verify/probe/chrony.h"
#include "verify/probe/cpuset.h"
#include "verify/probe/docker.h"
#include "verify/probe/sntp.h"

static const char *const fuzz_seeds[] = {"tests/fuzz/answers/*", NULL};
static const char *const fuzz_words[] = {"HTTP/1.0 200",
					 "\r\n\r\n",
					 "Transfer-Encoding:",
					 " - ",
					 "\\040",
					 "/ /",
					 "4095",
					 "-",
					 ",",
					 "\xff\xff\xff\xff",
					 NULL};

#include "tests/fuzz/driver.h"

static void sntp(const uint8_t *data, size_t size)
{
	struct mkv_sntp_sample sample;
	struct mkv_error err;
	uint64_t nonce = 0;
	for (size_t i = 24; i < 32 && i < size; i++)
		nonce = nonce << 8 | data[i];
	const uint64_t sent = UINT64_C(0xe900000000000000);
	if (mkv_sntp_parse(data, size, nonce, sent, sent + (1 << 20), &sample,
			   &err) == 0 &&
	    (sample.delay_ns < 0 || sample.stratum == 0 || sample.leap == 3))
		abort();
}

static void try_text(const uint8_t *data, size_t size)
{
	char *copy = strndup((const char *)data, size);
	char type[32], mount[PATH_MAX];
	struct mkv_cpuset set = {0};
	char list[64];
	if (!copy)
		return;
	if (mkv_mount_type(copy, "/a b/c", type, mount) && mount[0] != '/')
		abort();
	if (mkv_cpuset_parse(copy, &set)) {
		mkv_cpuset_text(&set, list, sizeof(list));
		if (strlen(list) >= sizeof(list))
			abort();
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mkv_error err;
	struct mkv_chrony_tracking tracking;
	struct mkv_chrony_ntpdata ntpdata;
	unsigned status;
	const char *body;
	size_t length;
	if (size == 0)
		return 0;
	const uint8_t *rest = data + 1;
	size--;
	switch (data[0]) {
	case 't':
		if (mkv_chrony_parse_tracking(rest, size, 0, &tracking, &err) ==
			    0 &&
		    (tracking.skew_ppm < 0 || !isfinite(tracking.skew_ppm)))
			abort();
		break;
	case 'd':
		if (mkv_chrony_parse_ntpdata(rest, size, 0, &ntpdata, &err) ==
			    0 &&
		    ntpdata.peer_delay_s < 0)
			abort();
		break;
	case 's':
		sntp(rest, size);
		break;
	case 'h':
		if (mkv_http_parse((const char *)rest, size, &status, &body,
				   &length, &err) == 0 &&
		    (body < (const char *)rest ||
		     body + length != (const char *)rest + size))
			abort();
		break;
	default:
		try_text(rest, size);
	}
	return 0;
}
