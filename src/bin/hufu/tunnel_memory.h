/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server side remembers so that links can be resumed, shared by the loops of a service: the
 * secret that its tickets are sealed with, tickets that were used, and sessions of TLCP. It lives
 * in this process only: after a restart every link begins anew.
 */
#ifndef HF_BIN_HUFU_TUNNEL_MEMORY_H
#define HF_BIN_HUFU_TUNNEL_MEMORY_H

#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "policy/policy.h"
#include "tls/tickets.h"
#include "tls/tlcp_session.h"

enum {
	TUNNEL_ONCE_MAX = 1 << 16, /* used tickets; beyond, handshakes are full ones */
	TUNNEL_SESSIONS_MAX = 4096,
};

struct tunnel_memory;

HF_MUST_USE hf_err tunnel_memory_new(
	struct tunnel_memory **out, const struct hf_mem *mem, const struct hf_rng *rng);
void tunnel_memory_free(struct tunnel_memory *m); /* accepts NULL; nobody asks it any more */

/*
 * Makes the stores that services of this level, with or without TLCP, need and that are not there
 * yet. One thread at a time; those who ask for what was there before are not disturbed.
 */
HF_MUST_USE hf_err tunnel_memory_grow(struct tunnel_memory *m, enum hf_level level, bool has_tlcp);

/* Tickets as the level has them; end them with hf_tls_tickets_clear(). */
void tunnel_memory_tickets(
	struct hf_tls_tickets *out, struct tunnel_memory *m, enum hf_level level);

/* Only after it was grown for TLCP. */
struct hf_tlcp_cache tunnel_memory_cache(struct tunnel_memory *m);

#endif
