/* SPDX-License-Identifier: MIT */
#include "verify/probe/domains.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#include "lib/io.h"
#include "verify/probe/proc.h"

#define STATUS_DIRECTORY "/run/libvirt/qemu"
enum { DOMAINS_MAX = 256 };

static void free_domain(struct mkv_domain *domain)
{
	mkv_xml_free(domain->xml);
	*domain = (struct mkv_domain){0};
}

void mkv_domains_done(struct mkv_domains *domains)
{
	for (size_t i = 0; i < domains->count; i++)
		free_domain(&domains->items[i]);
	free(domains->items);
	*domains = (struct mkv_domains){0};
}

static bool read_domain(const struct mkv_env *env, const char *file,
			struct mkv_domain *ret)
{
	auto_free char *path = mkv_env_path(env, STATUS_DIRECTORY "/%s", file);
	auto_buf struct mkv_buf text = {0};
	struct mkv_domain domain = {0};
	struct mkv_error err;
	if (!path ||
	    mkv_read_file(AT_FDCWD, path, MKV_XML_BYTES_MAX, &text, &err) < 0 ||
	    !text.size ||
	    mkv_sha256_bytes(text.data, text.size, &domain.sha256, &err) < 0 ||
	    mkv_xml_parse(text.data, text.size, &domain.xml, &err) < 0)
		return false;
	domain.status = mkv_xml_root(domain.xml);
	domain.definition = mkv_xml_find(domain.status, "domain");
	const char *name = mkv_xml_text(domain.definition, "name");
	const char *uuid = mkv_xml_text(domain.definition, "uuid");
	domain.name = name ? name : "";
	domain.uuid = uuid ? uuid : "";
	domain.pid =
		mkv_xml_number(mkv_xml_attribute(domain.status, "", "pid"));
	if (!domain.definition ||
	    strcmp(domain.status->name, "domstatus") != 0) {
		free_domain(&domain);
		return false;
	}
	*ret = domain;
	return true;
}

static int compare_names(const void *a, const void *b)
{
	const struct mkv_domain *x = a, *y = b;
	return strcmp(x->name, y->name);
}

void mkv_domains_read(const struct mkv_env *env, struct mkv_domains *ret)
{
	*ret = (struct mkv_domains){0};
	auto_free char *path = mkv_env_path(env, STATUS_DIRECTORY);
	auto_dir DIR *dir = path ? opendir(path) : NULL;
	if (!dir) {
		ret->is_whole = path && errno == ENOENT;
		return;
	}
	ret->items = calloc(DOMAINS_MAX, sizeof(*ret->items));
	if (!ret->items)
		return;
	ret->is_whole = true;
	for (struct dirent *entry; (entry = readdir(dir));) {
		const char *dot = strrchr(entry->d_name, '.');
		if (!dot || strcmp(dot, ".xml") != 0)
			continue;
		if (ret->count < DOMAINS_MAX &&
		    read_domain(env, entry->d_name, &ret->items[ret->count]))
			ret->count++;
		else
			ret->is_whole = false;
	}
	qsort(ret->items, ret->count, sizeof(*ret->items), compare_names);
}

const struct mkv_domain *mkv_domains_find(const struct mkv_domains *domains,
					  const char *uuid)
{
	for (size_t i = 0; i < domains->count; i++)
		if (strcasecmp(domains->items[i].uuid, uuid) == 0)
			return &domains->items[i];
	return NULL;
}

bool mkv_domain_has_ended(const struct mkv_env *env,
			  const struct mkv_domain *domain)
{
	auto_free char *path =
		mkv_env_path(env, "/proc/%lld", (long long)domain->pid);
	return path && access(path, F_OK) < 0 && errno == ENOENT;
}

bool mkv_domain_is_process(const struct mkv_env *env,
			   const struct mkv_domain *domain)
{
	return *domain->uuid &&
	       mkv_proc_has_argument(env, domain->pid, "-uuid", domain->uuid);
}

int64_t mkv_domain_cpu_thread(const struct mkv_domain *domain, unsigned cpu)
{
	const struct mkv_xml_node *vcpu =
		mkv_xml_find(domain->status, "vcpus/vcpu");
	for (; vcpu; vcpu = mkv_xml_next(vcpu))
		if (mkv_xml_number(mkv_xml_attribute(vcpu, "", "id")) == cpu)
			return mkv_xml_number(
				mkv_xml_attribute(vcpu, "", "pid"));
	return -1;
}

const char *mkv_domain_attribute(const struct mkv_xml_node *node,
				 const char *path, const char *name,
				 const char *otherwise)
{
	const char *value = mkv_xml_attribute(node, path, name);
	return value ? value : otherwise;
}
