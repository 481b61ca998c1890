/* SPDX-License-Identifier: MIT */
#include "programs/campaign/conductor/self.h"

#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>

#include "lib/io.h"

static int load_contract(struct mkv_self *self, int dirfd,
			 struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	int rc = mkv_read_file(dirfd, "contract.json", MKV_CONTRACT_LIMIT_BYTES,
			       &text, err);
	if (rc < 0)
		return rc;
	rc = mkv_sha256_bytes(text.data, text.size, &self->contract_sha256,
			      err);
	if (rc < 0)
		return rc;
	mkv_sha256_hex(&self->contract_sha256, self->contract_hex);
	rc = mkv_contract_parse(text.data, text.size, &self->contract, err);
	return rc < 0 ? mkv_wrap(err, rc, "contract.json") : 0;
}

static int find_boot_id(struct mkv_self *self, struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	if (self->boot_id_setting) {
		mkv_buf_str(&text, self->boot_id_setting);
	} else {
		int rc = mkv_read_file(AT_FDCWD,
				       "/proc/sys/kernel/random/boot_id", 256,
				       &text, err);
		if (rc < 0)
			return rc;
	}
	size_t length = text.data ? strcspn(text.data, "\n") : 0;
	if (length == 0 || length >= sizeof(self->boot_id))
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"the boot id is not one");
	(void)snprintf(self->boot_id, sizeof(self->boot_id), "%.*s",
		       (int)length, text.data);
	return 0;
}

/* Without the setting: the only host with the role `collector`. */
static int find_host(struct mkv_self *self, struct mkv_error *err)
{
	if (!self->host) {
		const struct mkv_contract_host *host =
			mkv_contract_find_role(self->contract, "collector");
		self->host = host ? host->name : NULL;
	}
	if (!self->host || !mkv_contract_find_host(self->contract, self->host))
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"MKVBENCH_HOST is no host of the contract");
	return 0;
}

/* Settings are freed before the conductor's thread ends. */
static int keep_texts(struct mkv_self *self, struct mkv_error *err)
{
	const char **const texts[] = {
		&self->directory,     &self->contract_dir,
		&self->collector_url, &self->prometheus_url,
		&self->host,	      &self->boot_id_setting};
	for (size_t i = 0; i < MKV_SELF_TEXTS; i++) {
		self->kept[i] = *texts[i] ? strdup(*texts[i]) : NULL;
		if (*texts[i] && !self->kept[i])
			return mkv_oom(err);
		*texts[i] = self->kept[i];
	}
	return 0;
}

int mkv_self_load(struct mkv_self *self, struct mkv_error *err)
{
	int rc = keep_texts(self, err);
	if (rc < 0)
		return rc;
	auto_fd int dirfd =
		open(self->contract_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m",
				self->contract_dir);
	rc = load_contract(self, dirfd, err);
	if (rc < 0)
		return rc;
	if (!self->contract->experiment.promised)
		return mkv_fail(err, MKV_FAILED, ENOENT,
				"the contract has no experiment: nothing to "
				"conduct");
	rc = mkv_public_key_load(dirfd, "key.pub", &self->key, err);
	if (rc < 0)
		return rc;
	rc = find_boot_id(self, err);
	return rc < 0 ? rc : find_host(self, err);
}

void mkv_self_done(struct mkv_self *self)
{
	mkv_contract_free(mkv_take(self->contract));
	for (size_t i = 0; i < MKV_SELF_TEXTS; i++)
		free(mkv_take(self->kept[i]));
}

uint64_t mkv_self_free(const struct mkv_self *self)
{
	struct statvfs now;
	if (statvfs(self->directory, &now) < 0)
		return 0;
	uint64_t bytes = (uint64_t)now.f_bavail * now.f_frsize;
	uint64_t spare = (uint64_t)self->spare_bytes;
	return bytes > spare ? bytes - spare : 0;
}
