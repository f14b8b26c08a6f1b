/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The node API as a server (docs/formats/node-api.md): a hub answers by itself, an edge serves
 * objects from its cache and passes the rest on. No sockets here: the caller gives sessions to its
 * links and pumps them. Handlers never wait, except for the key process.
 */
#ifndef HF_SVC_SERVE_H
#define HF_SVC_SERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "http/h2.h"
#include "pki/cert.h"
#include "svc/crls.h"
#include "svc/node.h"
#include "svc/upstream.h"

struct hf_serve;

enum {
	HF_SERVE_FILES_MAX = 1088, /* descriptors that it ever has open */
	HF_SERVE_SITE_LEN = 16,
};

struct hf_serve_config {
	struct hf_node *node;
	const struct hf_upstream *up; /* edge; NULL: a hub. Outlives the server */
	struct hf_crls *crls;         /* what is handed on and goes by; NULL: none. Outlives it */
	struct hf_h2_limits limits;   /* of each session */
	/*
	 * Of one peer a quarter, of an edge half. All newcomers together are one peer, of which a
	 * site may be a quarter.
	 */
	uint32_t max_sessions;
	uint32_t max_intakes; /* statements whose objects are coming in at a time */
	uint32_t max_files;   /* descriptors it may have open; 0: HF_SERVE_FILES_MAX */
	/* A request was told "later" because there is no descriptor for it. May be NULL. */
	void (*on_busy)(void *ctx);
	/* Hub: a new channel is current. May be NULL. */
	void (*on_channel)(void *ctx, uint64_t serial);
	void *ctx;
};

HF_MUST_USE hf_err hf_serve_new(
	struct hf_serve **out, const struct hf_serve_config *config, struct hf_errinfo *ei);

/* All sessions have ended before. NULL is accepted. */
void hf_serve_free(struct hf_serve *s);

/* Who is at the other end of a link. */
struct hf_serve_peer {
	const struct hf_cert *cert; /* checked by the link; outlives the session */
	bool is_self_signed;
	const char *address;             /* for records */
	uint8_t site[HF_SERVE_SITE_LEN]; /* it comes from: an address, or a /64 of them */
	/* Bytes or deadlines of the session changed outside of its own feed/out/tick. */
	void (*pump)(void *ctx);
	/* Its certificate was revoked: end the link. The session may end within. May be NULL. */
	void (*cut)(void *ctx);
	void *ctx;
};

struct hf_serve_session;

/*
 * A session for a link that is open; *h goes to hf_link_attach(), which frees it. Call
 * hf_serve_session_end() from the link's on_close. HF_ERR_DENIED: a role that has no business here.
 * HF_ERR_REVOKED: its certificate is on a list that is at hand, whatever the link knew.
 * HF_ERR_LIMIT: as many sessions as may be, or as this peer may have.
 */
HF_MUST_USE hf_err hf_serve_begin(struct hf_serve_session **out, struct hf_h2 **h,
	struct hf_serve *s, const struct hf_serve_peer *peer, uint64_t now_ms,
	struct hf_errinfo *ei);
void hf_serve_session_end(struct hf_serve_session *session);

/* There is a new revocation list: who is on it is cut off. Not within a call of a session. */
void hf_serve_sweep(struct hf_serve *s);

/* Something that was wanted from upstream came in, or will not come: who waits looks again. */
void hf_serve_wake(struct hf_serve *s);

/* Ends what waited too long. Monotonic ms; UINT64_MAX: nothing waits. */
void hf_serve_tick(struct hf_serve *s, uint64_t now_ms);
uint64_t hf_serve_deadline(const struct hf_serve *s);

struct hf_serve_stats {
	uint32_t n_sessions;
	uint64_t n_requests;
	uint64_t n_refused;
	uint64_t bytes_out; /* of objects */
	uint64_t bytes_in;
	uint64_t n_hits;   /* edge: object requests answered from the cache at once */
	uint64_t n_misses; /* edge: that had to wait for upstream */
};
void hf_serve_stats_get(const struct hf_serve *s, struct hf_serve_stats *out);

#endif
