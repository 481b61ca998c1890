/* SPDX-License-Identifier: MIT */
#pragma once
/* The mirrors of the host's apt configuration (sources.list(5), one-line and
 * deb822 format), or those that the user names. Mirrors are not trusted: every
 * file is verified by signature or digest. */

#include <stdbool.h>

#include "lib/error.h"
#include "lib/strings.h"

struct mkv_mirror {
	char *uri;     /* without a trailing slash; http, https or file */
	bool main;     /* has a suite, like "trixie" */
	bool updates;  /* has its "-updates" */
	bool security; /* has its "-security" */
	bool refused;  /* served a release that does not verify */
};
struct mkv_mirrors {
	struct mkv_mirror *items; /* in the order of requests */
	size_t count;
	bool given; /* by the user: every mirror may have any suite */
	struct mkv_settings proxies; /* of apt: key "http", "https" or
					"http::HOST"; value a URI or "DIRECT" */
};
void mkv_mirrors_done(struct mkv_mirrors *mirrors) mkv_nonnull(1);
#define auto_mirrors __attribute__((cleanup(mkv_mirrors_done)))

/* From comma-separated URIs. An invalid URI, or none, is MKV_BAD_USAGE. The
 * caller owns *ret. */
int mkv_mirrors_parse(const char *uris, struct mkv_mirrors *ret,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* From a directory like /etc/apt: the entries for amd64 and component main
 * whose suite has a Debian name and whose Signed-By, if any, is Debian's
 * keyring. None found is MKV_HOST_CANNOT. The caller owns *ret. */
int mkv_mirrors_of_host(const char *etc_apt, struct mkv_mirrors *ret,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* Adds apt's proxy settings when apt-config is installed. */
int mkv_mirrors_add_proxies(struct mkv_mirrors *mirrors,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* Adds the proxy settings in the output of `apt-config dump`. */
int mkv_mirrors_parse_proxies(const char *dump, struct mkv_mirrors *mirrors,
			      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

/* Whether a mirror may have files of an archive, "debian" or "debian-security".
 */
bool mkv_mirrors_may_hold(const struct mkv_mirrors *mirrors, size_t mirror,
			  const char *archive) mkv_nonnull(1, 3);
/* The proxy for a URI: NULL: libcurl's environment variables decide; "": no
 * proxy. Borrowed from `mirrors`. */
const char *mkv_mirrors_proxy(const struct mkv_mirrors *mirrors,
			      const char *uri) mkv_nonnull(1, 2);
