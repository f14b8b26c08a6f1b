/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The other side of a link as fuzz input: one byte whose two lowest bits are options of the target
 * and whose upper six say how long the pieces are that are fed (0: whole records), then records of
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

/* A pair of ends of which one is run by the input. */
static inline struct pair *fuzz_pair(void)
{
	static struct pair p;
	static bool is_ready;

	if (!is_ready)
		domain_init();
	is_ready = true;
	pair_init(&p);
	return &p;
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
	size_t step = hf_rd_u8(&in) >> 2;

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
