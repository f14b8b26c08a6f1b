/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Brings all objects of one release into the store: pages, then chunks, from any number of sessions
 * (xfer/ decides whom to ask for what). No sockets and no clock here.
 *
 *  1. Nothing unchecked is ever stored under a name: a page is compared with its digest in the
 *     manifest, a chunk with its id, a pack with the id that its chunks make.
 *  2. Kill -9 at any moment costs what was on its way, at most a chunk a request: parts are read
 *     again and count by their digests. A power cut costs besides what was not durable yet:
 *     HF_FETCH_COMMIT_LEN bytes or HF_FETCH_COMMIT_MS.
 *  3. What the store has already, of this release or an earlier one, is not asked for.
 *  4. Sources that fail are asked again later; one that gave a wrong byte never. Without a source
 *     the fetch waits. It ends only when all is there, when the disk or the release is at fault, or
 *     when every source gave a wrong byte.
 *
 * Everything is decided in hf_fetch_tick(). Callbacks of sessions only take what came, so ask for
 * the deadline again whenever bytes were fed to a session.
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

enum {
	HF_FETCH_SOURCES_MAX = 32,
	HF_FETCH_COMMIT_LEN = 8 << 20,
	HF_FETCH_COMMIT_MS = 500,
};

struct hf_fetch;

struct hf_fetch_config {
	struct hf_node *node;
	struct hf_bytes manifest; /* signed object, already checked; copied */
	bool has_index;           /* index pages too: a device. An edge needs them for others */
	uint64_t rate;            /* bytes a second; 0: no limit */
	uint32_t max_requests;    /* at a time; each needs a buffer of one chunk */
	uint32_t max_per_source;  /* of them */
	/* The next four are called by hf_fetch_tick() only. */
	/* Pages or chunks came in: who waits for bytes looks again. May be NULL. */
	void (*on_chunks)(void *ctx, struct hf_fetch *f);
	/*
	 * A source was quarantined or banned (is_out), or failed for the first time: was too slow,
	 * or gave an answer that is none; why. May be NULL.
	 */
	void (*on_source)(void *ctx, struct hf_fetch *f, unsigned source, bool is_out, hf_err why);
	/*
	 * Called once: HF_OK, all is in the store; HF_ERR_FULL and others: why it cannot be.
	 * HF_ERR_AUTH: no source is left that did not give wrong bytes.
	 */
	void (*on_end)(void *ctx, struct hf_fetch *f, hf_err e, const struct hf_errinfo *why);
	void (*pump)(void *ctx, unsigned source); /* the session of a source has work */
	void *ctx;
};

/*
 * Asks nothing before the first tick. HF_ERR_FULL: the quota is below the release (what is really
 * missing is known later, and may end the fetch so). HF_ERR_FORMAT: no manifest. HF_ERR_ARG.
 */
HF_MUST_USE hf_err hf_fetch_new(struct hf_fetch **out, const struct hf_fetch_config *config,
	uint64_t now_ms, struct hf_errinfo *ei);

/* Leaves partial packs and their bitmap for the next time. NULL is accepted. Not in a callback of
 * the fetch's own. */
void hf_fetch_free(struct hf_fetch *f);

/*
 * A session to a source is there; it is gone (before or after it was freed, if nothing was called
 * in between). no is the caller's. HF_ERR_LIMIT: more sources than HF_FETCH_SOURCES_MAX.
 */
HF_MUST_USE hf_err hf_fetch_source_up(struct hf_fetch *f, unsigned no, struct hf_h2 *h,
	enum hf_source_kind kind, uint16_t cost, uint64_t now_ms);
void hf_fetch_source_down(struct hf_fetch *f, unsigned no, uint64_t now_ms);

void hf_fetch_tick(struct hf_fetch *f, uint64_t now_ms);

/* 0: at once. UINT64_MAX: only when something happens. */
uint64_t hf_fetch_deadline(const struct hf_fetch *f);

void hf_fetch_progress(const struct hf_fetch *f, struct hf_xfer_progress *out, uint64_t now_ms);

/* What the n-th source did; false beyond the last. */
bool hf_fetch_source_get(const struct hf_fetch *f, struct hf_source_stats *out, uint32_t n);

/*
 * As hf_upstream's want, read and pack_len, for objects of this release: HF_ERR_NOT_FOUND: none of
 * them. Before the tables are there every pack may be one (HF_ERR_AGAIN).
 */
HF_MUST_USE hf_err hf_fetch_want(struct hf_fetch *f, const struct hf_wanted *w);
HF_MUST_USE hf_err hf_fetch_read(struct hf_fetch *f, const struct hf_wanted *w, uint8_t *out);
HF_MUST_USE hf_err hf_fetch_pack_len(
	const struct hf_fetch *f, const uint8_t pack[HF_SM3_LEN], uint64_t *len);

#endif
