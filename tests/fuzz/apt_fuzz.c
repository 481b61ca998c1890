/* SPDX-License-Identifier: MIT */
/* Data of mirrors and of apt's configuration: sources, proxies, releases,
 * stanzas of indexes. */

#include <stddef.h>

#include "builder/input/fetch/sources.h"
#include "builder/input/lock/release.h"
#include "builder/input/lock/stanza.h"

static const char *const fuzz_seeds[] = {"tests/golden/apt/*", NULL};
static const char *const fuzz_words[] = {"deb ",
					 "[",
					 "]",
					 "signed-by=",
					 "arch=amd64",
					 "http://a/b",
					 "file:/x",
					 "trixie",
					 "-security",
					 "main",
					 "Types: ",
					 "URIs: ",
					 "Suites: ",
					 "Components: ",
					 "Signed-By:",
					 "\n\n",
					 "\n ",
					 "\n",
					 "#",
					 "Package: ",
					 "Size: ",
					 "SHA256:\n",
					 "SHA256: ",
					 "Essential: yes\n",
					 "Acquire::http::Proxy",
					 "::",
					 "\"",
					 "DIRECT",
					 " 12 main/binary-amd64/Packages\n",
					 NULL};

#include "tests/fuzz/driver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mkv_error err = {0};
	auto_mirrors struct mkv_mirrors mirrors = {0};
	struct mkv_release release = {0};
	mkv_buf_add(&release.text, data, size);
	mkv_buf_char(&release.text, '\n');
	const char *text = release.text.data;
	(void)!mkv_sources_parse_list(text, &mirrors, &err);
	(void)!mkv_sources_parse_deb822(text, &mirrors, &err);
	(void)!mkv_mirrors_parse_proxies(text, &mirrors, &err);
	(void)mkv_mirrors_proxy(&mirrors, "http://a.example/b");
	struct mkv_sha256 sha256;
	uint64_t size_bytes;
	(void)mkv_release_find(&release, "main/binary-amd64/Packages", &sha256,
			       &size_bytes);
	/* Stanzas are in a mapped file: only `end` terminates them. */
	char *exact = malloc(size + !size);
	if (exact && size)
		memcpy(exact, data, size);
	const char *at = exact;
	struct mkv_stanza stanza;
	while (exact && mkv_stanza_next(&at, exact + size, &stanza))
		if (stanza.name &&
		    stanza.name + stanza.name_length > exact + size)
			abort();
	free(exact);
	mkv_release_done(&release);
	return 0;
}
