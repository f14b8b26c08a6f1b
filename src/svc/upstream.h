/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an edge's serving side (svc/serve.h) needs of its fetching side (svc/agent.h): a session to
 * the hub for what it passes on, and objects that it does not have yet.
 */
#ifndef HF_SVC_UPSTREAM_H
#define HF_SVC_UPSTREAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "http/h2.h"
#include "pkg/object.h"

/* Bytes of a pack that is being fetched, or an object that is asked for. */
struct hf_wanted {
	enum hf_object kind;
	uint8_t name[HF_SM3_LEN];
	uint64_t offset; /* packs only */
	size_t len;
};

struct hf_upstream {
	/* The session to the first upstream that is there; NULL: none. */
	struct hf_h2 *(*session)(void *ctx);
	/* Call it after using that session, which may be another one than session gives now. */
	void (*pump)(void *ctx, const struct hf_h2 *h);
	/*
	 * Begins to bring what is wanted. HF_OK: the bytes are here now (whole object in the store,
	 * or read them with read). HF_ERR_AGAIN: on its way; the node's hf_serve_wake() is called
	 * when something came. HF_ERR_NOT_FOUND: nobody has it. HF_ERR_NET: no upstream.
	 */
	hf_err (*want)(void *ctx, const struct hf_wanted *w);
	/* Checked bytes of a pack that is not whole yet. HF_ERR_AGAIN: these are not there. */
	hf_err (*read)(void *ctx, const struct hf_wanted *w, uint8_t *out);
	/* The length of a pack that is known from a table. HF_ERR_NOT_FOUND: not known. */
	hf_err (*pack_len)(void *ctx, const uint8_t name[HF_SM3_LEN], uint64_t *len);
	void *ctx;
};

#endif
