/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Brings all objects of one release into the store: pages, then chunks, from any number of sessions
 * (xfer/ decides whom to ask for what). Survives kill -9 at any moment: what is in a pack on disk
 * is known by a bitmap that is written after the data was synced. Nothing unchecked is ever stored
 * under a name. No sockets and no clock here.
 */
#ifndef HF_SVC_FETCH_H
#define HF_SVC_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "http/h2.h"
#include "pkg/manifest.h"
#include "svc/node.h"
#include "svc/upstream.h"
#include "xfer/xfer.h"

struct hf_fetch;

struct hf_fetch_config {
	struct hf_node *node;
	struct hf_bytes manifest; /* signed object, already checked; copied */
	bool has_index;           /* index pages too: a device. An edge needs them for others */
	uint64_t rate;            /* bytes a second; 0: no limit */
	uint32_t max_requests;
	uint32_t max_per_source;
	/* Chunks came in (n since the last call): who waits for bytes looks again. May be NULL. */
	void (*on_chunks)(void *ctx, struct hf_fetch *f);
	/* A source was quarantined or banned; why it was. May be NULL. */
	void (*on_source)(void *ctx, struct hf_fetch *f, unsigned source, hf_err why);
	/* Called once: HF_OK, all is in the store; HF_ERR_FULL and others: why it cannot be. */
	void (*on_end)(void *ctx, struct hf_fetch *f, hf_err e, const struct hf_errinfo *why);
	void (*pump)(void *ctx, unsigned source); /* the session of a source has work */
	void *ctx;
};

/* Not before now_ms anything is asked. HF_ERR_FULL: the store has no room for the release. */
HF_MUST_USE hf_err hf_fetch_new(struct hf_fetch **out, const struct hf_fetch_config *config,
	uint64_t now_ms, struct hf_errinfo *ei);

/* Leaves partial packs and their bitmap for the next time. NULL is accepted. Not in a callback. */
void hf_fetch_free(struct hf_fetch *f);

/* A session to a source is there; gone (its requests are gone with it). no is the caller's. */
HF_MUST_USE hf_err hf_fetch_source_up(struct hf_fetch *f, unsigned no, struct hf_h2 *h,
	enum hf_source_kind kind, uint16_t cost, uint64_t now_ms);
void hf_fetch_source_down(struct hf_fetch *f, unsigned no, uint64_t now_ms);

void hf_fetch_tick(struct hf_fetch *f, uint64_t now_ms);
uint64_t hf_fetch_deadline(const struct hf_fetch *f);

void hf_fetch_progress(const struct hf_fetch *f, struct hf_xfer_progress *out, uint64_t now_ms);

/* What the n-th source did; false beyond the last. */
bool hf_fetch_source_get(const struct hf_fetch *f, struct hf_source_stats *out, uint32_t n);

/* Bytes of a pack of this release, as hf_upstream's want, read and pack_len. */
HF_MUST_USE hf_err hf_fetch_want(struct hf_fetch *f, const struct hf_wanted *w);
HF_MUST_USE hf_err hf_fetch_read(struct hf_fetch *f, const struct hf_wanted *w, uint8_t *out);
HF_MUST_USE hf_err hf_fetch_pack_len(
	const struct hf_fetch *f, const uint8_t pack[HF_SM3_LEN], uint64_t *len);

#endif
