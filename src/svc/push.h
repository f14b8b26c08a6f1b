/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Brings the objects of a statement (a manifest with its deposit, or an upload) to a hub over one
 * session, as docs/formats/node-api.md says: what is there already is not sent again, packs are
 * streamed and never in memory whole. Used by `hufu publish` and by the outbox of a node.
 */
#ifndef HF_SVC_PUSH_H
#define HF_SVC_PUSH_H

#include <stdint.h>

#include "base/err.h"
#include "http/h2.h"
#include "svc/env.h"
#include "svc/objects.h"

struct hf_push;

struct hf_push_config {
	const struct hf_env *env;
	const struct hf_objects *objects; /* outlives the push */
	enum hf_object kind;              /* HF_OBJECT_MANIFEST or HF_OBJECT_UPLOAD */
	uint8_t name[HF_SM3_LEN];
	struct hf_h2 *h; /* a client session; see hf_push_lost */
	void (*pump)(void *ctx);
	void (*on_progress)(
		void *ctx, uint64_t done, uint64_t total); /* sealed bytes; may be NULL */
	/* Called once; body is the hub's JSON answer. Free the push afterwards, not in it. */
	void (*on_end)(void *ctx, hf_err e, const struct hf_errinfo *why, const uint8_t *body,
		size_t body_len);
	void *ctx;
};

HF_MUST_USE hf_err hf_push_new(struct hf_push **out, const struct hf_push_config *config,
	uint64_t now_ms, struct hf_errinfo *ei);

/* The session is gone; on_end will not come. A new push goes on where this one was. */
void hf_push_lost(struct hf_push *p);

/* Cancels what is under way. NULL is accepted. */
void hf_push_free(struct hf_push *p);

#endif
