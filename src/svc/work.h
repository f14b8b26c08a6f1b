/* SPDX-License-Identifier: Apache-2.0 */
/* What sealing and opening have in common: chunks worked on side by side, a bounded number at once.
 */
#ifndef HF_SVC_WORK_H
#define HF_SVC_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "pkg/codec.h"
#include "svc/env.h"

enum {
	HF_WORK_SLOTS_MAX = 16, /* chunks in memory at once */
	/* Bytes of all buffers together: a process that seals or opens stays below 64 MiB. */
	HF_WORK_MEMORY = 48 << 20,
};

/* Shows how far long work is, and may end it; both functions may be NULL. */
struct hf_work_progress {
	void (*show)(void *ctx, uint64_t done, uint64_t total); /* bytes */
	bool (*is_stopped)(void *ctx); /* asked now and then; true: clear up and give up */
	void *ctx;
};

/* After each round. progress may be NULL. HF_ERR_CLOSED: stopped. */
HF_MUST_USE hf_err hf_work_show(const struct hf_work_progress *progress, uint64_t done,
	uint64_t total, struct hf_errinfo *ei);

/* Buffers of one chunk, used by one thread at a time. */
struct hf_work_slot {
	uint8_t *plain;  /* plain_cap bytes */
	uint8_t *sealed; /* plain_cap + 16 bytes */
	uint8_t *base;   /* plain_cap bytes, or NULL: a chunk of an earlier release */
	uint8_t *other;  /* and another one, when sealing */
	struct hf_codec opener;
	struct hf_codec codec;
};

struct hf_work {
	const struct hf_env *env;
	struct hf_work_slot slot[HF_WORK_SLOTS_MAX];
	/* Twice the workers and two more, but no more than the limits above; at least one. */
	size_t n_slots;
	size_t plain_cap;
};

/* has_bases: the slots get buffers for base chunks, and a codec that opens them when sealing. */
HF_MUST_USE hf_err hf_work_init(struct hf_work *w, const struct hf_env *env, size_t chunk_max,
	enum hf_codec_use use, bool has_bases, struct hf_errinfo *ei);

/* Wipes. Accepts { 0 }. */
void hf_work_clear(struct hf_work *w);

/* job(ctx, i) for i below n (n <= n_slots), on all workers. The first failure in order. */
HF_MUST_USE hf_err hf_work_run(
	struct hf_work *w, size_t n, hf_err (*job)(void *ctx, size_t i), void *ctx);

#endif
