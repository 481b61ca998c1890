/* SPDX-License-Identifier: MIT */
#include "verify/check/checks.h"

#include <ctype.h>
#include <string.h>

#include "verify/probe/cpufacts.h"

/* Adds one finding for a property that every CPU must show alike. `text` holds
 * what CPU 0 shows; `odd` the first CPU that shows something else, or -1. */
struct shown {
	char text[MKV_CPUTEXT_SIZE];
	char other[MKV_CPUTEXT_SIZE];
	int odd;
};

static void show(struct shown *shown, bool first, unsigned cpu,
		 const char *text)
{
	if (first) {
		(void)snprintf(shown->text, sizeof(shown->text), "%s", text);
		shown->odd = -1;
	} else if (shown->odd < 0 && strcmp(shown->text, text) != 0) {
		(void)snprintf(shown->other, sizeof(shown->other), "%s", text);
		shown->odd = (int)cpu;
	}
}

static void conclude(struct mkv_answer *answer, const struct shown *shown,
		     const char *what, const char *source, const char *expected)
{
	if (shown->odd >= 0)
		mkv_answer_say(answer, expected ? MKV_FAIL : MKV_NOT_PROMISED,
			       what, source, expected,
			       "'%s', but CPU %d shows '%s'", shown->text,
			       shown->odd, shown->other);
	else
		mkv_answer_compare(answer, what, source, expected, shown->text);
}

/* The same of a text in registers: the contract may have written its bytes in
 * another form than what is shown here. */
static void conclude_text(struct mkv_answer *answer, const struct shown *shown,
			  const char *what, const char *source,
			  const char *expected)
{
	char text[MKV_CPUTEXT_SIZE];
	if (expected && mkv_cputext_normalise(expected, text))
		expected = text;
	conclude(answer, shown, what, source, expected);
}

static const char *number_text(int value, char ret[static 16])
{
	if (value < 0)
		return NULL;
	(void)snprintf(ret, 16, "%d", value);
	return ret;
}

/* Whether every "flags" line of cpuinfo has the word; -1 without such a line.
 */
static int kernel_has(const char *info, const char *name)
{
	int answer = -1;
	size_t length = strlen(name);
	for (const char *line = info; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, "flags", 5) != 0)
			continue;
		size_t left = strcspn(line, "\n");
		bool found = false;
		for (const char *at = line; left && !found;) {
			size_t word = strcspn(at, " \t\n");
			found = word == length && memcmp(at, name, length) == 0;
			at += word;
			if ((size_t)(at - line) >= left)
				break;
			at++;
		}
		if (!found)
			return 0;
		answer = 1;
	}
	return answer;
}

static void check_features(const struct mkv_env *env, struct mkv_answer *answer)
{
	const struct mkv_contract_strings *wanted = &env->image->cpu.features;
	for (size_t i = 0; i < wanted->count; i++) {
		const char *name = wanted->items[i];
		char what[96];
		(void)snprintf(what, sizeof(what), "feature %.64s", name);
		int on = -1;
		for (size_t c = 0; c < env->cpuid->count; c++) {
			on = mkv_cpu_feature(&env->cpuid->cpus[c], name);
			if (on != 1)
				break;
		}
		if (on >= 0) {
			mkv_answer_compare(answer, what, "CPUID, every CPU",
					   "present",
					   on ? "present" : "absent");
			continue;
		}
		/* A name that only the kernel knows. */
		auto_free char *info = mkv_env_read(env, "/proc/cpuinfo");
		on = info ? kernel_has(info, name) : -1;
		mkv_answer_compare(answer, what, "/proc/cpuinfo flags",
				   "present",
				   on < 0 ? NULL
				   : on	  ? "present"
					  : "absent");
	}
}

void mkv_check_cpu_model(const struct mkv_env *env, struct mkv_answer *answer)
{
	const struct mkv_contract_cpu *cpu = &env->image->cpu;
	if (!env->cpuid) {
		mkv_answer_add(answer, MKV_NOT_ESTABLISHED, "registers",
			       "CPUID, every CPU", "readable", NULL);
		return;
	}
	struct shown vendor, brand, family, model, stepping;
	for (size_t i = 0; i < env->cpuid->count; i++) {
		const struct mkv_cpuid_cpu *one = &env->cpuid->cpus[i];
		struct mkv_cpu_identity id;
		char text[16];
		if (!mkv_cpu_identify(one, &id)) {
			mkv_answer_say(answer, MKV_NOT_ESTABLISHED, "identity",
				       "CPUID 0, 1", "readable",
				       "CPU %u lacks leaf 0 or 1", one->cpu);
			return;
		}
		show(&vendor, i == 0, one->cpu, id.vendor);
		show(&brand, i == 0, one->cpu, id.brand);
		(void)snprintf(text, sizeof(text), "%u", id.family);
		show(&family, i == 0, one->cpu, text);
		(void)snprintf(text, sizeof(text), "%u", id.model);
		show(&model, i == 0, one->cpu, text);
		(void)snprintf(text, sizeof(text), "%u", id.stepping);
		show(&stepping, i == 0, one->cpu, text);
	}
	char text[16];
	conclude_text(answer, &vendor, "vendor", "CPUID 0, every CPU",
		      cpu->vendor);
	conclude(answer, &family, "family", "CPUID 1, every CPU",
		 number_text(cpu->family, text));
	conclude(answer, &model, "model", "CPUID 1, every CPU",
		 number_text(cpu->model, text));
	conclude(answer, &stepping, "stepping", "CPUID 1, every CPU",
		 number_text(cpu->stepping, text));
	conclude_text(answer, &brand, "brand", "CPUID 0x80000002..4, every CPU",
		      cpu->brand);
	check_features(env, answer);
}

static void check_domain(const struct mkv_env *env, struct mkv_answer *answer)
{
	static const char source[] = "/sys/class/dmi/id/product_uuid";
	auto_free char *uuid = mkv_env_read(env, source);
	for (char *at = uuid; at && *at; at++)
		*at = (char)tolower((unsigned char)*at);
	mkv_answer_compare(answer, "domain's UUID", source,
			   env->host->hypervisor.uuid, uuid);
}

void mkv_check_hypervisor(const struct mkv_env *env, struct mkv_answer *answer)
{
	const struct mkv_contract_cpu *cpu = &env->image->cpu;
	/* What a platform means, unless the contract says otherwise: metal
	 * shows no hypervisor, a guest shows one. */
	bool wanted = cpu->hypervisor >= 0
			      ? cpu->hypervisor == 1
			      : env->image->platform == MKV_PLATFORM_GUEST;
	/* libvirt gives each domain its UUID, and only the promised one's
	 * receipt can be tied to this one. */
	if (env->host->hypervisor.promised)
		check_domain(env, answer);
	if (!env->cpuid) {
		mkv_answer_add(answer, MKV_NOT_ESTABLISHED, "hypervisor bit",
			       "CPUID 1, every CPU", wanted ? "set" : "clear",
			       NULL);
		return;
	}
	struct shown bit = {.odd = -1}, signature = {.odd = -1};
	for (size_t i = 0; i < env->cpuid->count; i++) {
		const struct mkv_cpuid_cpu *one = &env->cpuid->cpus[i];
		struct mkv_cpu_identity id = {0};
		if (!mkv_cpu_identify(one, &id)) {
			mkv_answer_add(answer, MKV_NOT_ESTABLISHED,
				       "hypervisor bit", "CPUID 1, every CPU",
				       wanted ? "set" : "clear", NULL);
			return;
		}
		show(&bit, i == 0, one->cpu, id.hypervisor ? "set" : "clear");
		show(&signature, i == 0, one->cpu, id.hypervisor_signature);
	}
	conclude(answer, &bit, "hypervisor bit", "CPUID 1, every CPU",
		 wanted ? "set" : "clear");
	if (wanted)
		conclude_text(answer, &signature, "hypervisor signature",
			      "CPUID 0x40000000, every CPU",
			      cpu->hypervisor_signature);
	/* The firmware's tables name a hypervisor even where the bit is hidden,
	 * and the kernel remembers which one it found. */
	auto_free char *type = mkv_env_read(env, "/sys/hypervisor/type");
	if (!wanted && type)
		mkv_answer_compare(answer, "hypervisor interface",
				   "/sys/hypervisor/type", "none", type);
}
