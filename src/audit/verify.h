/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reading end of an audit log: batches in order, signed heads beside them. It finds every
 * altered, removed, reordered, repeated or cut record before the last head. It writes nothing and
 * needs no key but the public one that the heads were checked with.
 */
#ifndef HF_AUDIT_VERIFY_H
#define HF_AUDIT_VERIFY_H

#include <stddef.h>
#include <stdint.h>

#include "audit/batch.h"
#include "audit/head.h"
#include "audit/log.h"
#include "audit/merkle.h"
#include "audit/record.h"

/* Called for each record that is right so far; names are what its numbers stand for, or NULL. */
typedef hf_err (*hf_audit_visit)(
	void *ctx, const struct hf_audit_record *r, const char *actor, const char *subject);

struct hf_audit_verify {
	char id[HF_AUDIT_LOG_ID_MAX];
	struct hf_merkle tree;
	uint8_t prev[HF_SM3_LEN];
	uint64_t last_hlc;
	const struct hf_audit_head *heads; /* borrowed, sizes rising, signatures already checked */
	size_t n_heads;
	size_t next_head;
	char (*names)[HF_AUDIT_NAME_MAX]; /* names[number - 1] */
	uint32_t n_names;
	hf_audit_visit visit;
	void *visit_ctx;
	const struct hf_mem *mem;
	hf_err failed; /* sticky */
};

/*
 * heads may be NULL with n_heads 0; then only chain and tree are checked. visit may be NULL. End
 * it with hf_audit_verify_clear(). HF_ERR_FORMAT: the sizes of the heads do not rise.
 */
HF_MUST_USE hf_err hf_audit_verify_init(struct hf_audit_verify *v, const struct hf_mem *mem,
	const char *log_id, const struct hf_audit_head *heads, size_t n_heads);
void hf_audit_verify_visit(struct hf_audit_verify *v, hf_audit_visit visit, void *ctx);
void hf_audit_verify_clear(struct hf_audit_verify *v);

/*
 * The next batch. HF_ERR_AUTH: altered, out of place, or not what a head says; the text names the
 * first record that cannot be believed.
 */
HF_MUST_USE hf_err hf_audit_verify_batch(
	struct hf_audit_verify *v, const uint8_t *in, size_t in_len, struct hf_errinfo *ei);

/* After the last batch. HF_ERR_AUTH: a head promises more records than there were. */
HF_MUST_USE hf_err hf_audit_verify_done(struct hf_audit_verify *v, struct hf_errinfo *ei);

#endif
