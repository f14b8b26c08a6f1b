/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handshake messages of one link in other records than the engine would put them in: several in
 * one, or each in many. It stands between the engine and its record layer, so keys and record
 * numbers are right whatever is done: what waits for its record remembers the keys that it is for.
 */
#ifndef HF_TEST_RECUT_H
#define HF_TEST_RECUT_H

#include <string.h>

#include "base/buf.h"
#include "tls/proto.h"
#include "tls/tlcp_hs.h"
#include "tls/tls.h"

enum {
	RECUT_MAX = 65536,   /* bytes of a flight */
	RECUT_OVERHEAD = 96, /* more than any record adds to its content */
};

static struct recut {
	bool joins;   /* messages of a flight, as far as their keys are the same, are one record */
	size_t piece; /* bytes of content of a record at most; 0: as many as fit */
	size_t n_joined;                 /* records that held several messages */
	size_t n_pieces;                 /* records that held a part of one */
	const struct hf_tls_proto *real; /* NULL: not at work */
	struct hf_tls_proto proto;
	struct hf_buf waiting;
	size_t n_waiting;
	struct hf_tls_dir tx; /* as they were when the first of them came */
	struct hf_tlcp_dir tlcp_tx;
} recut;

static inline size_t recut_len(const struct hf_tls *t, size_t len, size_t pad)
{
	size_t all = recut.waiting.len + len;
	size_t piece = recut.piece > 0 ? recut.piece : HF_TLS_PLAIN_MAX;

	(void)t;
	return all + pad + (all / piece + 3) * RECUT_OVERHEAD;
}

/* Seals content in pieces to out, which is *at bytes long. */
static inline hf_err recut_pieces(
	struct hf_tls *t, uint8_t *out, size_t *at, const uint8_t *in, size_t len)
{
	size_t max = recut.piece > 0 ? recut.piece : HF_TLS_PLAIN_MAX;

	recut.n_pieces += len > max ? (len + max - 1) / max : 0;
	while (len > 0) {
		size_t n = len < max ? len : max;
		size_t size = recut.real->sealed_len(t, n, 0);

		HF_TRY(recut.real->seal(t, out + *at, HF_TLS_HANDSHAKE, in, n, 0));
		*at += size;
		in += n;
		len -= n;
	}
	return HF_OK;
}

/* True if nothing was sealed, and no key set, since the first of what waits came. */
static inline bool recut_has_its_keys(const struct hf_tls *t)
{
	return memcmp(&t->tx, &recut.tx, sizeof(t->tx)) == 0 &&
	       (t->tlcp == NULL ||
		       memcmp(&t->tlcp->tx, &recut.tlcp_tx, sizeof(recut.tlcp_tx)) == 0);
}

static inline void recut_swap(void *a, void *b, size_t len)
{
	for (uint8_t *x = a, *y = b; len > 0; x++, y++, len--) {
		uint8_t byte = *x;

		*x = *y;
		*y = byte;
	}
}

static inline void recut_swap_keys(struct hf_tls *t)
{
	recut_swap(&t->tx, &recut.tx, sizeof(recut.tx));
	if (t->tlcp != NULL)
		recut_swap(&t->tlcp->tx, &recut.tlcp_tx, sizeof(recut.tlcp_tx));
}

/* Seals what waits, with the keys that it is for. */
static inline hf_err recut_release(struct hf_tls *t, uint8_t *out, size_t *at)
{
	bool is_late = !recut_has_its_keys(t);
	hf_err e;

	if (recut.waiting.len == 0)
		return HF_OK;
	if (is_late)
		recut_swap_keys(t);
	e = recut_pieces(t, out, at, recut.waiting.p, recut.waiting.len);
	if (is_late)
		recut_swap_keys(t);
	recut.n_joined += recut.n_waiting > 1;
	recut.n_waiting = 0;
	hf_buf_reset(&recut.waiting);
	return e;
}

static inline hf_err recut_wait(struct hf_tls *t, const uint8_t *in, size_t len)
{
	if (recut.waiting.len == 0) {
		memcpy(&recut.tx, &t->tx, sizeof(recut.tx));
		if (t->tlcp != NULL)
			memcpy(&recut.tlcp_tx, &t->tlcp->tx, sizeof(recut.tlcp_tx));
	}
	recut.n_waiting++;
	return hf_buf_put(&recut.waiting, in, len);
}

static inline hf_err recut_seal(struct hf_tls *t, uint8_t *out, enum hf_tls_type type,
	const uint8_t *in, size_t len, size_t pad)
{
	size_t room = recut_len(t, len, pad);
	/* In TLS 1.3 a change_cipher_spec, which passes by here, may follow the hello. */
	bool may_wait = recut.joins && (t->tx.is_on || t->tlcp != NULL);
	size_t at = 0;

	if (type != HF_TLS_HANDSHAKE || !recut_has_its_keys(t))
		HF_TRY(recut_release(t, out, &at));
	if (type == HF_TLS_HANDSHAKE && may_wait) {
		HF_TRY(recut_wait(t, in, len));
	} else if (type == HF_TLS_HANDSHAKE) {
		HF_TRY(recut_pieces(t, out, &at, in, len));
	} else {
		size_t size = recut.real->sealed_len(t, len, pad);

		HF_TRY(recut.real->seal(t, out + at, type, in, len, pad));
		at += size;
	}
	t->out.len -= room - at; /* what was asked for and is not needed */
	return HF_OK;
}

/* Call it before each hf_tls_feed(). A server's protocol is known after the head of a record. */
static inline void recut_begin(struct hf_tls *t)
{
	bool is_known = t->seen_record || t->cfg->role == HF_TLS_CLIENT;

	if (recut.real != NULL || !is_known || hf_tls_is_open(t) || t->err != HF_OK ||
		(!recut.joins && recut.piece == 0))
		return;
	hf_buf_init(&recut.waiting, t->cfg->mem, RECUT_MAX);
	recut.real = t->proto;
	recut.proto = *t->proto;
	recut.proto.sealed_len = recut_len;
	recut.proto.seal = recut_seal;
	t->proto = &recut.proto;
}

/* A client's hello, which is there at once. */
static inline hf_err recut_hello(struct hf_tls *t)
{
	uint8_t hello[HF_TLS_SMALL_MAX + HF_TLS_TICKET_MAX];
	size_t len = t->out.len - HF_TLS_HEAD_LEN;
	hf_err e = HF_OK;

	if (recut.piece == 0 || len > sizeof(hello))
		return HF_OK;
	memcpy(hello, t->out.p + HF_TLS_HEAD_LEN, len);
	t->out.len = 0;
	recut.n_pieces += len > recut.piece ? (len + recut.piece - 1) / recut.piece : 0;
	for (size_t at = 0; at < len && e == HF_OK; at += recut.piece)
		e = hf_tls_put_record(t, HF_TLS_HANDSHAKE, hello + at,
			len - at < recut.piece ? len - at : recut.piece, 0);
	return e;
}

/* The end of a flight: call it before hf_tls_out(). Behind the handshake all is as it was. */
static inline hf_err recut_flush(struct hf_tls *t)
{
	size_t room_len = recut_len(t, 0, 0);
	uint8_t *room = NULL;
	size_t at = 0;
	hf_err e;

	if (recut.real == NULL)
		return HF_OK;
	e = hf_buf_room(&t->out, &room, room_len);
	if (e == HF_OK) {
		e = recut_release(t, room, &at);
		t->out.len -= room_len - at;
	}
	if (hf_tls_is_open(t) || t->err != HF_OK) {
		t->proto = recut.real;
		recut.real = NULL;
		hf_buf_clear(&recut.waiting);
	}
	return e;
}

#endif
