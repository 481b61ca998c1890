/* SPDX-License-Identifier: MIT */
#include "builder/build/build.h"

/* The namespace of the ids (RFC 9562, section 5.5). It must never change; its
 * bytes spell "mkvben" and "appli". */
static const uint8_t namespace[16] = {0x6d, 0x6b, 0x76, 0x62, 0x65, 0x6e,
				      0x53, 0x68, 0x9d, 0x1e, 0x5a, 0x70,
				      0x70, 0x6c, 0x69, 0x61};

int mkv_build_uuid(const struct mkv_build *build, const char *image,
		   const char *what, uint8_t ret[static 16],
		   struct mkv_error *err)
{
	char hex[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(&build->lock_sha256, hex);
	auto_free char *name = NULL;
	if (asprintf(&name, "%s/%s/%s", hex, image, what) < 0)
		return mkv_oom(err);
	return mkv_uuid5(namespace, name, ret, err);
}
