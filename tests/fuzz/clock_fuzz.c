/* SPDX-License-Identifier: MIT */
/* All external data about the clock: chronyd's two replies and an NTP server's
 * answer, concatenated and mutated. No input may crash the check, and the
 * verdict may be a pass only if the same bytes, decoded here independently, are
 * within every limit. */
#include <math.h>

#include "verify/check/clock_judge.h"

static const char *const fuzz_seeds[] = {"tests/fuzz/clock/*", NULL};
static const char *const fuzz_words[] = {"\xff\xff\xff\xff",
					 "\x7f\xff\xff\xff",
					 "\x80",
					 "\x7f\x01\x01\x01",
					 "KK",
					 "\x01\xff\xff\xff",
					 NULL};

#include "tests/fuzz/driver.h"

enum { TRACKING = 104, NTPDATA = 172, PARTS = TRACKING + NTPDATA + 48 };
/* The current time, and the times of the request and of the answer. */
static const double now_s = 1800000000;
static const uint64_t asked = UINT64_C(0xe900000000000000),
		      answered = UINT64_C(0xe900000000020000); /* 30.5 us */
static const double limit_s = 80e-6;

static const char contract_text[] =
	"{\"mkvbench_contract\":1,\"name\":\"t\",\"scenario\":\"bare-metal\","
	"\"verify\":{\"mode\":\"gate\"},\"clock\":{\"server\":\"srv\","
	"\"address\":\"10.77.0.1\",\"limit_ns\":80000,\"settle_ns\":0,"
	"\"dwell_ns\":0},\"hosts\":{\"me\":{\"image\":\"dut\",\"role\":\"me\"},"
	"\"srv\":{\"image\":\"dut\",\"role\":\"srv\"}},"
	"\"images\":{\"dut\":{\"platform\":\"metal\"}}}";

static uint64_t read_number(const uint8_t *at, size_t size)
{
	uint64_t value = 0;
	for (size_t i = 0; i < size; i++)
		value = value << 8 | at[i];
	return value;
}

/* candm.h: 7 bits of exponent, 25 of coefficient, both in two's complement. */
static double read_real(const uint8_t *at)
{
	uint32_t bits = (uint32_t)read_number(at, 4);
	int32_t exponent = (int32_t)bits >> 25;
	int32_t coefficient = (int32_t)(bits << 7) >> 7;
	return ldexp(coefficient, exponent - 25);
}

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_pass(const uint8_t *t, const uint8_t *n, const uint8_t *s)
{
	static const uint8_t server[] = {10, 77, 0, 1};
	t += 28;
	n += 28;
	require(read_number(t + 26, 2) <= 2);
	require(read_number(t + 20, 2) == 1 && memcmp(t + 4, server, 4) == 0);
	uint64_t high = read_number(t + 28, 4);
	double reference = (high == 0x7fffffff ? 0 : (double)high * 0x1p32) +
			   (double)read_number(t + 32, 4) +
			   (double)read_number(t + 36, 4) * 1e-9;
	double age = now_s - reference;
	require(age >= -1 && age <= 120);
	double bound = fabs(read_real(t + 40)) + read_real(n + 76) / 2 +
		       read_real(n + 80) +
		       (age > 0 ? age : 0) * (read_real(t + 60) + 1) * 1e-6;
	require(read_real(t + 60) >= 0 && read_real(n + 76) >= 0 &&
		read_real(n + 80) >= 0);
	require(bound <= limit_s + 2e-9);

	require((s[0] & 7) == 4 && s[0] >> 6 != 3 && s[1] >= 1 && s[1] <= 15);
	/* Differences of wrapping timestamps, in units of 2^-32 s. */
	long double forth = (int64_t)(read_number(s + 32, 8) - asked);
	long double back = (int64_t)(read_number(s + 40, 8) - answered);
	long double inside =
		(int64_t)(read_number(s + 40, 8) - read_number(s + 32, 8));
	long double delay = (int64_t)(answered - asked) - inside;
	require(inside >= 0 && delay >= 0);
	require((fabsl(forth + back) + delay) / 2 / 0x1p32L <= limit_s + 4e-9L);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mkv_contract *contract;
	static struct mkv_env env;
	struct mkv_error err;
	if (!contract) {
		require(mkv_contract_parse(contract_text, strlen(contract_text),
					   &contract, &err) == 0);
		env = (struct mkv_env){
			.root = "",
			.contract = contract,
			.host = mkv_contract_find_host(contract, "me"),
			.image = mkv_contract_find_image(contract, "dut"),
			.chrony_socket = "chronyd",
		};
	}
	if (size < PARTS)
		return 0;
	const uint8_t *t = data, *n = t + TRACKING, *s = n + NTPDATA;
	struct mkv_clock_reading r = {
		.now_s = now_s,
		.kernel = {.esterror = 20, .maxerror = 900},
	};
	r.has_tracking = mkv_chrony_parse_tracking(t, TRACKING, 0, &r.tracking,
						   &r.tracking_error) == 0;
	r.has_ntpdata = mkv_chrony_parse_ntpdata(n, NTPDATA, 0, &r.ntpdata,
						 &r.ntpdata_error) == 0;
	r.has_sntp = mkv_sntp_parse(s, size - (size_t)(s - data),
				    read_number(s + 24, 8), asked, answered,
				    &r.sntp, &r.sntp_error) == 0;
	auto_answer struct mkv_answer answer = {0}, below = {0};
	mkv_clock_judge(&env, &r, &answer);
	bool pass = mkv_answer_result(&answer) == MKV_PASS;
	if (pass)
		check_pass(t, n, s);
	/* An esterror of 0 (below 1 us) changes no verdict. */
	r.kernel.esterror = 0;
	mkv_clock_judge(&env, &r, &below);
	require((mkv_answer_result(&below) == MKV_PASS) == pass);
	return 0;
}
