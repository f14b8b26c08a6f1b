/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a link that may be resumed leaves behind, the same for both ends: the client keeps it in a
 * session, the server seals it into the ticket. Times are seconds since 1970.
 */
#ifndef HF_TLS_RESUME_H
#define HF_TLS_RESUME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/wr.h"
#include "crypto/sm3.h"
#include "pki/chain.h"
#include "policy/policy.h"
#include "tls/session.h"
#include "tls/tls.h"

enum {
	/* RFC 8446 4.6.1: however often it is resumed, certificates are shown again by then. */
	HF_TLS_RESUME_MAX_S = 7 * 86400,
	HF_TLS_AGE_SKEW_MS = 60000, /* what the clocks of both ends may differ by */
};

struct hf_tls_resume {
	uint16_t suite;
	enum hf_level level;
	uint32_t life_s;
	uint32_t age_add;
	uint64_t made_s;  /* when the ticket was made or came */
	uint64_t first_s; /* when certificates were last shown */
	uint8_t psk[HF_SM3_LEN];
	uint8_t own[HF_SM3_LEN]; /* client: fingerprint of the certificate that it showed, or 0 */
	struct hf_bytes name;    /* that the link was for; empty: none */
	struct hf_bytes alpn;
	struct hf_bytes ticket; /* empty in what a ticket itself holds */
	size_t n_certs;
	struct hf_bytes cert[HF_CHAIN_MAX]; /* of the peer, leaf first */
};

void hf_tls_resume_emit(struct hf_writer *w, const struct hf_tls_resume *r);

/* Room that hf_tls_resume_emit() needs. */
size_t hf_tls_resume_len(const struct hf_tls_resume *r);

/* *out borrows from in, but for the secrets, which it copies: wipe it. */
HF_MUST_USE hf_err hf_tls_resume_parse(struct hf_tls_resume *out, const uint8_t *in, size_t len);

/* True while it may be resumed. */
bool hf_tls_resume_is_young(const struct hf_tls_resume *r, uint64_t now_s);

struct hf_tls_session {
	const struct hf_mem *mem;
	bool is_used; /* it was offered */
	struct hf_buf b;
	struct hf_tls_resume r; /* points into b */
};

HF_MUST_USE hf_err hf_tls_session_make(
	struct hf_tls_session **out, const struct hf_mem *mem, const struct hf_tls_resume *r);

/* Adds one part, or all of who we are, whom we believe and at which level, to what is bound. */
void hf_tls_bind(struct hf_sm3 *s, struct hf_bytes part);
void hf_tls_bind_config(struct hf_sm3 *s, const struct hf_tls_config *cfg);

#endif
