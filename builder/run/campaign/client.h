/* SPDX-License-Identifier: MIT */
#pragma once
/* HTTP client of a conductor (docs/CONDUCTOR.md). One connection is kept open.
 * Neither proxies nor redirections are used, and every answer is bounded. */

#include "lib/buf.h"
#include "lib/hash.h"
#include "lib/json.h"

struct mkv_client;
/* `address` is "HOST:PORT": a name, an IPv4 address or [IPv6]. */
int mkv_client_new(const char *address, struct mkv_client **ret,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
void mkv_client_free(struct mkv_client *client);
MKV_DEFINE_AUTO(client, struct mkv_client *, mkv_client_free)
#define auto_client mkv_auto(client)

/* Each returns 0 for an answer of any status: *ret_status, and in *ret the JSON
 * document, which the caller owns. -EHOSTDOWN: no answer within the time limit,
 * 10 s. MKV_UNVERIFIED: the answer is not JSON or larger than 16 MiB. */
int mkv_client_get(struct mkv_client *client, const char *path,
		   unsigned *ret_status, json_t **ret,
		   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);
int mkv_client_post(struct mkv_client *client, const char *path,
		    const void *body, size_t size, unsigned *ret_status,
		    json_t **ret, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 5, 6, 7);

/* Appends the bytes from `offset` to the end of `path`, a file of `size` bytes,
 * to `fd`. A transfer that is interrupted is continued by a call with the
 * offset reached. -EHOSTDOWN: the connection failed, or stood still for 30 s.
 * MKV_UNVERIFIED: another size or range than requested. */
int mkv_client_download(struct mkv_client *client, const char *path, int fd,
			uint64_t offset, uint64_t size,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 6);
