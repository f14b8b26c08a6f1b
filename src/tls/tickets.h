/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server's tickets (RFC 8446 4.6.1). The server keeps nothing: what it must know to resume a link
 * travels with the client, sealed with SM4-GCM. Keys follow from one secret and the clock; servers
 * with the same secret, clock, certificate and roots take each other's tickets.
 *
 *	ticket = u32 epoch | nonce (12) | sealed | tag (16)
 *	key    = HKDF(secret, "hufu tls ticket" | epoch), epoch = time / life of a key
 *
 * A ticket is good in the epoch that it was made in and in the next one. Whoever learns the secret
 * can open the tickets, and, where links were resumed without a fresh key exchange, what those
 *said.
 */
#ifndef HF_TLS_TICKETS_H
#define HF_TLS_TICKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "crypto/sm3.h"
#include "policy/policy.h"

enum {
	HF_TLS_TICKET_SECRET_LEN = 32,
	HF_TLS_TICKET_ID_LEN = 16,
	HF_TLS_ONCE_MAX = 1 << 22, /* tickets that a store in memory may remember */
};

/*
 * Single use: HF_OK exactly once for each id until until_s; anything else makes the server go
 * through a full handshake. Servers that share a secret must share this too.
 */
struct hf_tls_once {
	hf_err (*take_once)(void *ctx, const uint8_t id[HF_TLS_TICKET_ID_LEN], uint64_t until_s,
		uint64_t now_s);
	void *ctx;
};

/* Shared by links, never written by them. */
struct hf_tls_tickets {
	uint8_t secret[HF_TLS_TICKET_SECRET_LEN];
	uint32_t life_s;         /* of a ticket, and of a key */
	struct hf_tls_once once; /* take_once NULL: a ticket may be used again */
};

/* Life as the level's row of the policy table says. The caller sets once. */
void hf_tls_tickets_init(struct hf_tls_tickets *k, const uint8_t secret[HF_TLS_TICKET_SECRET_LEN],
	enum hf_level level);
void hf_tls_tickets_clear(struct hf_tls_tickets *k);

/* Appends a ticket that holds plain and is bound to what bound is the digest of. */
HF_MUST_USE hf_err hf_tls_tickets_seal(const struct hf_tls_tickets *k, const struct hf_rng *rng,
	struct hf_buf *out, const uint8_t bound[HF_SM3_LEN], struct hf_bytes plain, uint64_t now_s);

/* Appends what a ticket holds. HF_ERR_AUTH: not ours, too old, or bound to something else. */
HF_MUST_USE hf_err hf_tls_tickets_open(const struct hf_tls_tickets *k, struct hf_buf *out,
	const uint8_t bound[HF_SM3_LEN], struct hf_bytes ticket, uint64_t now_s);

/* What take_once knows a ticket by. Only for a ticket that was opened. */
void hf_tls_tickets_id(uint8_t id[HF_TLS_TICKET_ID_LEN], struct hf_bytes ticket);

/*
 * Single use in the memory of this process, for one thread at a time. max tickets are remembered
 * until they expire; when it is full, no ticket is taken (HF_ERR_LIMIT). A restart forgets: begin
 * with a new secret then.
 */
struct hf_tls_once_mem;

/* NULL: no memory, or max is 0 or above HF_TLS_ONCE_MAX. */
struct hf_tls_once_mem *hf_tls_once_mem_new(const struct hf_mem *mem, size_t max);
void hf_tls_once_mem_free(struct hf_tls_once_mem *m);
struct hf_tls_once hf_tls_once_mem_get(struct hf_tls_once_mem *m);

#endif
