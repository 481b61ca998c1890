/* SPDX-License-Identifier: MIT */
#include "builder/run/campaign/client.h"

#include <curl/curl.h>
#include <string.h>

#include "builder/input/fetch/transfer.h"
#include "lib/io.h"

enum {
	ANSWER_MAX_BYTES = 16 << 20,
	CONNECT_S = 5,
	REQUEST_S = 10,
	STALL_S = 30, /* of a download without a byte */
};

struct mkv_client {
	CURL *easy;
	char base[300];
};

int mkv_client_new(const char *address, struct mkv_client **ret,
		   struct mkv_error *err)
{
	int rc = mkv_transfer_global(err);
	if (rc < 0)
		return rc;
	auto_client struct mkv_client *client = calloc(1, sizeof(*client));
	if (!client)
		return mkv_oom(err);
	int size = snprintf(client->base, sizeof(client->base), "http://%s",
			    address);
	if (size < 0 || (size_t)size >= sizeof(client->base) ||
	    strpbrk(address, "/@?#% \t\r\n"))
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"'%.200s' is not an address: HOST:PORT is "
				"expected",
				address);
	client->easy = curl_easy_init();
	if (!client->easy)
		return mkv_oom(err);
	*ret = mkv_take(client);
	return 0;
}

void mkv_client_free(struct mkv_client *client)
{
	if (!client)
		return;
	if (client->easy)
		curl_easy_cleanup(client->easy);
	free(client);
}

struct exchange {
	struct mkv_buf text; /* of the answer */
	int fd;		     /* of a download, else -1 */
	uint64_t received, limit_bytes;
	bool is_oversized, is_unwritable;
	char message[CURL_ERROR_SIZE];
};

static size_t receive(char *data, size_t size, size_t count, void *context)
{
	struct exchange *exchange = context;
	struct mkv_error ignored;
	size *= count;
	if (size > exchange->limit_bytes - exchange->received) {
		exchange->is_oversized = true;
		return 0;
	}
	exchange->received += size;
	if (exchange->fd < 0) {
		mkv_buf_add(&exchange->text, data, size);
		return exchange->text.failed ? 0 : size;
	}
	if (mkv_write_all(exchange->fd, data, size, &ignored) < 0) {
		exchange->is_unwritable = true;
		return 0;
	}
	return size;
}

/* Options that every request has. libcurl's setters of pointers and numbers
 * fail only for options that this libcurl lacks, or without memory. */
static bool set_up(struct mkv_client *client, const char *path,
		   struct exchange *exchange)
{
	CURL *easy = client->easy;
	char url[1024];
	int size = snprintf(url, sizeof(url), "%s%s", client->base, path);
	curl_easy_reset(easy);
	return size > 0 && (size_t)size < sizeof(url) &&
	       curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http") ==
		       CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT,
				(long)CONNECT_S) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->message) ==
		       CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive) ==
		       CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange) == CURLE_OK;
}

/* Performs the request that is set up. */
static int perform(struct mkv_client *client, const char *path,
		   struct exchange *exchange, unsigned *ret_status,
		   struct mkv_error *err)
{
	long status = 0;
	CURLcode code = curl_easy_perform(client->easy);
	if (exchange->is_oversized)
		return mkv_fail(err, MKV_UNVERIFIED, EFBIG,
				"%s%s: the answer has more than %llu bytes",
				client->base, path,
				(unsigned long long)exchange->limit_bytes);
	if (exchange->is_unwritable)
		return mkv_fail(err, MKV_FAILED, EIO,
				"%s%s: write the file that is downloaded: %m",
				client->base, path);
	if (code != CURLE_OK)
		return mkv_fail(err, MKV_FAILED, EHOSTDOWN, "%s%s: %s",
				client->base, path,
				*exchange->message ? exchange->message
						   : curl_easy_strerror(code));
	(void)curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &status);
	*ret_status = (unsigned)status;
	return 0;
}

static int exchange_json(struct mkv_client *client, const char *path,
			 const void *body, size_t size, unsigned *ret_status,
			 json_t **ret, struct mkv_error *err)
{
	struct exchange exchange = {.fd = -1, .limit_bytes = ANSWER_MAX_BYTES};
	CURL *easy = client->easy;
	if (!set_up(client, path, &exchange) ||
	    curl_easy_setopt(easy, CURLOPT_TIMEOUT, (long)REQUEST_S) !=
		    CURLE_OK)
		return mkv_oom(err);
	struct curl_slist *headers =
		body ? curl_slist_append(NULL, "Content-Type: application/json")
		     : NULL;
	if (body &&
	    (!headers ||
	     curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers) != CURLE_OK ||
	     curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
			      (curl_off_t)size) != CURLE_OK ||
	     curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body) != CURLE_OK)) {
		curl_slist_free_all(headers);
		return mkv_oom(err);
	}
	int rc = perform(client, path, &exchange, ret_status, err);
	curl_slist_free_all(headers);
	if (rc == 0)
		rc = mkv_buf_check(&exchange.text, err);
	if (rc == 0) {
		rc = mkv_json_load(exchange.text.data ? exchange.text.data : "",
				   exchange.text.size, ret, err);
		err->kind = rc < 0 ? MKV_UNVERIFIED : err->kind;
		if (rc < 0)
			rc = mkv_wrap(
				err, rc,
				"%s%s: the answer (status %u) is not JSON",
				client->base, path, *ret_status);
	}
	mkv_buf_done(&exchange.text);
	return rc;
}

int mkv_client_get(struct mkv_client *client, const char *path,
		   unsigned *ret_status, json_t **ret, struct mkv_error *err)
{
	return exchange_json(client, path, NULL, 0, ret_status, ret, err);
}

int mkv_client_post(struct mkv_client *client, const char *path,
		    const void *body, size_t size, unsigned *ret_status,
		    json_t **ret, struct mkv_error *err)
{
	return exchange_json(client, path, body, size, ret_status, ret, err);
}

int mkv_client_download(struct mkv_client *client, const char *path, int fd,
			uint64_t offset, uint64_t size, struct mkv_error *err)
{
	struct exchange exchange = {.fd = fd, .limit_bytes = size - offset};
	CURL *easy = client->easy;
	unsigned status;
	if (offset >= size)
		return 0;
	/* An error's body must not end up in the file. */
	if (!set_up(client, path, &exchange) ||
	    curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L) != CURLE_OK ||
	    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)STALL_S) !=
		    CURLE_OK ||
	    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L) != CURLE_OK)
		return mkv_oom(err);
	char range[48];
	(void)snprintf(range, sizeof(range), "%llu-",
		       (unsigned long long)offset);
	/* A server that ignores the range sends the whole file, which is longer
	 * than the limit. */
	if (offset > 0 &&
	    curl_easy_setopt(easy, CURLOPT_RANGE, range) != CURLE_OK)
		return mkv_oom(err);
	int rc = perform(client, path, &exchange, &status, err);
	if (rc < 0)
		return rc;
	if (status != (offset > 0 ? 206U : 200U) ||
	    exchange.received != size - offset)
		return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
				"%s%s: status %u and %llu bytes, not the %llu "
				"bytes from byte %llu",
				client->base, path, status,
				(unsigned long long)exchange.received,
				(unsigned long long)(size - offset),
				(unsigned long long)offset);
	return 0;
}
