/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM4-CCM, SP 800-38C and GB/T 36624-2018 mechanism 3: CBC-MAC over the lengths, the additional
 * data and the plaintext; then CTR over the plaintext and the MAC. In their names: q = 15 - nonce
 * length bytes hold the message length and the counter.
 */
#include "crypto/ccm.h"

#include <stdbool.h>
#include <string.h>

#include "base/ct.h"
#include "base/endian.h"
#include "base/wipe.h"
#include "crypto/fault.h"
#include "crypto/modes/aead.h"
#include "crypto/module.h"
#include "crypto/selftest.h"
#include "crypto/sm4/sm4_kernel.h"

enum {
	NONCE_MIN = 7,
	NONCE_MAX = 13,
	TAG_MIN = 4,
	SEGMENT = 8192, /* bytes hashed and ciphered in turn, so that they are still in the L1 cache
			 */
};

/* CBC-MAC in progress: the chaining value, into which a part block is already XORed. */
struct mac {
	const struct hf_sm4_key *key;
	uint8_t chain[HF_SM4_BLOCK_LEN];
	size_t fill; /* bytes of the part block, < 16 */
};

static void mac_close(struct mac *m)
{
	if (m->fill == 0)
		return;
	hf_module()->sm4->ecb(m->key->rk, m->chain, m->chain, 1); /* zero padding: nothing to XOR */
	m->fill = 0;
}

static void mac_feed(struct mac *m, const uint8_t *in, size_t len)
{
	size_t whole;

	for (; len > 0 && m->fill > 0; len--) {
		m->chain[m->fill++] ^= *in++;
		if (m->fill == HF_SM4_BLOCK_LEN)
			mac_close(m);
	}
	whole = len / HF_SM4_BLOCK_LEN;
	hf_module()->sm4->cbc(m->key->rk, m->chain, NULL, in, whole);
	in += whole * HF_SM4_BLOCK_LEN;
	len -= whole * HF_SM4_BLOCK_LEN;
	for (; len > 0; len--)
		m->chain[m->fill++] ^= *in++;
}

/* The length of the additional data, SP 800-38C A.2.2. */
static size_t aad_head(uint8_t head[10], uint64_t len)
{
	if (len < 0xff00) {
		hf_put_be16(head, (uint16_t)len);
		return 2;
	}
	hf_put_be16(head, len <= UINT32_MAX ? 0xfffe : 0xffff);
	if (len <= UINT32_MAX) {
		hf_put_be32(head + 2, (uint32_t)len);
		return 6;
	}
	hf_put_be64(head + 2, len);
	return 10;
}

/* SP 800-38C A.2.1. */
static void first_block(uint8_t b0[HF_SM4_BLOCK_LEN], const struct hf_aead *a)
{
	size_t q = 15 - a->nonce_len;

	memset(b0, 0, HF_SM4_BLOCK_LEN);
	hf_put_be64(b0 + 8, a->in_len); /* the nonce then overwrites what q does not leave */
	b0[0] = (uint8_t)((a->aad_len > 0 ? 0x40 : 0) | (a->tag_len - 2) / 2 << 3 | (q - 1));
	memcpy(b0 + 1, a->nonce, a->nonce_len);
}

/* B0 and the additional data, SP 800-38C A.2.1 and A.2.2. */
static void mac_start(struct mac *m, const struct hf_sm4_key *k, const struct hf_aead *a)
{
	uint8_t b0[HF_SM4_BLOCK_LEN];
	uint8_t head[10];

	memset(m, 0, sizeof(*m));
	m->key = k;
	first_block(b0, a);
	mac_feed(m, b0, sizeof(b0));
	if (a->aad_len == 0)
		return;
	mac_feed(m, head, aad_head(head, a->aad_len));
	mac_feed(m, a->aad, a->aad_len);
	mac_close(m);
}

/* Ctr0, SP 800-38C A.3. */
static void first_counter(uint8_t counter[HF_SM4_BLOCK_LEN], const struct hf_aead *a)
{
	memset(counter, 0, HF_SM4_BLOCK_LEN);
	counter[0] = (uint8_t)(15 - a->nonce_len - 1);
	memcpy(counter + 1, a->nonce, a->nonce_len);
}

static hf_err check_lengths(const struct hf_aead *a)
{
	size_t q;

	if (a->nonce_len < NONCE_MIN || a->nonce_len > NONCE_MAX)
		return HF_ERR_ARG;
	if (a->tag_len < TAG_MIN || a->tag_len > HF_AEAD_TAG_MAX || a->tag_len % 2 != 0)
		return HF_ERR_ARG;
	q = 15 - a->nonce_len;
	if (q < 8 && (uint64_t)a->in_len >> (8 * q) != 0)
		return HF_ERR_LIMIT;
	return HF_OK;
}

/* The whole tag, and out = in ciphered. The MAC is over the plaintext: in when sealing, else out.
 */
static void run(const struct hf_sm4_key *k, const struct hf_aead *a, uint8_t tag[HF_AEAD_TAG_MAX],
	bool seal)
{
	struct mac m;
	uint8_t counter[HF_SM4_BLOCK_LEN];
	uint8_t mask[HF_AEAD_TAG_MAX] = { 0 };

	mac_start(&m, k, a);
	first_counter(counter, a);
	hf_sm4_ctr_raw(k, counter, mask, mask, sizeof(mask)); /* S0 */
	for (size_t at = 0; at < a->in_len; at += SEGMENT) {
		size_t n = a->in_len - at < SEGMENT ? a->in_len - at : SEGMENT;

		if (seal)
			mac_feed(&m, a->in + at, n);
		hf_sm4_ctr_raw(k, counter, a->out + at, a->in + at, n);
		if (!seal)
			mac_feed(&m, a->out + at, n);
	}
	mac_close(&m);
	for (size_t i = 0; i < HF_AEAD_TAG_MAX; i++)
		tag[i] = (uint8_t)(m.chain[i] ^ mask[i]);
	HF_FAULT("sm4-ccm", tag[0]);
	hf_wipe(&m, sizeof(m));
	hf_wipe(mask, sizeof(mask));
}

static hf_err seal_raw(const struct hf_sm4_key *k, const struct hf_aead *a)
{
	uint8_t tag[HF_AEAD_TAG_MAX];

	HF_TRY(check_lengths(a));
	run(k, a, tag, true);
	return hf_aead_settle(a, tag, true);
}

static hf_err open_raw(const struct hf_sm4_key *k, const struct hf_aead *a)
{
	uint8_t tag[HF_AEAD_TAG_MAX];

	HF_TRY(check_lengths(a));
	run(k, a, tag, false);
	return hf_aead_settle(a, tag, false);
}

hf_err hf_ccm_seal(const struct hf_sm4_key *k, const struct hf_aead *a)
{
	HF_TRY(hf_module_check());
	return seal_raw(k, a);
}

hf_err hf_ccm_open(const struct hf_sm4_key *k, const struct hf_aead *a)
{
	HF_TRY(hf_module_check());
	return open_raw(k, a);
}

enum {
	HEAD_MAX = 96, /* bytes of B0 and of additional data that go with the others */
	PIECES = 3,
};

/* The MAC of one message of a batch: pieces of whole blocks, one after the other. */
struct batch_lane {
	struct hf_ccm_job *job;
	uint8_t chain[HF_SM4_BLOCK_LEN];
	uint8_t mask[HF_AEAD_TAG_MAX];
	uint8_t head[HEAD_MAX];        /* B0 and additional data, padded */
	uint8_t end[HF_SM4_BLOCK_LEN]; /* the last part of a block, padded */
	const uint8_t *piece[PIECES];  /* head, text, end */
	size_t n_blocks[PIECES];
	size_t at; /* piece */
};

/* Additional data that is too long for the head is hashed here, alone. */
static void lane_head(struct batch_lane *l)
{
	const struct hf_aead *a = &l->job->a;
	size_t len = HF_SM4_BLOCK_LEN;
	struct mac m;

	if (a->aad_len > HEAD_MAX - HF_SM4_BLOCK_LEN - 2) {
		mac_start(&m, l->job->key, a);
		memcpy(l->chain, m.chain, sizeof(l->chain));
		hf_wipe(&m, sizeof(m));
		return;
	}
	first_block(l->head, a);
	if (a->aad_len > 0) {
		len += aad_head(l->head + len, a->aad_len);
		memcpy(l->head + len, a->aad, a->aad_len);
		len += a->aad_len;
	}
	l->n_blocks[0] = (len + HF_SM4_BLOCK_LEN - 1) / HF_SM4_BLOCK_LEN;
}

/* S0 to mask, and the text. */
static void lane_cipher(struct batch_lane *l)
{
	const struct hf_aead *a = &l->job->a;
	uint8_t counter[HF_SM4_BLOCK_LEN];

	first_counter(counter, a);
	hf_sm4_ctr_raw(l->job->key, counter, l->mask, l->mask, sizeof(l->mask));
	hf_sm4_ctr_raw(l->job->key, counter, a->out, a->in, a->in_len);
}

static void lane_start(struct batch_lane *l, struct hf_ccm_job *job, bool seal)
{
	const struct hf_aead *a = &job->a;
	const uint8_t *text = seal ? a->in : a->out;
	size_t part = a->in_len % HF_SM4_BLOCK_LEN;

	memset(l, 0, sizeof(*l));
	l->job = job;
	lane_head(l);
	if (!seal)
		lane_cipher(l);
	l->piece[0] = l->head;
	l->piece[1] = text;
	l->n_blocks[1] = a->in_len / HF_SM4_BLOCK_LEN;
	l->piece[2] = l->end;
	if (part > 0) {
		memcpy(l->end, text + a->in_len - part, part);
		l->n_blocks[2] = 1;
	}
}

static void lane_end(struct batch_lane *l, bool seal)
{
	if (seal)
		lane_cipher(l);
	for (size_t i = 0; i < HF_AEAD_TAG_MAX; i++)
		l->chain[i] ^= l->mask[i];
	l->job->result = hf_aead_settle(&l->job->a, l->chain, seal);
}

/* Goes to the next piece that has blocks; false: there is none. */
static bool lane_has_more(struct batch_lane *l)
{
	while (l->at < PIECES && l->n_blocks[l->at] == 0)
		l->at++;
	return l->at < PIECES;
}

/* All lanes as far as the shortest piece reaches; returns how many are still busy. */
static size_t run_lanes(struct batch_lane *lanes[HF_SM4_LANES], size_t n, bool seal)
{
	struct hf_sm4_lane chains[HF_SM4_LANES];
	size_t shortest = SIZE_MAX;
	size_t busy = n;

	for (size_t i = 0; i < n; i++) {
		struct batch_lane *l = lanes[i];

		chains[i] =
			(struct hf_sm4_lane){ l->job->key->rk, l->chain, NULL, l->piece[l->at] };
		if (l->n_blocks[l->at] < shortest)
			shortest = l->n_blocks[l->at];
	}
	hf_module()->sm4->cbc_lanes(chains, n, shortest);
	for (size_t i = n; i-- > 0;) {
		struct batch_lane *l = lanes[i];

		l->piece[l->at] += shortest * HF_SM4_BLOCK_LEN;
		l->n_blocks[l->at] -= shortest;
		if (lane_has_more(l))
			continue;
		lane_end(l, seal);
		lanes[i] = lanes[--busy];
		lanes[busy] = l;
	}
	return busy;
}

static hf_err run_batch(struct hf_ccm_job *jobs, size_t n, bool seal)
{
	struct batch_lane pool[HF_SM4_LANES] = { { .job = NULL } };
	struct batch_lane *lanes[HF_SM4_LANES];
	size_t busy = 0;
	hf_err first = hf_module_check();

	if (first != HF_OK) {
		for (size_t i = 0; i < n; i++)
			jobs[i].result = first;
		return first;
	}
	for (size_t i = 0; i < HF_SM4_LANES; i++)
		lanes[i] = &pool[i];
	for (size_t next = 0; next < n || busy > 0;) {
		for (; busy < HF_SM4_LANES && next < n; next++) {
			jobs[next].result = check_lengths(&jobs[next].a);
			if (jobs[next].result != HF_OK)
				continue;
			lane_start(lanes[busy], &jobs[next], seal);
			if (lane_has_more(lanes[busy]))
				busy++;
			else
				lane_end(lanes[busy], seal);
		}
		if (busy > 0)
			busy = run_lanes(lanes, busy, seal);
	}
	hf_wipe(pool, sizeof(pool));
	for (size_t i = 0; i < n && first == HF_OK; i++)
		first = jobs[i].result;
	return first;
}

hf_err hf_ccm_seal_batch(struct hf_ccm_job *jobs, size_t n)
{
	return run_batch(jobs, n, true);
}

hf_err hf_ccm_open_batch(struct hf_ccm_job *jobs, size_t n)
{
	return run_batch(jobs, n, false);
}

/* RFC 8998 A.2: sealed, opened, and refused with one bit of the tag changed. */
bool hf_ccm_selftest(void)
{
	static const struct hf_aead_answer want = {
		.end = { 0xb4, 0x0c, 0x84, 0xa7, 0x4b, 0x97, 0xdc, 0x5b },
		.tag = { 0x16, 0x84, 0x2d, 0x4f, 0xa1, 0x86, 0xf5, 0x6a, 0xb3, 0x32, 0x56, 0x97,
			0x1f, 0xa1, 0x10, 0xf4 },
	};
	struct hf_aead_example x;
	struct hf_sm4_key k;
	bool ok;

	hf_aead_example_init(&x);
	hf_sm4_init(&k, hf_aead_example_key);
	ok = seal_raw(&k, &x.a) == HF_OK;
	ok &= hf_aead_example_is_sealed(&x, &want);
	x.a.in = x.text;
	ok &= open_raw(&k, &x.a) == HF_OK;
	ok &= hf_aead_example_is_opened(&x);
	x.tag[15] ^= 1;
	ok &= open_raw(&k, &x.a) == HF_ERR_AUTH;
	return ok;
}
