/* SPDX-License-Identifier: Apache-2.0 */
/* The life of one request: begun, fed, ended well, or lost. */
#ifndef HF_XFER_SLOT_H
#define HF_XFER_SLOT_H

#include "xfer/job.h"

/* The request of this id that still counts, or NULL. */
struct slot *hf_slot_find(struct hf_xfer *x, uint64_t id);

/* The caller itself ended a request that was given up: it need not be told any more. */
void hf_slot_forget(struct hf_xfer *x, uint64_t id);

/* A free one, or NULL. */
struct slot *hf_slot_free_one(struct hf_xfer *x);

/* Makes the request of a plan. */
void hf_slot_begin(struct hf_xfer *x, struct slot *s, const struct plan *p, uint64_t now_ms);

/*
 * Ends a request before its last byte: what it did not bring is wanted again. It becomes
 * SLOT_DROPPED (the caller has to be told) or, with is_known, SLOT_FREE (the caller knows).
 */
void hf_slot_lose(struct hf_xfer *x, struct slot *s, bool is_known);

/* Ends a request whose bytes all came. */
void hf_slot_finish(struct hf_xfer *x, struct slot *s);

/* Feeds bytes; results as hf_xfer_data(). */
HF_MUST_USE hf_err hf_slot_feed(
	struct hf_xfer *x, struct slot *s, const uint8_t *bytes, size_t len, uint64_t now_ms);

/* Loses every request of a source. */
void hf_slot_lose_source(struct hf_xfer *x, const struct hf_source *source, bool is_known);

/* Gives up what stalled and marks what is late. */
void hf_slot_tick(struct hf_xfer *x, uint64_t now_ms);

/* Random bits for the spreading of retries; nothing secret hangs on them. */
uint32_t hf_job_jitter(struct hf_xfer *x);

#endif
