/* SPDX-License-Identifier: Apache-2.0 */
/* The other side of a link of TLCP as fuzz input, see link_input.h. */
#ifndef HF_FUZZ_TLCP_INPUT_H
#define HF_FUZZ_TLCP_INPUT_H

#include "link_input.h"

#include "../unit/tls/tlcp_fixture.h"

/* Bits of the first byte. The suite is the lowest two: its place in the list of suites. */
enum {
	TLCP_OPT_SUITE = 3,
	TLCP_OPT_MUTUAL = 1 << 2,
	TLCP_OPT_RESUME = 1 << 3,
	TLCP_OPT_TOLERANT = 1 << 4, /* cv_raw and any_subject */
	TLCP_OPT_NAMES = 1 << 5,
	TLCP_OPT_DEFER = 1 << 6, /* SM2 is left to the target, which does it at once */
};

/* One session that both ends of every run know. */
struct fuzz_session {
	struct hf_tlcp_session s;
	struct hf_tlcp_store *store;
};

static inline void tlcp_fuzz_options(struct tlcp_pair *t, struct fuzz_session *session, unsigned o)
{
	fixture_defers = (o & TLCP_OPT_DEFER) != 0;
	tlcp_init(t);
	t->c.suites = 1u << (o & TLCP_OPT_SUITE);
	t->p.s.cfg.protocols = HF_TLS_13 | HF_TLS_TLCP;
	t->p.s.cfg.ask_client_cert = t->p.s.cfg.require_client_cert = (o & TLCP_OPT_MUTUAL) != 0;
	t->c.cv_raw = t->s.cv_raw = (o & TLCP_OPT_TOLERANT) != 0;
	t->c.any_subject = t->s.any_subject = (o & TLCP_OPT_TOLERANT) != 0;
	t->c.extensions = (o & TLCP_OPT_NAMES) != 0;
	if (session->store == NULL)
		return;
	t->cache = hf_tlcp_store_cache(session->store);
	t->s.cache = &t->cache;
	t->p.c.start.tlcp_session = &session->s;
}

/* The session of a link with these options, made by a whole handshake. */
static inline void tlcp_fuzz_session(struct fuzz_session *session, unsigned options)
{
	struct tlcp_pair t;

	session->store = hf_tlcp_store_new(&test_mem, 4);
	must(session->store != NULL);
	tlcp_fuzz_options(&t, session, options | TLCP_OPT_MUTUAL);
	pair_open(&t.p);
	must(hf_tlcp_session_get(&t.p.c.t, &session->s) == HF_OK);
	pair_clear(&t.p);
}

static inline void fuzz_session_clear(struct fuzz_session *session)
{
	hf_tlcp_session_clear(&session->s);
	hf_tlcp_store_free(session->store);
	*session = (struct fuzz_session){ 0 };
}

/* A pair of ends of which one is run by the input. */
static inline struct tlcp_pair *tlcp_fuzz_pair(struct fuzz_session *session, unsigned options)
{
	static struct tlcp_pair t;
	static bool is_ready;

	if (!is_ready)
		fuzz_parties(tlcp_domain_init);
	is_ready = true;
	session->store = NULL;
	if ((options & TLCP_OPT_RESUME) != 0)
		tlcp_fuzz_session(session, options);
	tlcp_fuzz_options(&t, session, options);
	return &t;
}

/* A server of both protocols has no keys of this one yet, and sees by the record which it is. */
static inline struct hf_tlcp_dir tlcp_fuzz_dir(const struct end *e)
{
	return e->t.tlcp == NULL ? (struct hf_tlcp_dir){ 0 } : e->t.tlcp->rx;
}

static inline size_t tlcp_fuzz_make(
	struct end *e, uint8_t *out, unsigned type, const uint8_t *content, size_t len)
{
	struct hf_tlcp_dir dir = tlcp_fuzz_dir(e);
	struct test_rng state;
	struct hf_rng rng = test_rng(&state, 3);

	if ((type & RAW) != 0 || len > HF_TLS_PLAIN_MAX) {
		memcpy(out, content, len);
		return len;
	}
	if (hf_tlcp_seal(&dir, out, (enum hf_tls_type)(type & TYPE), content, len, &rng) != HF_OK)
		return 0;
	return TLCP_HEAD + hf_tls_head_get(out).len;
}

static inline unsigned tlcp_fuzz_take(
	struct end *e, uint8_t *out, size_t *len, const uint8_t *record)
{
	struct hf_tlcp_dir dir = tlcp_fuzz_dir(e);
	size_t n = hf_tls_head_get(record).len;

	if (dir.cipher != NULL) {
		must(hf_tlcp_open(&dir, out, len, record) == HF_OK);
		return record[0];
	}
	*len = n + (e->t.tlcp == NULL ? TLCP_HEAD : 0);
	memcpy(out, record + (e->t.tlcp == NULL ? 0 : TLCP_HEAD), *len);
	return e->t.tlcp == NULL ? RAW : record[0];
}

static const struct fuzz_wire tlcp_fuzz_wire = { tlcp_fuzz_make, tlcp_fuzz_take };

#endif
