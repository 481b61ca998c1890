/* SPDX-License-Identifier: MIT */
/* What a valid command asks, compared with the contract of an appliance. */
#include "lib/command.h"

#include <string.h>

static int refuse(struct mkv_error *err, int rc)
{
	if (rc == -ENOMEM)
		return rc;
	err->kind = MKV_UNVERIFIED;
	err->code = EACCES;
	return mkv_wrap(err, -EACCES, "command");
}

static void check_boots(struct mkv_json_reader *r,
			const struct mkv_command *command,
			const struct mkv_contract *contract)
{
	for (size_t i = 0; i < command->boots.count; i++)
		if (!mkv_contract_find_host(contract,
					    command->boots.items[i].key))
			mkv_json_mistake(r, "boots",
					 "the contract has no host '%.80s'",
					 command->boots.items[i].key);
}

int mkv_command_check(const struct mkv_command *command,
		      const struct mkv_contract *contract,
		      const struct mkv_sha256 *contract_sha256,
		      struct mkv_error *err)
{
	struct mkv_json_reader reader, *r = &reader;
	mkv_json_reader_init(r, err);
	if (!mkv_sha256_equal(&command->contract_sha256, contract_sha256))
		mkv_json_mistake(r, "contract_sha256",
				 "not the contract of this appliance");
	else if (!contract->experiment.promised)
		mkv_json_mistake(r, NULL, "the contract has no experiment");
	check_boots(r, command, contract);
	mkv_plan_check_settings(r, contract, &command->settings);
	if (command->load.has_request)
		mkv_contract_check_request(r, contract, &command->load.request);
	return r->rc < 0 ? refuse(err, r->rc) : 0;
}

const char *mkv_command_boot(const struct mkv_command *command,
			     const char *host)
{
	for (size_t i = 0; i < command->boots.count; i++)
		if (strcmp(command->boots.items[i].key, host) == 0)
			return command->boots.items[i].value;
	return NULL;
}

const struct mkv_contract_service *
mkv_command_settings(const struct mkv_command *command, const char *service)
{
	for (size_t i = 0; i < command->settings.count; i++)
		if (strcmp(command->settings.services[i].name, service) == 0)
			return &command->settings.services[i];
	return NULL;
}
