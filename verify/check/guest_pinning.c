/* SPDX-License-Identifier: MIT */
/* The check guest-pinning, on a hypervisor: the CPU affinity of each guest's
 * threads, by the kernel. */
#include "verify/check/checks.h"

#include <string.h>

#include "verify/check/guest.h"
#include "verify/probe/proc.h"

static void make_cpuset(const struct mkv_contract_numbers *numbers,
			struct mkv_cpuset *ret)
{
	*ret = (struct mkv_cpuset){0};
	for (size_t i = 0; i < numbers->count; i++)
		mkv_cpuset_add(ret, numbers->items[i]);
}

static const struct mkv_thread *find_thread(const struct mkv_threads *threads,
					    int64_t id)
{
	for (size_t i = 0; i < threads->count; i++)
		if (threads->items[i].id == id)
			return &threads->items[i];
	return NULL;
}

/* Each thread of a guest CPU must be pinned to its one CPU of the machine. */
static void compare_cpu_threads(const struct mkv_guest_findings *q,
				const struct mkv_domain *domain,
				const struct mkv_threads *threads)
{
	const struct mkv_contract_numbers *pins =
		&q->guest->hypervisor.cpu.pins;
	for (size_t i = 0; i < pins->count; i++) {
		const struct mkv_thread *thread = find_thread(
			threads, mkv_domain_cpu_thread(domain, (unsigned)i));
		char what[32], wanted[16], seen[128], source[64], comm[32];
		(void)snprintf(what, sizeof(what), "CPU %zu", i);
		(void)snprintf(wanted, sizeof(wanted), "%u", pins->items[i]);
		(void)snprintf(source, sizeof(source), "/proc/%lld/task/%lld",
			       (long long)domain->pid,
			       (long long)(thread ? thread->id : -1));
		(void)snprintf(comm, sizeof(comm), "CPU %zu/", i);
		if (!thread) {
			mkv_domain_compare(q, what, source, wanted, NULL);
			continue;
		}
		mkv_cpuset_text(&thread->allowed, seen, sizeof(seen));
		/* libvirt records the id of the thread, QEMU names it. */
		if (strncmp(thread->name, comm, strlen(comm)) != 0)
			mkv_domain_compare(q, what, source, comm, thread->name);
		else
			mkv_domain_compare(q, what, source, wanted, seen);
	}
}

static bool is_cpu_thread(const struct mkv_domain *domain, size_t cpus,
			  int64_t id)
{
	for (size_t i = 0; i < cpus; i++)
		if (mkv_domain_cpu_thread(domain, (unsigned)i) == id)
			return true;
	return false;
}

/* All other threads (emulator, I/O, workers, vhost) must stay within their
 * CPUs. */
static void compare_other_threads(const struct mkv_guest_findings *q,
				  const struct mkv_domain *domain,
				  const struct mkv_threads *threads)
{
	const struct mkv_contract_hypervisor *hv = &q->guest->hypervisor;
	struct mkv_cpuset allowed;
	char wanted[128], what[96];
	size_t right = 0, wrong = 0;
	make_cpuset(&hv->cpu.others, &allowed);
	mkv_cpuset_text(&allowed, wanted, sizeof(wanted));
	for (size_t i = 0; i < threads->count; i++) {
		const struct mkv_thread *thread = &threads->items[i];
		char seen[128];
		if (is_cpu_thread(domain, hv->cpu.pins.count, thread->id))
			continue;
		if (mkv_cpuset_is_within(&thread->allowed, &allowed)) {
			right++;
			continue;
		}
		mkv_cpuset_text(&thread->allowed, seen, sizeof(seen));
		if (wrong++ < 8)
			mkv_domain_compare(q, thread->name,
					   "/proc/*/task/*/status", wanted,
					   seen);
	}
	mkv_answer_say(q->answer, wrong ? MKV_FAIL : MKV_PASS,
		       mkv_domain_what(q->guest, "other threads", what),
		       "/proc/*/task/*/status", wanted,
		       "%zu of %zu threads within", right, right + wrong);
}

struct vhost {
	const struct mkv_env *env;
	int64_t pid;
	struct mkv_threads *threads;
};

/* Kernels before 6.4 run vhost in kernel threads named "vhost-PID", which don't
 * belong to the process. A thread that can't be read has exited. */
static void add_vhost(const struct mkv_proc *process, void *context)
{
	const struct vhost *vhost = context;
	char name[32];
	(void)snprintf(name, sizeof(name), "vhost-%lld", (long long)vhost->pid);
	if (strncmp(process->name, name, MKV_PROC_NAME_SIZE - 1) == 0)
		(void)mkv_proc_more_threads(vhost->env, process->pid,
					    vhost->threads);
}

static void compare_pinning(const struct mkv_env *env,
			    const struct mkv_contract_host *guest,
			    const struct mkv_domain *domain,
			    struct mkv_answer *answer)
{
	const struct mkv_contract_hypervisor *hv = &guest->hypervisor;
	const struct mkv_guest_findings q = {answer, guest};
	struct mkv_threads threads = {0};
	bool promised = hv->cpu.pins.count || hv->cpu.others.count;
	if (domain->pid < 0 || !mkv_domain_is_process(env, domain) ||
	    !mkv_proc_threads(env, domain->pid, &threads)) {
		mkv_domain_compare(&q, "threads", "/proc/*/task",
				   promised ? "readable" : NULL, NULL);
		return;
	}
	struct vhost vhost = {env, domain->pid, &threads};
	if (!mkv_proc_each(env, add_vhost, &vhost))
		mkv_domain_compare(&q, "vhost's threads", "/proc/*/comm",
				   promised ? "readable" : NULL, NULL);
	compare_cpu_threads(&q, domain, &threads);
	if (hv->cpu.others.count)
		compare_other_threads(&q, domain, &threads);
	if (!promised)
		mkv_domain_compare(&q, "threads", "/proc/*/task", NULL,
				   "anywhere");
	free(threads.items);
}

void mkv_check_guest_pinning(const struct mkv_env *env,
			     struct mkv_answer *answer)
{
	mkv_domains_compare(env, answer, compare_pinning);
}
