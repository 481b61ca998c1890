/* SPDX-License-Identifier: MIT */
#pragma once
/* What an operator posts to /v1/run: the signed plan and the signed commands of
 * one attempt, verified. */

#include "lib/command.h"
#include "lib/plan.h"
#include "programs/campaign/conductor/self.h"

enum { MKV_ORDER_STEPS = 4 }; /* prepare, load, finish, abort */

struct mkv_run_order {
	struct mkv_plan *plan;
	struct mkv_sha256 plan_sha256;
	char plan_hex[MKV_SHA256_HEX_SIZE];
	const struct mkv_plan_run *run; /* of the plan */
	const struct mkv_plan_arm *arm;
	int64_t attempt;
	/* By step; the bundle is what the agents receive. */
	struct mkv_command *commands[MKV_ORDER_STEPS];
	struct mkv_buf bundles[MKV_ORDER_STEPS];
	json_t *document; /* as posted */
};

/* Verifies a document. It takes a reference. Errors: -EINVAL malformed,
 * or parts that don't belong together; -EFBIG a bundle that is too large;
 * -EACCES and -EBADMSG another key, contract, boot or plan. */
int mkv_order_read(json_t *document, const struct mkv_self *self,
		   struct mkv_run_order **ret,
		   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
void mkv_order_free(struct mkv_run_order *order);
MKV_DEFINE_AUTO(order, struct mkv_run_order *, mkv_order_free)
#define auto_order mkv_auto(order)

/* Verifies one bundle as a command for this contract. `is_this_boot`: it must
 * also name this host's boot. */
int mkv_order_read_command(const json_t *bundle, const struct mkv_self *self,
			   bool is_this_boot, struct mkv_buf *ret_bundle,
			   struct mkv_command **ret,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(2, 4, 5, 6);

/* An order that an earlier process accepted is read again without the check of
 * this host's boot. */
int mkv_order_reread(json_t *document, const struct mkv_self *self,
		     struct mkv_run_order **ret,
		     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* What the commands have in common: those of the attempt. */
const struct mkv_command *mkv_order_command(const struct mkv_run_order *order)
	mkv_nonnull(1);
/* The request's expected status. */
int64_t mkv_order_status(const struct mkv_run_order *order,
			 const struct mkv_self *self) mkv_nonnull(1, 2);
/* The disk space that the attempt needs, in bytes, generously. */
uint64_t mkv_order_estimate(const struct mkv_run_order *order) mkv_nonnull(1);
