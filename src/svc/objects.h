/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where objects lie: a bundle file or a folder of a node. Whoever reads through this believes
 * nothing: digests are compared by who asked.
 */
#ifndef HF_SVC_OBJECTS_H
#define HF_SVC_OBJECTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "pkg/object.h"
#include "pkg/pkg_reader.h"

struct hf_objects {
	/* Copies a whole object. *len: in: room, out: bytes. HF_ERR_NOT_FOUND: it is not there. */
	hf_err (*load)(void *ctx, enum hf_object kind, const uint8_t name[HF_SM3_LEN], uint8_t *out,
		size_t *len, struct hf_errinfo *ei);
	/* Exactly len bytes of a pack at offset. May be called by several threads at once. */
	hf_err (*read_at)(void *ctx, const uint8_t pack[HF_SM3_LEN], uint8_t *out, size_t len,
		uint64_t offset, struct hf_errinfo *ei);
	/* Shows each object of a kind, until visit returns other than HF_OK. */
	hf_err (*each)(void *ctx, enum hf_object kind,
		hf_err (*visit)(void *visit_ctx, const uint8_t name[HF_SM3_LEN], uint64_t len),
		void *visit_ctx, struct hf_errinfo *ei);
	void *ctx;
};

/*
 * Appends a whole object to out, once its digest was found to be its name (so not for packs).
 * HF_ERR_AUTH: other bytes. Errors of load.
 */
HF_MUST_USE hf_err hf_objects_load(struct hf_buf *out, const struct hf_objects *o,
	enum hf_object kind, const uint8_t name[HF_SM3_LEN], struct hf_errinfo *ei);

/*
 * Checks that every object is what its name says, packs excepted (their chunks are checked by
 * hf_release_verify). HF_ERR_AUTH: one is not; ei says of which kind.
 */
HF_MUST_USE hf_err hf_objects_check(
	const struct hf_objects *o, const struct hf_mem *mem, struct hf_errinfo *ei);

/* The only object of a kind. HF_ERR_NOT_FOUND: none. HF_ERR_FORMAT: several, so name one. */
HF_MUST_USE hf_err hf_objects_only(uint8_t name[HF_SM3_LEN], const struct hf_objects *o,
	enum hf_object kind, struct hf_errinfo *ei);

/* Several sets as one: who has it gives it. */
struct hf_objects_set {
	const struct hf_objects *of;
	size_t n;
};

/* The set must outlive it. */
struct hf_objects hf_objects_joined(struct hf_objects_set *set);

/* The same objects as a source of pages for a reader; o must outlive it. */
struct hf_pkg_source hf_objects_pages(const struct hf_objects *o);

#endif
