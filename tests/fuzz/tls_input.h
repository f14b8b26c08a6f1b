/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The other side of a link as fuzz input: one byte whose three lowest bits are options of the
 *target and whose upper five say how long the pieces are that are fed (0: whole records), then
 *records of
 *
 *	u8 type | u16 length | content
 *
 * A record is protected with the keys that the engine reads with at that moment, so that the input
 * reaches past the handshake's encryption; with RAW in its type the content goes to the engine as
 *it stands. Everything else (keys, names, random values, clock) is the same in every run, so a
 * handshake that was written down (make_tls_corpus.c) stays one.
 */
#ifndef HF_FUZZ_TLS_INPUT_H
#define HF_FUZZ_TLS_INPUT_H

#include "../unit/tls/tls_fixture.h"

#include "base/rd.h"

enum {
	RAW = 0x80,
	PAD = 0x40, /* three bytes of padding */
	TYPE = 0x3f,
	RECORDS_MAX = 64,
	RECORD_HEAD = 3,
	PAD_LEN = 3,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static inline void must(bool holds)
{
	if (!holds)
		abort();
}

/* Options of the targets, in the first byte. */
enum { OPT_RETRY = 1, OPT_MIDDLEBOX = 2, OPT_RESUME = 4, STEP_SHIFT = 3 };

static struct hf_tls_tickets fuzz_tickets;

/* A pair of ends of which one is run by the input. */
static inline struct pair *fuzz_pair(void)
{
	static const uint8_t secret[HF_TLS_TICKET_SECRET_LEN] = "the secret of the ticket keys..";
	static struct pair p;
	static bool is_ready;

	if (!is_ready) {
		domain_init();
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
static inline struct hf_tls_session *fuzz_resume(struct pair *p)
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
static inline void fuzz_options(struct pair *p, unsigned options)
{
	if ((options & OPT_RESUME) != 0)
		(void)fuzz_resume(p);
	p->c.cfg.defer_share = p->s.cfg.retry_cookie = (options & OPT_RETRY) != 0;
	p->c.cfg.middlebox = (options & OPT_MIDDLEBOX) != 0;
	p->s.cfg.ask_client_cert = p->s.cfg.require_client_cert = true;
}

static inline void drain(struct end *e)
{
	const uint8_t *out;
	size_t n = hf_tls_out(&e->t, &out);

	must(n <= (1 << 20));
	hf_tls_sent(&e->t, n);
	n = hf_tls_plain(&e->t, &out);
	must(n <= e->cfg.limits.plain_max);
	if (n > 0) {
		size_t used = 0;
		hf_err err =
			hf_tls_write(&e->t, &used, out, n); /* an echo, if it may still speak */

		must(err == HF_OK || err == HF_ERR_STATE || err == hf_tls_error(&e->t));
		hf_tls_took(&e->t, n);
	}
}

/* One record of the input as the bytes of the wire; gives their number. */
static inline size_t record_make(
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

/*
 * After a failure every call says the same, and an alert has been sent, or one was received, unless
 * the peer never spoke TLS.
 */
static inline void must_stick(struct end *e)
{
	hf_err err = hf_tls_error(&e->t);
	uint8_t b[16];
	size_t n = 0;

	if (err == HF_OK)
		return;
	must(hf_tls_feed(&e->t, &n, b, 0, 1000) == err);
	must(hf_tls_key_update(&e->t, true) != HF_OK);
	must(hf_tls_why(&e->t)->code == err && hf_tls_why(&e->t)->text[0] != '\0');
	must(hf_tls_alert_sent(&e->t) != HF_ALERT_NONE ||
		hf_tls_alert_got(&e->t) != HF_ALERT_NONE || !e->t.seen_record);
}

/* Plays the input against one end, which has been started. */
static inline void play(struct end *e, const uint8_t *data, size_t len)
{
	static uint8_t wire[HF_TLS_RECORD_MAX + 65536];
	struct hf_reader in = { .p = data, .left = len };
	size_t step = hf_rd_u8(&in) >> STEP_SHIFT;

	drain(e);
	for (int i = 0; i < RECORDS_MAX && in.left >= RECORD_HEAD; i++) {
		unsigned type = hf_rd_u8(&in);
		size_t n = hf_rd_u16(&in);
		const uint8_t *content;

		n = n > in.left ? in.left : n;
		content = hf_rd_take(&in, n);
		n = record_make(e, wire, type, content, n);
		end_feed(e, wire, n, step == 0 ? SIZE_MAX : step, 1000);
		drain(e);
		if (hf_tls_error(&e->t) != HF_OK)
			break;
	}
	must_stick(e);
	drain(e);
}

#endif
