/* SPDX-License-Identifier: MIT */
#include "lib/identity.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/io.h"

static const char *role_of(const struct mkv_contract_host *host)
{
	return host->role ? host->role : host->name;
}

void mkv_identity_print(const struct mkv_contract *contract,
			const struct mkv_contract_host *host,
			const char *contract_sha256, const char *boot_id,
			struct mkv_buf *into)
{
	mkv_buf_printf(into,
		       "MKVBENCH_HOST=%s\nMKVBENCH_ROLE=%s\n"
		       "MKVBENCH_SCENARIO=%s\nMKVBENCH_CONTRACT=%s\n"
		       "MKVBENCH_BOOT_ID=%s\n",
		       host->name, role_of(host),
		       contract->scenario ? contract->scenario : "",
		       contract_sha256, boot_id);
	for (size_t i = 0; i < contract->n_hosts; i++) {
		const struct mkv_contract_host *peer = &contract->hosts[i];
		if (!peer->address)
			continue;
		mkv_buf_str(into, "MKVBENCH_ADDRESS_");
		for (const char *c = role_of(peer); *c; c++)
			mkv_buf_char(into,
				     isalnum((unsigned char)*c)
					     ? (char)toupper((unsigned char)*c)
					     : '_');
		mkv_buf_printf(into, "=%s\n", peer->address);
	}
}

void mkv_identity_process(struct mkv_buf *into)
{
	enum { COMMAND_LINE_MAX = 200 };
	auto_buf struct mkv_buf words = {0};
	struct mkv_error ignored;
	char host[256] = "";
	(void)gethostname(host, sizeof(host) - 1);
	mkv_buf_printf(into, "process %ld on '%s'", (long)getpid(), host);
	if (mkv_read_file(AT_FDCWD, "/proc/self/cmdline", 1 << 20, &words,
			  &ignored) < 0 ||
	    words.size == 0)
		return;
	for (size_t i = 0; i + 1 < words.size; i++)
		if ((unsigned char)words.data[i] < ' ')
			words.data[i] = ' ';
	mkv_buf_printf(into, " (%.*s)", COMMAND_LINE_MAX, words.data);
}
