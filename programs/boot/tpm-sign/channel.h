/* SPDX-License-Identifier: MIT */
#pragma once
/* A transport to a TPM for tpm2-tss (TCG TSS 2.0 TCTI, version 1): a device
 * such as /dev/tpmrm0, or the socket of a software TPM. The TCTI of tpm2-tss
 * itself can block forever; this one has one deadline for all commands. */

#include <tss2/tss2_tcti.h>

#include "lib/error.h"

enum { TPM_RESPONSE_MAX = 4096 };

struct channel {
	TSS2_TCTI_CONTEXT_COMMON_V1 tcti; /* first: it is cast */
	int fd;
	int64_t deadline_ms; /* CLOCK_MONOTONIC */
	uint8_t response[TPM_RESPONSE_MAX];
	size_t size; /* of the response in the buffer; 0: none */
	bool timed_out;
};

/* Opens the device or socket at `path`. The deadline is `seconds` from now. */
int channel_open(const char *path, unsigned seconds, struct channel *ret,
		 struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3, 4);
void channel_close(struct channel *channel) mkv_nonnull(1);
#define auto_channel __attribute__((cleanup(channel_close)))
