/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The other side of a link of TLCP as fuzz input: one byte of options, then one that says how long
 * the pieces are that are fed (0: whole records), then records of
 *
 *	u8 type | u16 length | content
 *
 * A record is protected with the keys that the engine reads with at that moment; with RAW in its
 * type the content goes to the engine as it stands. Keys, names, random values and clock are the
 * same in every run, so a handshake that was written down (make_tlcp_corpus.c) stays one.
 */
#ifndef HF_FUZZ_TLCP_INPUT_H
#define HF_FUZZ_TLCP_INPUT_H

#include "../unit/tls/tlcp_fixture.h"

#include "base/rd.h"

enum {
	RAW = 0x80,
	TYPE = 0x7f,
	RECORDS_MAX = 64,
	RECORD_HEAD = 3,
	OPTIONS = 2, /* bytes before the first record */
};

/* Bits of the first byte. The suite is the lowest two: its place in the list of suites. */
enum {
	OPT_SUITE = 3,
	OPT_MUTUAL = 1 << 2,
	OPT_RESUME = 1 << 3,
	OPT_TOLERANT = 1 << 4, /* cv_raw and any_subject */
	OPT_NAMES = 1 << 5,
	OPT_DEFER = 1 << 6, /* SM2 is left to the target, which does it at once */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static inline void must(bool holds)
{
	if (!holds)
		abort();
}

/* One session that both ends of every run know. */
struct fuzz_session {
	struct hf_tlcp_session s;
	struct hf_tlcp_store *store;
};

static inline void fuzz_options(struct tlcp_pair *t, struct fuzz_session *session, unsigned o)
{
	fixture_defers = (o & OPT_DEFER) != 0;
	tlcp_init(t);
	t->c.suites = 1u << (o & OPT_SUITE);
	t->p.s.cfg.ask_client_cert = t->p.s.cfg.require_client_cert = (o & OPT_MUTUAL) != 0;
	t->c.cv_raw = t->s.cv_raw = t->c.any_subject = t->s.any_subject = (o & OPT_TOLERANT) != 0;
	t->c.extensions = (o & OPT_NAMES) != 0;
	if (session->store == NULL)
		return;
	t->cache = hf_tlcp_store_cache(session->store);
	t->s.cache = &t->cache;
	t->p.c.start.tlcp_session = &session->s;
}

/* The session of a suite, made by a whole handshake. */
static inline void fuzz_session_make(struct fuzz_session *session, unsigned suite)
{
	struct tlcp_pair t;

	session->store = hf_tlcp_store_new(&test_mem, 4);
	must(session->store != NULL);
	fuzz_options(&t, session, suite | OPT_MUTUAL);
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
static inline struct tlcp_pair *fuzz_pair(struct fuzz_session *session, unsigned options)
{
	static struct tlcp_pair t;
	static bool is_ready;

	if (!is_ready)
		tlcp_domain_init();
	is_ready = true;
	session->store = NULL;
	if ((options & OPT_RESUME) != 0)
		fuzz_session_make(session, options & OPT_SUITE);
	fuzz_options(&t, session, options);
	return &t;
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
		hf_err err = hf_tls_write(&e->t, &used, out, n); /* an echo */

		must(err == HF_OK || err == HF_ERR_STATE || err == hf_tls_error(&e->t));
		hf_tls_took(&e->t, n);
	}
}

/* One record of the input as the bytes of the wire; gives their number. */
static inline size_t record_make(
	struct end *e, uint8_t *out, unsigned type, const uint8_t *content, size_t len)
{
	struct hf_tlcp_dir dir = { 0 };
	struct test_rng state;
	struct hf_rng rng = test_rng(&state, 3);

	if (e->t.tlcp != NULL)
		dir = e->t.tlcp->rx;
	if ((type & RAW) != 0 || len > HF_TLS_PLAIN_MAX) {
		memcpy(out, content, len);
		return len;
	}
	if (hf_tlcp_seal(&dir, out, (enum hf_tls_type)(type & TYPE), content, len, &rng) != HF_OK)
		return 0;
	return TLCP_HEAD + hf_tls_head_get(out).len;
}

/* After a failure every call says the same, and an alert has been sent, or one was received. */
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

/* Plays the input behind its options against one end, which has been started. */
static inline void play(struct end *e, const uint8_t *data, size_t len)
{
	static uint8_t wire[TLCP_HEAD + HF_TLCP_CIPHER_MAX + 65536];
	struct hf_reader in = { .p = data, .left = len };
	size_t step;

	(void)hf_rd_u8(&in);
	step = hf_rd_u8(&in);
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
