/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The other side of a link as fuzz input: one byte of options, which each protocol has its own of,
 * one that says how long the pieces are that are fed (0: whole records), then records of
 *
 *	u8 type | u16 length | content
 *
 * A record is protected with the keys that the engine reads with at that moment, so that the input
 * reaches past the handshake's encryption; with RAW in its type the content goes to the engine as
 * it stands. Everything else (keys, names, random values, clock) is the same in every run, so a
 * handshake that was written down (make_link_corpus.c) stays one.
 */
#ifndef HF_FUZZ_LINK_INPUT_H
#define HF_FUZZ_LINK_INPUT_H

#include "../unit/tls/tls_fixture.h"

#include "base/rd.h"

enum {
	RAW = 0x80,
	PAD = 0x40, /* TLS 1.3: three bytes of padding */
	TYPE = 0x3f,
	RECORDS_MAX = 64,
	RECORD_HEAD = 3,
	OPTIONS = 2, /* bytes before the first record */
	WIRE_ROOM = HF_TLS_HEAD_LEN + HF_TLS_PLAIN_MAX + 2048 + 65536,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* The records of a protocol, as the end that hears them has its keys. */
struct fuzz_wire {
	/* One record of the input as the bytes of the wire; gives their number. */
	size_t (*make)(
		struct end *e, uint8_t *out, unsigned type, const uint8_t *content, size_t len);
	/* Its opposite: the type that the input would have, and *len bytes of content in out. */
	unsigned (*take)(struct end *e, uint8_t *out, size_t *len, const uint8_t *record);
};

static inline void must(bool holds)
{
	if (!holds)
		abort();
}

/* The parties are the same whatever was there before. */
static inline void fuzz_parties(void (*init)(void))
{
	fixture_rng = (struct hf_rng){ 0 };
	init();
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

/*
 * After a failure every call says the same, and an alert has been sent, or one was received, unless
 * the peer never spoke the protocol.
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

/* Plays the input, behind its options, against one end, which has been started. */
static inline void play(
	struct end *e, const struct fuzz_wire *wire, const uint8_t *data, size_t len)
{
	static uint8_t bytes[WIRE_ROOM];
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
		n = wire->make(e, bytes, type, content, n);
		end_feed(e, bytes, n, step == 0 ? SIZE_MAX : step, 1000);
		drain(e);
		if (hf_tls_error(&e->t) != HF_OK)
			break;
	}
	must_stick(e);
	drain(e);
}

#endif
