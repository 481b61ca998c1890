/* SPDX-License-Identifier: MIT */
#include <microhttpd.h>
#include <stdarg.h>

#include "lib/json.h"
#include "lib/utf8.h"
#include "programs/lib/http.h"

void mkv_http_json(struct mkv_http_request *request, unsigned status,
		   json_t *document)
{
	struct mkv_error err;
	request->status = status;
	request->reply.size = 0;
	if (!document ||
	    mkv_json_dump_compact(document, &request->reply, &err) < 0) {
		request->status = MHD_HTTP_INTERNAL_SERVER_ERROR;
		request->reply.size = 0;
	}
	mkv_buf_char(&request->reply, '\n');
	json_decref(document);
}

void mkv_http_error(struct mkv_http_request *request, unsigned status,
		    const char *code, const char *format, ...)
{
	char message[512];
	va_list ap;
	va_start(ap, format);
	(void)vsnprintf(message, sizeof(message), format, ap);
	va_end(ap);
	/* Quoted text may be truncated inside a character. */
	mkv_utf8_make_valid(message);
	if (status >= 500)
		request->span.is_error = true;
	mkv_http_json(request, status,
		      json_pack("{s{ssssss*}}", "error", "code", code,
				"message", message, "settled",
				request->settled));
}

json_t *mkv_http_body(struct mkv_http_request *request)
{
	json_t *document = NULL;
	struct mkv_error err;
	if (mkv_json_load(request->body, request->body_size, &document, &err) <
	    0) {
		mkv_http_error(request, MHD_HTTP_BAD_REQUEST, "bad-json", "%s",
			       err.message);
		return NULL;
	}
	if (!json_is_object(document)) {
		json_decref(document);
		mkv_http_error(request, MHD_HTTP_BAD_REQUEST, "bad-json",
			       "the body is not a JSON object");
		return NULL;
	}
	return document;
}
