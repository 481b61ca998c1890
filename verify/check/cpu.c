/* SPDX-License-Identifier: MIT */
#include "verify/check/checks.h"

#include <ctype.h>
#include <string.h>

#include "verify/probe/cpufacts.h"

/* A property that must be equal on every CPU. */
struct shown {
	char text[MKV_CPUTEXT_SIZE];  /* of the first CPU */
	char other[MKV_CPUTEXT_SIZE]; /* of the CPU `odd` */
	int odd; /* the first CPU with another value; -1: none */
};

static void add_cpu_value(struct shown *shown, bool first, unsigned cpu,
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

static void compare_shown(struct mkv_answer *answer, const struct shown *shown,
			  const char *what, const char *source,
			  const char *expected)
{
	if (shown->odd >= 0)
		mkv_answer_say(answer, expected ? MKV_FAIL : MKV_NOT_PROMISED,
			       what, source, expected,
			       "'%s', but CPU %d shows '%s'", shown->text,
			       shown->odd, shown->other);
	else
		mkv_answer_compare(answer, what, source, expected, shown->text);
}

/* Compares a text from registers. The contract may have its bytes in another
 * form than `shown`, so it is normalised first. */
static void compare_shown_text(struct mkv_answer *answer,
			       const struct shown *shown, const char *what,
			       const char *source, const char *expected)
{
	char text[MKV_CPUTEXT_SIZE];
	if (expected && mkv_cputext_normalise(expected, text))
		expected = text;
	compare_shown(answer, shown, what, source, expected);
}

static const char *number_text(int value, char ret[static 16])
{
	if (value < 0)
		return NULL;
	(void)snprintf(ret, 16, "%d", value);
	return ret;
}

/* 1: every "flags" line of /proc/cpuinfo has the word; 0: one lacks it; -1:
 * there is no such line. */
static int has_kernel_flag(const char *info, const char *name)
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
		/* The table of features lacks the name; the kernel may have it.
		 */
		auto_free char *info = mkv_env_read(env, "/proc/cpuinfo");
		on = info ? has_kernel_flag(info, name) : -1;
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
		add_cpu_value(&vendor, i == 0, one->cpu, id.vendor);
		add_cpu_value(&brand, i == 0, one->cpu, id.brand);
		(void)snprintf(text, sizeof(text), "%u", id.family);
		add_cpu_value(&family, i == 0, one->cpu, text);
		(void)snprintf(text, sizeof(text), "%u", id.model);
		add_cpu_value(&model, i == 0, one->cpu, text);
		(void)snprintf(text, sizeof(text), "%u", id.stepping);
		add_cpu_value(&stepping, i == 0, one->cpu, text);
	}
	char text[16];
	compare_shown_text(answer, &vendor, "vendor", "CPUID 0, every CPU",
			   cpu->vendor);
	compare_shown(answer, &family, "family", "CPUID 1, every CPU",
		      number_text(cpu->family, text));
	compare_shown(answer, &model, "model", "CPUID 1, every CPU",
		      number_text(cpu->model, text));
	compare_shown(answer, &stepping, "stepping", "CPUID 1, every CPU",
		      number_text(cpu->stepping, text));
	compare_shown_text(answer, &brand, "brand",
			   "CPUID 0x80000002..4, every CPU", cpu->brand);
	check_features(env, answer);
}

static void check_uuid(const struct mkv_env *env, struct mkv_answer *answer)
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
	/* Default of the platform: no hypervisor for metal, one for a guest. */
	bool wanted = cpu->hypervisor >= 0
			      ? cpu->hypervisor == 1
			      : env->image->platform == MKV_PLATFORM_GUEST;
	/* libvirt passes the UUID of the domain to the guest. It correlates the
	 * receipts of guest and hypervisor host. */
	if (env->host->hypervisor.promised)
		check_uuid(env, answer);
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
		add_cpu_value(&bit, i == 0, one->cpu,
			      id.hypervisor ? "set" : "clear");
		add_cpu_value(&signature, i == 0, one->cpu,
			      id.hypervisor_signature);
	}
	compare_shown(answer, &bit, "hypervisor bit", "CPUID 1, every CPU",
		      wanted ? "set" : "clear");
	if (wanted)
		compare_shown_text(answer, &signature, "hypervisor signature",
				   "CPUID 0x40000000, every CPU",
				   cpu->hypervisor_signature);
	/* The kernel may have found a hypervisor by other means than the CPUID
	 * bit, which a hypervisor can hide. */
	auto_free char *type = mkv_env_read(env, "/sys/hypervisor/type");
	if (!wanted && type)
		mkv_answer_compare(answer, "hypervisor interface",
				   "/sys/hypervisor/type", "none", type);
}
