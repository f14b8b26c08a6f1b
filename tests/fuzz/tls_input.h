/* SPDX-License-Identifier: Apache-2.0 */
/* The other side of a link of TLS 1.3 as fuzz input, see link_input.h. */
#ifndef HF_FUZZ_TLS_INPUT_H
#define HF_FUZZ_TLS_INPUT_H

#include "link_input.h"

enum { PAD_LEN = 3 };

/* Bits of the first byte. */
enum { TLS_OPT_RETRY = 1, TLS_OPT_MIDDLEBOX = 2, TLS_OPT_RESUME = 4 };

static struct hf_tls_tickets fuzz_tickets;

/* A pair of ends of which one is run by the input. */
static inline struct pair *tls_fuzz_pair(void)
{
	static const uint8_t secret[HF_TLS_TICKET_SECRET_LEN] = "the secret of the ticket keys..";
	static struct pair p;
	static bool is_ready;

	if (!is_ready) {
		fuzz_parties(domain_init);
		hf_tls_tickets_init(&fuzz_tickets, secret, HF_L1);
	}
	is_ready = true;
	pair_init(&p);
	return &p;
}

/*
 * Both ends are told to resume, with the session that an earlier link of the same configuration
 * left, the same in every run; and may do more than they would by themselves.
 */
static inline struct hf_tls_session *tls_fuzz_resume(struct pair *p)
{
	static struct hf_tls_session *session;

	p->s.cfg.tickets = &fuzz_tickets;
	p->c.cfg.keep_session = true;
	p->c.cfg.suites = p->s.cfg.suites = HF_TLS_SUITES;
	p->c.cfg.record_limit = p->s.cfg.record_limit = 1000;
	if (session == NULL) {
		pair_start(p);
		pair_run(p, SIZE_MAX);
		session = hf_tls_session_take(&p->c.t);
		must(session != NULL);
		pair_clear(p);
		p->c.rng = test_rng(&p->c.state, 1);
		p->s.rng = test_rng(&p->s.state, 2);
	}
	p->c.start.session = session;
	return session;
}

/* What an input's first byte says of both ends. */
static inline struct pair *tls_fuzz_options(unsigned options)
{
	struct pair *p = tls_fuzz_pair();

	if ((options & TLS_OPT_RESUME) != 0)
		(void)tls_fuzz_resume(p);
	p->c.cfg.defer_share = p->s.cfg.retry_cookie = (options & TLS_OPT_RETRY) != 0;
	p->c.cfg.middlebox = (options & TLS_OPT_MIDDLEBOX) != 0;
	p->s.cfg.ask_client_cert = p->s.cfg.require_client_cert = true;
	return p;
}

static inline size_t tls_fuzz_make(
	struct end *e, uint8_t *out, unsigned type, const uint8_t *content, size_t len)
{
	struct hf_tls_dir dir = e->t.rx;
	size_t pad = (type & PAD) != 0 && dir.is_on ? PAD_LEN : 0;

	if ((type & RAW) != 0 || len + pad > HF_TLS_PLAIN_MAX) {
		memcpy(out, content, len);
		return len;
	}
	if (hf_tls_seal(&dir, out, (enum hf_tls_type)(type & TYPE), content, len, pad) != HF_OK)
		return 0;
	return len + (dir.is_on ? pad + HF_TLS_OVERHEAD : HF_TLS_HEAD_LEN);
}

static inline unsigned tls_fuzz_take(
	struct end *e, uint8_t *out, size_t *len, const uint8_t *record)
{
	struct hf_tls_dir dir = e->t.rx;
	struct hf_tls_inner inner = { record[0], hf_tls_head_get(record).len };

	if (dir.is_on && record[0] == HF_TLS_DATA) {
		must(hf_tls_open(&dir, out, &inner, record) == HF_OK);
		*len = inner.len;
		return inner.type;
	}
	*len = inner.len + (record[0] == HF_TLS_CCS ? HF_TLS_HEAD_LEN : 0);
	memcpy(out, record + (record[0] == HF_TLS_CCS ? 0 : HF_TLS_HEAD_LEN), *len);
	return record[0] == HF_TLS_CCS ? RAW : record[0];
}

static const struct fuzz_wire tls_fuzz_wire = { tls_fuzz_make, tls_fuzz_take };

#endif
