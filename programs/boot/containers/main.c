/* SPDX-License-Identifier: MIT */
/* mkvbench-containers prepare|start|stop|keep: manages the Docker networks,
 * volumes and containers that the contract promises for this host. `keep` runs
 * until it is killed and restarts containers that fail. */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/io.h"
#include "programs/boot/containers/containers.h"

#define HOST_PATH "/run/mkvbench/host"
#define BOOT_ID_PATH "/proc/sys/kernel/random/boot_id"

enum { KEEP_S = 5 };

static int keep_running(const struct mkv_containers *what,
			struct mkv_error *err)
{
	for (;; (void)sleep(KEEP_S))
		if (mkv_containers_revive(what, err) < 0)
			fprintf(stderr, "mkvbench-containers: keep: %s\n",
				err->message);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(const struct mkv_containers *what, struct mkv_error *err);
} verbs[] = {
	{"prepare", mkv_containers_prepare},
	{"start", mkv_containers_start},
	{"stop", mkv_containers_stop},
	{"keep", keep_running},
};

static int read_line(const char *path, struct mkv_buf *ret,
		     struct mkv_error *err)
{
	int rc = mkv_read_file(AT_FDCWD, path, 256, ret, err);
	if (rc < 0)
		return rc;
	while (ret->size && strchr(" \t\r\n", ret->data[ret->size - 1]))
		ret->data[--ret->size] = '\0';
	return ret->size ? 0
			 : mkv_fail(err, MKV_FAILED, EINVAL, "'%s' is empty",
				    path);
}

static int load_contract(struct mkv_contract **ret,
			 char hex[static MKV_SHA256_HEX_SIZE],
			 struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	struct mkv_sha256 sha256;
	int rc = mkv_read_file(AT_FDCWD, MKV_CONTRACT_PATH,
			       MKV_CONTRACT_LIMIT_BYTES, &text, err);
	if (rc < 0)
		return rc;
	rc = mkv_sha256_bytes(text.data, text.size, &sha256, err);
	if (rc < 0)
		return rc;
	mkv_sha256_hex(&sha256, hex);
	return mkv_contract_parse(text.data, text.size, ret, err);
}

static int run_verb(size_t verb, struct mkv_error *err)
{
	auto_contract struct mkv_contract *contract = NULL;
	auto_buf struct mkv_buf host = {0}, boot_id = {0};
	char hex[MKV_SHA256_HEX_SIZE];
	int rc = load_contract(&contract, hex, err);
	if (rc < 0)
		return rc;
	rc = read_line(HOST_PATH, &host, err);
	if (rc < 0)
		return rc;
	rc = read_line(BOOT_ID_PATH, &boot_id, err);
	if (rc < 0)
		return rc;
	struct mkv_containers what = {
		.contract = contract,
		.host = mkv_contract_find_host(contract, host.data),
		.contract_sha256 = hex,
		.boot_id = boot_id.data,
	};
	if (!what.host)
		return mkv_fail(err, MKV_UNVERIFIED, ENOENT,
				"the contract has no host '%s'", host.data);
	what.image = mkv_contract_find_image(contract, what.host->image);
	if (!what.image)
		return mkv_fail(err, MKV_UNVERIFIED, ENOENT,
				"the contract has no image '%s'",
				what.host->image);
	return what.image->docker.promised ? verbs[verb].run(&what, err) : 0;
}

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 2 && i < sizeof(verbs) / sizeof(*verbs);
	     i++) {
		struct mkv_error err;
		if (strcmp(argv[1], verbs[i].name) != 0)
			continue;
		if (run_verb(i, &err) == 0)
			return 0;
		fprintf(stderr, "mkvbench-containers: %s: %s\n", argv[1],
			err.message);
		return mkv_exit_status(err.kind);
	}
	fputs("usage: mkvbench-containers prepare|start|stop|keep\n", stderr);
	return 2;
}
