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
	/* Sealed bytes; may be NULL. */
	void (*on_progress)(void *ctx, uint64_t done, uint64_t total);
	/* Called once; body is the hub's JSON answer. Free the push afterwards, not in it. */
	void (*on_end)(void *ctx, hf_err e, const struct hf_errinfo *why, const uint8_t *body,
		size_t body_len);
	void *ctx;
};

/*
 * Begins; on_end does not come before this returned. HF_ERR_NOT_FOUND: statement or deposit is not
 * among the objects. HF_ERR_AUTH: its bytes are not those of its name. HF_ERR_CLOSED, HF_ERR_LIMIT:
 * the session takes no more calls.
 */
HF_MUST_USE hf_err hf_push_new(struct hf_push **out, const struct hf_push_config *config,
	uint64_t now_ms, struct hf_errinfo *ei);

/*
 * The session has been freed and must not be touched any more; on_end will not come. (Freeing it
 * ends a push that is under way with HF_ERR_CLOSED by itself.) While the session is there,
 * hf_push_free() alone is right. A new push goes on where this one was.
 */
void hf_push_lost(struct hf_push *p);

/* Cancels what is under way, without on_end. NULL is accepted. */
void hf_push_free(struct hf_push *p);

#endif
