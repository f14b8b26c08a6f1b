/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An earlier release of a lineage, in bundles and opened by its publisher: what a new one need not
 * seal again. Equal chunks are pointed to where they lie; others may be XORed with what was in
 * their place. A publisher keeps the content keys of what it sealed,
 * <publisher>/releases/<manifest>.key.
 */
#ifndef HF_SVC_BASE_H
#define HF_SVC_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "pkg/pkg_reader.h"
#include "svc/env.h"
#include "svc/party.h"
#include "svc/work.h"

enum { HF_BASE_BUNDLES_MAX = 16 };

struct hf_base;

struct hf_base_spec {
	const char *const
		*bundles; /* the newest release of them is the base; it may need the others */
	size_t n_bundles; /* 1 .. HF_BASE_BUNDLES_MAX */
	const struct hf_party *publisher;
	const uint8_t *seed; /* of the publisher: wraps its keys */
	const char *lineage;
	uint64_t epoch;
	uint64_t release; /* of the one in the making */
};

/*
 * Opens it. What spec points to must outlive it. HF_ERR_ARG: of another lineage or epoch, not
 * older, or too many. HF_ERR_NOT_FOUND: the publisher has no content key of it, or packs of it lie
 * in bundles that were not given. HF_ERR_AUTH: not signed by publishers of the root.
 */
HF_MUST_USE hf_err hf_base_open(struct hf_base **out, const struct hf_env *env,
	const struct hf_base_spec *spec, struct hf_errinfo *ei);

/* Wipes. NULL is accepted. */
void hf_base_free(struct hf_base *b);

/* Bytes of its packs, and of its chunks: packs may have chunks that no release needs any more. */
void hf_base_sizes(const struct hf_base *b, uint64_t *packs_len, uint64_t *chunks_len);

/* Longest plaintext of a chunk of its packs. */
uint32_t hf_base_chunk_max(const struct hf_base *b);

/* What stood in the place of a stretch. Secret. */
struct hf_base_match {
	bool has;
	bool has_anchor; /* it is XORed with another chunk itself */
	uint64_t no;     /* chunk to XOR with: the anchor, or else the match */
	struct hf_chunk chunk;
	struct hf_place place;
	struct hf_chunk anchor;
	struct hf_place anchor_place;
};

/*
 * The chunk that in a file of this path had the place of [offset, offset + len). data_at: where the
 * first tensor of the file begins, 0 without one. Without such a chunk m->has is false.
 */
HF_MUST_USE hf_err hf_base_find(struct hf_base *b, struct hf_base_match *m, const char *path,
	uint64_t offset, uint32_t len, uint64_t data_at, struct hf_errinfo *ei);

/* A chunk with this id, wherever it stood; m->has is false without one. */
HF_MUST_USE hf_err hf_base_same(struct hf_base *b, struct hf_base_match *m,
	const uint8_t cid[HF_SM3_LEN], struct hf_errinfo *ei);

/* Chunk number no of the base. */
HF_MUST_USE hf_err hf_base_chunk(struct hf_base *b, uint64_t no, struct hf_chunk *chunk,
	struct hf_place *place, struct hf_errinfo *ei);

/*
 * The plaintext of m into slot->other, and of what to XOR with into slot->base: the same one,
 * unless there is an anchor. slot->sealed is written over. For several threads, each with its own
 * slot.
 */
HF_MUST_USE hf_err hf_base_read(
	const struct hf_base *b, const struct hf_base_match *m, struct hf_work_slot *slot);

/* A chunk of this pack is pointed to. */
HF_MUST_USE hf_err hf_base_use(struct hf_base *b, const uint8_t pack[HF_SM3_LEN]);

/*
 * What a manifest says about the packs that are pointed to: digests of table pages, and steps; and
 * the bytes of these packs. new_len: bytes of packs that are new.
 */
HF_MUST_USE hf_err hf_base_say(struct hf_base *b, struct hf_buf *pages, struct hf_buf *steps,
	uint64_t new_len, uint64_t *used_len, struct hf_errinfo *ei);

/* The content key of a release that was sealed: kept for the next one. */
HF_MUST_USE hf_err hf_base_key_put(const struct hf_env *env, const char *publisher,
	const uint8_t *seed, const uint8_t manifest[HF_SM3_LEN], const uint8_t cek[HF_CEK_LEN],
	struct hf_errinfo *ei);
void hf_base_key_drop(const char *publisher, const uint8_t manifest[HF_SM3_LEN]);

#endif
