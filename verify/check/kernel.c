/* SPDX-License-Identifier: MIT */
#include "verify/check/checks.h"

#include <string.h>

void mkv_check_kernel(const struct mkv_env *env, struct mkv_answer *answer)
{
	const struct mkv_contract_kernel *kernel = &env->image->kernel;
	auto_free char *release =
		mkv_env_read(env, "/proc/sys/kernel/osrelease");
	mkv_answer_compare(answer, "release", "/proc/sys/kernel/osrelease",
			   kernel->release, release);
	/* Debian has the version of the package in the kernel's banner. */
	auto_free char *version = mkv_env_read(env, "/proc/sys/kernel/version");
	const char *expected = kernel->version;
	enum mkv_result result = !expected  ? MKV_NOT_PROMISED
				 : !version ? MKV_NOT_ESTABLISHED
				 : strstr(version, expected) ? MKV_PASS
							     : MKV_FAIL;
	mkv_answer_add(answer, result, "version", "/proc/sys/kernel/version",
		       expected, version);
	auto_free char *tainted = mkv_env_read(env, "/proc/sys/kernel/tainted");
	/* Forced, unsigned, out-of-tree or staging modules are code outside the
	 * contract; the other bits record warnings. */
	int64_t taint = mkv_env_read_number(env, "/proc/sys/kernel/tainted");
	const int64_t foreign =
		1 << 0 | 1 << 1 | 1 << 10 | 1 << 12 | 1 << 13 | 1 << 15;
	mkv_answer_add(answer,
		       taint < 0	 ? MKV_NOT_ESTABLISHED
		       : taint & foreign ? MKV_FAIL
					 : MKV_PASS,
		       "foreign modules", "/proc/sys/kernel/tainted",
		       "no forced, proprietary or out-of-tree module", tainted);
}

enum { WORDS_MAX = 512 };

/* Splits in place at spaces outside of quotes, as the kernel does. */
static size_t split_words(char *line, char *words[static WORDS_MAX])
{
	size_t count = 0;
	char *at = line;
	for (;;) {
		while (*at == ' ' || *at == '\t' || *at == '\n')
			at++;
		if (*at == '\0' || count == WORDS_MAX)
			return count;
		words[count++] = at;
		bool quoted = false;
		for (; *at &&
		       (quoted || (*at != ' ' && *at != '\t' && *at != '\n'));
		     at++)
			if (*at == '"')
				quoted = !quoted;
		if (*at)
			*at++ = '\0';
	}
}

/* True for words that the boot loader adds and that don't change the kernel.
 * The host's name is part of the receipt. */
static bool is_of_boot_loader(const char *word)
{
	static const char *const known[] = {
		"BOOT_IMAGE=", "initrd=", "mkvbench.host="};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strncmp(word, known[i], strlen(known[i])) == 0)
			return true;
	return false;
}

static unsigned count_word(char *const *words, size_t count, const char *word)
{
	unsigned found = 0;
	for (size_t i = 0; i < count; i++)
		found += strcmp(words[i], word) == 0;
	return found;
}

void mkv_check_command_line(const struct mkv_env *env,
			    struct mkv_answer *answer)
{
	static const char source[] = "/proc/cmdline";
	const struct mkv_contract_kernel *kernel = &env->image->kernel;
	auto_free char *line = mkv_env_read(env, "/proc/cmdline");
	if (!kernel->has_command_line) {
		mkv_answer_add(answer, MKV_NOT_PROMISED, "words", source, NULL,
			       line);
		return;
	}
	auto_free char *copy = line ? strdup(line) : NULL;
	auto_free char **words = calloc(WORDS_MAX, sizeof(*words));
	if (!line || !copy || !words) {
		mkv_answer_add(answer, MKV_NOT_ESTABLISHED, "words", source,
			       "readable", NULL);
		return;
	}
	size_t count = split_words(copy, words);
	size_t before = answer->count;
	const struct mkv_contract_strings *wanted = &kernel->command_line;
	for (size_t i = 0; i < wanted->count; i++) {
		unsigned promised = count_word((char *const *)wanted->items,
					       wanted->count, wanted->items[i]);
		if (count_word(words, count, wanted->items[i]) < promised)
			mkv_answer_add(answer, MKV_FAIL, "promised word",
				       source, wanted->items[i], "missing");
	}
	for (size_t i = 0; i < count; i++) {
		unsigned promised = count_word((char *const *)wanted->items,
					       wanted->count, words[i]);
		if (!is_of_boot_loader(words[i]) &&
		    count_word(words, i + 1, words[i]) > promised)
			mkv_answer_add(answer, MKV_FAIL, "unknown word", source,
				       "absent", words[i]);
	}
	if (count == WORDS_MAX)
		mkv_answer_add(answer, MKV_NOT_ESTABLISHED, "words", source,
			       "fewer than 512", "more");
	if (answer->count == before)
		mkv_answer_add(answer, MKV_PASS, "words", source,
			       "the promised words only", line);
}

/* The policy, "on" or "off", of the promised command line. */
static const char *promised_policy(const struct mkv_contract_kernel *kernel)
{
	const char *policy = "on";
	for (size_t i = 0; i < kernel->command_line.count; i++)
		if (strcmp(kernel->command_line.items[i], "mitigations=off") ==
		    0)
			policy = "off";
	return policy;
}

static bool is_switched_off(const char *line)
{
	static const char *const words[] = {
		"mitigations=off",
		"nospectre_v1",
		"nospectre_v2",
		"spectre_v2=off",
		"spec_store_bypass_disable=off",
		"retbleed=off",
		"nopti",
		"pti=off",
		"l1tf=off",
		"mds=off",
		"tsx_async_abort=off",
		"srbds=off",
		"mmio_stale_data=off",
		"spec_rstack_overflow=off",
	};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(line, words[i]))
			return true;
	return false;
}

static bool begins_with(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* Records the state of each vulnerability, and the names of those without a
 * mitigation. They are no failure even under the policy "on": without
 * microcode, or in a guest, the kernel reports "Vulnerable" whatever the
 * settings. */
static void record_vulnerabilities(const struct mkv_env *env,
				   struct mkv_answer *answer)
{
	static const char *const files[] = {
		"gather_data_sampling",
		"itlb_multihit",
		"l1tf",
		"mds",
		"meltdown",
		"mmio_stale_data",
		"reg_file_data_sampling",
		"retbleed",
		"spec_rstack_overflow",
		"spec_store_bypass",
		"spectre_v1",
		"spectre_v2",
		"srbds",
		"tsx_async_abort",
	};
	static const char source[] = "/sys/devices/system/cpu/vulnerabilities";
	auto_buf struct mkv_buf open = {0};
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		auto_free char *state =
			mkv_env_read(env, "%s/%s", source, files[i]);
		if (!state)
			continue;
		mkv_answer_add(answer, MKV_NOT_PROMISED, files[i], source, NULL,
			       state);
		if (begins_with(state, "Vulnerable"))
			mkv_buf_printf(&open, "%s%s", open.size ? ", " : "",
				       files[i]);
	}
	mkv_answer_add(answer, MKV_NOT_PROMISED, "still vulnerable", source,
		       NULL,
		       open.failed ? NULL
		       : open.size ? open.data
				   : "none");
}

void mkv_check_mitigations(const struct mkv_env *env, struct mkv_answer *answer)
{
	const char *expected = mkv_env_setting(env, "mitigations");
	if (!expected && env->image->kernel.has_command_line)
		expected = promised_policy(&env->image->kernel);
	auto_free char *line = mkv_env_read(env, "/proc/cmdline");
	mkv_answer_compare(answer, "policy", "/proc/cmdline", expected,
			   !line		   ? NULL
			   : is_switched_off(line) ? "off"
						   : "on");
	record_vulnerabilities(env, answer);
	/* Linux mitigates spectre_v1 on every affected x86 CPU unless it is
	 * disabled by a parameter, so its state shows the policy in force. */
	if (!expected)
		return;
	bool on = strcmp(expected, "on") == 0;
	auto_free char *v1 = mkv_env_read(
		env, "/sys/devices/system/cpu/vulnerabilities/spectre_v1");
	const char *right = on ? "Mitigation" : "Vulnerable";
	const char *wrong = on ? "Vulnerable" : "Mitigation";
	mkv_answer_add(answer,
		       !v1 ? MKV_NOT_ESTABLISHED
		       : begins_with(v1, right) ||
				       begins_with(v1, "Not affected")
			       ? MKV_PASS
		       : begins_with(v1, wrong) ? MKV_FAIL
						: MKV_NOT_ESTABLISHED,
		       "in force",
		       "/sys/devices/system/cpu/vulnerabilities/spectre_v1",
		       on ? "Mitigation or Not affected"
			  : "Vulnerable or Not affected",
		       v1);
}
