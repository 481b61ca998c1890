/* SPDX-License-Identifier: MIT */
/* mkvbench-role: determines once per boot which host of the contract this
 * machine is, and writes below /run/mkvbench:
 *
 *     host         name of the host
 *     chrony.conf  configuration of the time daemon: server of the VLAN or
 * client environment  variables of the application's programs, for systemd
 *     roles/ROLE   an empty file that enables the role's units
 *
 * Sources, the first wins: the systemd credential `mkvbench.host` (which SMBIOS
 * type 11 and files of the stub can set), `mkvbench.host=` on the kernel
 * command line, the only host of the contract, the MAC address of a network
 * card. */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/contract.h"
#include "lib/identity.h"
#include "lib/io.h"

#define RUN "/run/mkvbench"
enum { NAME_LIMIT = 64, WAIT_S = 10, STEP_MIN_US = 100 };

static bool trim_into(const char *text, size_t length, char ret[static 65])
{
	while (length && strchr(" \t\r\n", text[length - 1]))
		length--;
	if (length == 0 || length > NAME_LIMIT)
		return false;
	memcpy(ret, text, length);
	ret[length] = '\0';
	return true;
}

static bool read_credential(char ret[static 65])
{
	auto_buf struct mkv_buf text = {0};
	struct mkv_error ignored;
	return mkv_read_file(AT_FDCWD, "/run/credentials/@system/mkvbench.host",
			     256, &text, &ignored) == 0 &&
	       text.size && trim_into(text.data, text.size, ret);
}

static bool read_command_line(char ret[static 65])
{
	static const char key[] = "mkvbench.host=";
	auto_buf struct mkv_buf text = {0};
	struct mkv_error ignored;
	if (mkv_read_file(AT_FDCWD, "/proc/cmdline", 65536, &text, &ignored) <
		    0 ||
	    !text.size)
		return false;
	char *rest = text.data;
	for (char *word; (word = strsep(&rest, " \n"));)
		if (strncmp(word, key, sizeof(key) - 1) == 0)
			return trim_into(word + sizeof(key) - 1,
					 strlen(word + sizeof(key) - 1), ret);
	return false;
}

static const char *host_with_mac(const struct mkv_contract *contract,
				 const char *mac)
{
	for (size_t i = 0; i < contract->n_hosts; i++)
		if (contract->hosts[i].mac &&
		    strcasecmp(contract->hosts[i].mac, mac) == 0)
			return contract->hosts[i].name;
	return NULL;
}

/* Compares the network cards that exist now with the contract. */
static bool match_network_cards(const struct mkv_contract *contract,
				char ret[static 65])
{
	auto_dir DIR *dir = opendir("/sys/class/net");
	if (!dir)
		return false;
	for (struct dirent *entry; (entry = readdir(dir));) {
		char path[300];
		(void)snprintf(path, sizeof(path), "%s/address", entry->d_name);
		auto_buf struct mkv_buf text = {0};
		struct mkv_error ignored;
		char mac[65];
		if (entry->d_name[0] == '.' ||
		    mkv_read_file(dirfd(dir), path, 256, &text, &ignored) < 0 ||
		    !text.size || !trim_into(text.data, text.size, mac))
			continue;
		const char *name = host_with_mac(contract, mac);
		if (name)
			return trim_into(name, strlen(name), ret);
	}
	return false;
}

static int find_name(const struct mkv_contract *contract, char ret[static 65],
		     struct mkv_error *err)
{
	if (read_credential(ret) || read_command_line(ret))
		return 0;
	if (contract->n_hosts == 1)
		return trim_into(contract->hosts[0].name,
				 strlen(contract->hosts[0].name), ret)
			       ? 0
			       : mkv_fail(
					 err, MKV_FAILED, EINVAL,
					 "the contract's host has no valid name");
	/* Network cards appear while udev loads their drivers. */
	for (int tenths = 0; tenths < WAIT_S * 10; tenths++) {
		if (match_network_cards(contract, ret))
			return 0;
		(void)nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
	}
	return mkv_fail(err, MKV_FAILED, ENOENT,
			"determine the host: no credential 'mkvbench.host', no "
			"mkvbench.host= on the kernel command line, and no "
			"network card with a MAC address of the contract");
}

/* Writes a chrony.conf(5). The server follows its upstreams; without any it
 * serves its own clock, so that the hosts always agree with each other. */
static int write_chrony_conf(const struct mkv_contract *contract,
			     const struct mkv_contract_host *host,
			     struct mkv_error *err)
{
	const struct mkv_contract_clock *clock = &contract->clock;
	auto_buf struct mkv_buf text = {0};
	mkv_buf_str(&text, "# Written at boot from the contract.\n"
			   "driftfile /var/lib/chrony/chrony.drift\n"
			   "dumpdir /run/chrony\n"
			   "hwtimestamp *\n"
			   /* Without it chronyd leaves the kernel's clock
			    * marked as unsynchronised. */
			   "rtcsync\n");
	/* A step leaves the kernel's clock marked as unsynchronised until the
	 * next measurement: chronyd steps for large offsets only. */
	int64_t step_us = clock->limit_ns / 2000;
	mkv_buf_printf(&text, "makestep %.6f 30\n",
		       (double)(step_us < STEP_MIN_US ? STEP_MIN_US : step_us) /
			       1e6);
	if (strcmp(host->name, clock->server) == 0) {
		for (size_t i = 0; i < clock->upstream.count; i++)
			mkv_buf_printf(&text, "server %s iburst\n",
				       clock->upstream.items[i]);
		mkv_buf_str(&text, "local stratum 10\n");
		if (contract->vlan.subnet)
			mkv_buf_printf(&text, "allow %s\n",
				       contract->vlan.subnet);
	} else if (clock->address) {
		mkv_buf_printf(&text,
			       "server %s iburst minpoll 0 maxpoll 0 xleave\n",
			       clock->address);
	}
	int rc = mkv_buf_check(&text, err);
	if (rc < 0)
		return rc;
	return mkv_write_file(RUN "/chrony.conf", 0644, text.data, text.size,
			      err);
}

static int write_services(const struct mkv_contract *contract,
			  const struct mkv_contract_host *host,
			  const struct mkv_buf *contract_text,
			  struct mkv_error *err)
{
	auto_buf struct mkv_buf boot_id = {0}, text = {0}, path = {0};
	struct mkv_sha256 sha256;
	char hex[MKV_SHA256_HEX_SIZE];
	int rc = mkv_sha256_bytes(contract_text->data, contract_text->size,
				  &sha256, err);
	if (rc < 0)
		return rc;
	rc = mkv_read_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64,
			   &boot_id, err);
	if (rc < 0)
		return rc;
	if (strchr(host->role ? host->role : host->name, '/'))
		return mkv_fail(err, MKV_UNVERIFIED, EINVAL,
				"role '%s' contains a slash",
				host->role ? host->role : host->name);
	mkv_sha256_hex(&sha256, hex);
	boot_id.data[strcspn(boot_id.data, "\n")] = '\0';
	mkv_identity_print(contract, host, hex, boot_id.data, &text);
	mkv_buf_printf(&path, RUN "/roles/%s",
		       host->role ? host->role : host->name);
	rc = mkv_buf_check(&text, err);
	if (rc < 0)
		return rc;
	rc = mkv_buf_check(&path, err);
	if (rc < 0)
		return rc;
	rc = mkv_make_dirs(RUN "/roles", err);
	if (rc < 0)
		return rc;
	rc = mkv_write_file(path.data, 0644, "", 0, err);
	if (rc < 0)
		return rc;
	return mkv_write_file(RUN "/environment", 0644, text.data, text.size,
			      err);
}

static int determine_role(struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	int rc = mkv_read_file(AT_FDCWD, MKV_CONTRACT_PATH,
			       MKV_CONTRACT_LIMIT_BYTES, &text, err);
	if (rc < 0)
		return rc;
	auto_contract struct mkv_contract *contract = NULL;
	rc = mkv_contract_parse(text.data, text.size, &contract, err);
	if (rc < 0)
		return rc;
	char name[NAME_LIMIT + 1];
	rc = find_name(contract, name, err);
	if (rc < 0)
		return rc;
	const struct mkv_contract_host *host =
		mkv_contract_find_host(contract, name);
	if (!host)
		return mkv_fail(err, MKV_FAILED, ENOENT,
				"host '%s' was requested for this machine, but "
				"the contract has no host of that name",
				name);
	if (sethostname(host->name, strlen(host->name)) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "set host name: %m");
	rc = mkv_make_dirs(RUN, err);
	if (rc < 0)
		return rc;
	if (contract->has_clock) {
		rc = write_chrony_conf(contract, host, err);
		if (rc < 0)
			return rc;
	}
	rc = write_services(contract, host, &text, err);
	if (rc < 0)
		return rc;
	char line[NAME_LIMIT + 2];
	int size = snprintf(line, sizeof(line), "%s\n", host->name);
	return mkv_write_file(RUN "/host", 0644, line, (size_t)size, err);
}

int main(void)
{
	struct mkv_error err = {0};
	if (determine_role(&err) == 0)
		return 0;
	(void)fprintf(stderr, "mkvbench-role: %s\n", err.message);
	return 1;
}
