/* SPDX-License-Identifier: MIT */
#pragma once
/* Where packages come from: the mirrors that the host's own apt configuration
 * names (sources.list(5), one-line and deb822 form), or those that the user
 * gives. Nothing here says a mirror is to be trusted: all that comes from one
 * is checked by signature or digest. */

#include <stdbool.h>

#include "lib/error.h"
#include "lib/strings.h"

struct mkv_mirror {
	char *uri;     /* without a trailing slash; http, https or file */
	bool main;     /* holds a suite, like "trixie" */
	bool updates;  /* and its "-updates" */
	bool security; /* holds its "-security" */
	bool refused;  /* what it serves isn't Debian's */
};
struct mkv_mirrors {
	struct mkv_mirror *items; /* in the order in which they are asked */
	size_t count;
	bool given;		     /* by the user: each may hold anything */
	struct mkv_settings proxies; /* apt's: "http", "https", or with a host,
					"http::HOST", to an URI or "DIRECT" */
};
void mkv_mirrors_done(struct mkv_mirrors *mirrors) mkv_nonnull(1);
#define auto_mirrors __attribute__((cleanup(mkv_mirrors_done)))

/* From text: URIs, separated by commas. */
int mkv_mirrors_parse(const char *uris, struct mkv_mirrors *ret,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* From a folder like /etc/apt. Only entries for amd64 whose suite is Debian's,
 * by its name, that hold component main and that no other keyring than Debian's
 * is to verify. None found is MKV_HOST_CANNOT. */
int mkv_mirrors_of_host(const char *etc_apt, struct mkv_mirrors *ret,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* Adds apt's proxy settings, where there is an apt-config. */
int mkv_mirrors_add_proxies(struct mkv_mirrors *mirrors,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* The same from the text that `apt-config dump` prints. */
int mkv_mirrors_parse_proxies(const char *dump, struct mkv_mirrors *mirrors,
			      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

/* Whether a mirror may hold an archive, "debian" or "debian-security". */
bool mkv_mirrors_may_hold(const struct mkv_mirrors *mirrors, size_t mirror,
			  const char *archive) mkv_nonnull(1, 3);
/* The proxy for a URI: NULL for what curl's environment says, "" for none. */
const char *mkv_mirrors_proxy(const struct mkv_mirrors *mirrors,
			      const char *uri) mkv_nonnull(1, 2);
