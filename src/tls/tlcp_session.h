/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions of TLCP that can be resumed by their id (GB/T 38636-2020 6.4.2): the master secret, what
 * the link was like, and whom it was shared with, whose certificates are checked again each time.
 */
#ifndef HF_TLS_TLCP_SESSION_H
#define HF_TLS_TLCP_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/mem.h"
#include "crypto/sm3.h"
#include "pki/chain.h"
#include "policy/policy.h"

enum {
	HF_TLCP_ID_LEN = 32, /* of the sessions that we name */
	HF_TLCP_ID_MAX = 32,
	HF_TLCP_MASTER_LEN = 48,
	HF_TLCP_SESSIONS_MAX = 1 << 20, /* that a store in memory may hold */
};

/* One session. End it with hf_tlcp_session_clear(). */
struct hf_tlcp_session {
	unsigned protocol; /* HF_TLS_TLCP */
	uint8_t id[HF_TLCP_ID_MAX];
	size_t id_len;
	uint8_t master[HF_TLCP_MASTER_LEN];
	uint16_t suite;
	enum hf_level level;
	uint64_t made_s;           /* when its keys were agreed on */
	uint8_t bound[HF_SM3_LEN]; /* digest of what it is good for (tlcp_resume.c) */
	uint8_t n_certs;           /* of the peer */
	uint16_t cert_len[HF_CHAIN_MAX];
	uint8_t *der; /* owned: its certificates, one behind the other */
	size_t der_len;
	const struct hf_mem *mem; /* where der came from */
};

/* A copy with memory of its own. On failure *out is empty. */
HF_MUST_USE hf_err hf_tlcp_session_copy(
	struct hf_tlcp_session *out, const struct hf_tlcp_session *s, const struct hf_mem *mem);

/* Wipes and frees. Accepts { 0 }. */
void hf_tlcp_session_clear(struct hf_tlcp_session *s);

/* The i-th certificate of the peer; empty when there are no more. */
struct hf_bytes hf_tlcp_session_cert(const struct hf_tlcp_session *s, size_t i);

/* Where a server keeps sessions. A store that fails costs a full handshake and nothing else. */
struct hf_tlcp_cache {
	/* Keeps a copy, in place of what had this id. */
	hf_err (*put)(void *ctx, const struct hf_tlcp_session *s);
	/* Gives a copy, which the caller ends; false: none by that id. */
	bool (*get)(void *ctx, struct hf_tlcp_session *out, struct hf_bytes id);
	/* Forgets it, if it is there. */
	void (*drop)(void *ctx, struct hf_bytes id);
	void *ctx;
};

struct hf_tlcp_store; /* sessions in memory; for one thread at a time */

/*
 * Keeps at most max sessions, of which older ones give way to newer ones; each takes a few KiB.
 * NULL: no memory, or max is 0 or above HF_TLCP_SESSIONS_MAX.
 */
struct hf_tlcp_store *hf_tlcp_store_new(const struct hf_mem *mem, size_t max);
void hf_tlcp_store_free(struct hf_tlcp_store *s);
struct hf_tlcp_cache hf_tlcp_store_cache(struct hf_tlcp_store *s);

#endif
