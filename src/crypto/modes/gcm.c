/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM4-GCM, SP 800-38D and GB/T 36624-2018 mechanism 5, on the chosen kernels. The one-shot calls
 * are one call of the GCM kernel, or with nonces of other lengths the streaming ones in a row. A
 * stream whose tag was given or checked, or that was never started, has key == NULL and refuses
 * everything.
 */
#include "crypto/gcm.h"

#include <stdbool.h>
#include <string.h>

#include "base/ct.h"
#include "base/endian.h"
#include "base/wipe.h"
#include "crypto/fault.h"
#include "crypto/modes/aead.h"
#include "crypto/modes/gcm_kernel.h"
#include "crypto/module.h"
#include "crypto/selftest.h"

enum {
	NONCE_MAX = 1 << 16,
};

/* SP 800-38D 5.2.1.1: len(A) <= 2^64 - 1 bits. */
static const uint64_t aad_max = (UINT64_C(1) << 61) - 1;

/* A self-test may have put other kernels in place of those that the chosen one stands on. */
static const struct hf_gcm_kernel *kernel(void)
{
	const struct hf_module *m = hf_module();

	if ((m->gcm->sm4 != NULL && m->gcm->sm4 != m->sm4) ||
		(m->gcm->ghash != NULL && m->gcm->ghash != m->ghash))
		return &hf_gcm_kernel_parts;
	return m->gcm;
}

static void ghash(const struct hf_gcm_key *k, uint8_t y[16], const uint8_t *in, size_t n_blocks)
{
	hf_module()->ghash->blocks(k, y, in, n_blocks);
}

static void encrypt_block(const struct hf_gcm_key *k, uint8_t out[16], const uint8_t in[16])
{
	hf_module()->sm4->ecb(k->sm4.rk, out, in, 1);
}

static void init_raw(struct hf_gcm_key *k, const uint8_t key[HF_SM4_KEY_LEN])
{
	uint8_t h[16] = { 0 };

	hf_sm4_init(&k->sm4, key);
	encrypt_block(k, h, h); /* H = E(0^128), SP 800-38D 7.1 step 1 */
	hf_module()->ghash->init(k, h);
	kernel()->init(k);
	hf_wipe(h, sizeof(h));
}

hf_err hf_gcm_init(struct hf_gcm_key *k, const uint8_t key[HF_SM4_KEY_LEN])
{
	HF_TRY(hf_module_check());
	init_raw(k, key);
	return HF_OK;
}

void hf_gcm_clear(struct hf_gcm_key *k)
{
	hf_wipe(k, sizeof(*k));
}

/* SP 800-38D 5.2.1.2: 128, 120, 112, 104, 96, and for some uses 64 and 32 bits. */
static bool tag_len_is_valid(size_t len)
{
	return len == 4 || len == 8 || (len >= 12 && len <= HF_GCM_TAG_LEN);
}

/* J0, SP 800-38D 7.1 step 2. */
static void first_counter(
	const struct hf_gcm_key *k, uint8_t j0[16], const uint8_t *nonce, size_t nonce_len)
{
	size_t whole = nonce_len / 16;
	uint8_t block[16] = { 0 };

	memset(j0, 0, 16);
	if (nonce_len == HF_GCM_NONCE_LEN) {
		memcpy(j0, nonce, HF_GCM_NONCE_LEN);
		j0[15] = 1;
		return;
	}
	ghash(k, j0, nonce, whole);
	if (nonce_len % 16 != 0) {
		memcpy(block, nonce + 16 * whole, nonce_len % 16);
		ghash(k, j0, block, 1);
		memset(block, 0, sizeof(block));
	}
	hf_put_be64(block + 8, (uint64_t)nonce_len * 8);
	ghash(k, j0, block, 1);
}

static hf_err start_raw(
	struct hf_gcm *g, const struct hf_gcm_key *k, const uint8_t *nonce, size_t nonce_len)
{
	memset(g, 0, sizeof(*g));
	if (nonce_len == 0 || nonce_len > NONCE_MAX)
		return HF_ERR_ARG;
	first_counter(k, g->counter, nonce, nonce_len);
	encrypt_block(k, g->mask, g->counter);
	hf_put_be32(g->counter + 12, hf_get_be32(g->counter + 12) + 1); /* inc32 */
	g->key = k;
	return HF_OK;
}

/* Fills the part block from in; hashes it when it is whole. Returns how many bytes it took. */
static size_t fill_part(struct hf_gcm *g, uint64_t had, const uint8_t *in, size_t len)
{
	size_t at = (size_t)(had % 16);
	size_t n = 16 - at < len ? 16 - at : len;

	memcpy(g->part + at, in, n);
	if (at + n == 16)
		ghash(g->key, g->hash, g->part, 1);
	return n;
}

/* Hashes a part block that is followed by something else: padded with zeros. */
static void close_part(struct hf_gcm *g, uint64_t had)
{
	size_t at = (size_t)(had % 16);

	if (at == 0)
		return;
	memset(g->part + at, 0, 16 - at);
	ghash(g->key, g->hash, g->part, 1);
}

static hf_err aad_raw(struct hf_gcm *g, const uint8_t *aad, size_t len)
{
	size_t n;

	if (g->key == NULL || g->text_len != 0)
		return HF_ERR_STATE;
	if (len > aad_max - g->aad_len)
		return HF_ERR_LIMIT;
	if (len == 0)
		return HF_OK;

	if (g->aad_len % 16 != 0) {
		n = fill_part(g, g->aad_len, aad, len);
		g->aad_len += n;
		aad += n;
		len -= n;
	}
	ghash(g->key, g->hash, aad, len / 16);
	if (len % 16 != 0)
		(void)fill_part(g, 0, aad + (len - len % 16), len % 16);
	g->aad_len += len;
	return HF_OK;
}

/* XORs with the rest of a key-stream block and hashes the ciphertext side; returns the bytes done.
 */
static size_t crypt_part(struct hf_gcm *g, uint8_t *out, const uint8_t *in, size_t len, bool seal)
{
	size_t at = (size_t)(g->text_len % 16);
	size_t n = 16 - at < len ? 16 - at : len;

	if (!seal)
		(void)fill_part(g, g->text_len, in, n);
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(in[i] ^ g->stream[at + i]);
	if (seal)
		(void)fill_part(g, g->text_len, out, n);
	g->text_len += n;
	return n;
}

static hf_err crypt_raw(struct hf_gcm *g, uint8_t *out, const uint8_t *in, size_t len, bool seal)
{
	size_t n;

	if (g->key == NULL)
		return HF_ERR_STATE;
	if (len > HF_GCM_MESSAGE_MAX - g->text_len) /* SP 800-38D 5.2.1.1: 2^39 - 256 bits */
		return HF_ERR_LIMIT;
	if (len == 0)
		return HF_OK;

	if (g->text_len == 0)
		close_part(g, g->aad_len);
	if (g->text_len % 16 != 0) {
		n = crypt_part(g, out, in, len, seal);
		out += n;
		in += n;
		len -= n;
	}
	n = len - len % 16;
	kernel()->blocks(g->key, g->counter, g->hash, out, in, n / 16, seal);
	g->text_len += n;
	if (n < len) {
		memset(g->stream, 0, sizeof(g->stream));
		hf_module()->sm4->ctr32(g->key->sm4.rk, g->counter, g->stream, g->stream, 1);
		(void)crypt_part(g, out + n, in + n, len - n, seal);
	}
	return HF_OK;
}

/* The whole tag; afterwards the stream is over. */
static void finish(struct hf_gcm *g, uint8_t tag[HF_GCM_TAG_LEN])
{
	uint8_t lengths[16];

	close_part(g, g->text_len != 0 ? g->text_len : g->aad_len);
	hf_put_be64(lengths, g->aad_len * 8);
	hf_put_be64(lengths + 8, g->text_len * 8);
	ghash(g->key, g->hash, lengths, 1);
	for (size_t i = 0; i < HF_GCM_TAG_LEN; i++)
		tag[i] = (uint8_t)(g->hash[i] ^ g->mask[i]);
	HF_FAULT("sm4-gcm", tag[0]);
	hf_gcm_end(g);
}

static hf_err tag_raw(struct hf_gcm *g, uint8_t *tag, size_t tag_len)
{
	uint8_t whole[HF_GCM_TAG_LEN];

	if (g->key == NULL)
		return HF_ERR_STATE;
	if (!tag_len_is_valid(tag_len))
		return HF_ERR_ARG;
	finish(g, whole);
	memcpy(tag, whole, tag_len);
	return HF_OK;
}

static hf_err verify_raw(struct hf_gcm *g, const uint8_t *tag, size_t tag_len)
{
	uint8_t whole[HF_GCM_TAG_LEN];
	bool same;

	if (g->key == NULL)
		return HF_ERR_STATE;
	if (!tag_len_is_valid(tag_len))
		return HF_ERR_ARG;
	finish(g, whole);
	same = hf_ct_eq(whole, tag, tag_len);
	hf_wipe(whole, sizeof(whole)); /* the right tag of a forgery is nobody's business */
	return same ? HF_OK : HF_ERR_AUTH;
}

hf_err hf_gcm_start(
	struct hf_gcm *g, const struct hf_gcm_key *k, const uint8_t *nonce, size_t nonce_len)
{
	HF_TRY(hf_module_check());
	return start_raw(g, k, nonce, nonce_len);
}

hf_err hf_gcm_aad(struct hf_gcm *g, const uint8_t *aad, size_t len)
{
	HF_TRY(hf_module_check());
	return aad_raw(g, aad, len);
}

hf_err hf_gcm_encrypt(struct hf_gcm *g, uint8_t *out, const uint8_t *in, size_t len)
{
	HF_TRY(hf_module_check());
	return crypt_raw(g, out, in, len, true);
}

hf_err hf_gcm_decrypt(struct hf_gcm *g, uint8_t *out, const uint8_t *in, size_t len)
{
	HF_TRY(hf_module_check());
	return crypt_raw(g, out, in, len, false);
}

hf_err hf_gcm_tag(struct hf_gcm *g, uint8_t *tag, size_t tag_len)
{
	HF_TRY(hf_module_check());
	return tag_raw(g, tag, tag_len);
}

hf_err hf_gcm_verify(struct hf_gcm *g, const uint8_t *tag, size_t tag_len)
{
	HF_TRY(hf_module_check());
	return verify_raw(g, tag, tag_len);
}

void hf_gcm_end(struct hf_gcm *g)
{
	hf_wipe(g, sizeof(*g));
}

/* Lengths first: nothing is written for a call that breaks the contract. */
static hf_err check_lengths(const struct hf_aead *a)
{
	if (a->nonce_len == 0 || a->nonce_len > NONCE_MAX || !tag_len_is_valid(a->tag_len))
		return HF_ERR_ARG;
	if (a->in_len > HF_GCM_MESSAGE_MAX || a->aad_len > aad_max)
		return HF_ERR_LIMIT;
	return HF_OK;
}

/* The streaming calls in a row: any nonce, any kernels. */
static hf_err run_pieces(
	const struct hf_gcm_key *k, const struct hf_aead *a, uint8_t tag[HF_GCM_TAG_LEN], bool seal)
{
	struct hf_gcm g = { 0 };
	hf_err e;

	e = start_raw(&g, k, a->nonce, a->nonce_len);
	if (e == HF_OK)
		e = aad_raw(&g, a->aad, a->aad_len);
	if (e == HF_OK)
		e = crypt_raw(&g, a->out, a->in, a->in_len, seal);
	if (e == HF_OK)
		e = tag_raw(&g, tag, HF_GCM_TAG_LEN);
	hf_gcm_end(&g);
	return e;
}

/* a->out and the whole tag. */
static hf_err run_whole(
	const struct hf_gcm_key *k, const struct hf_aead *a, uint8_t tag[HF_GCM_TAG_LEN], bool seal)
{
	HF_TRY(check_lengths(a));
	if (a->nonce_len != HF_GCM_NONCE_LEN)
		return run_pieces(k, a, tag, seal);
	kernel()->message(k, a, tag, seal);
	HF_FAULT("sm4-gcm", tag[0]);
	return HF_OK;
}

static hf_err seal_raw(const struct hf_gcm_key *k, const struct hf_aead *a)
{
	uint8_t tag[HF_GCM_TAG_LEN];

	HF_TRY(run_whole(k, a, tag, true));
	return hf_aead_settle(a, tag, true);
}

static hf_err open_raw(const struct hf_gcm_key *k, const struct hf_aead *a)
{
	uint8_t tag[HF_GCM_TAG_LEN];

	HF_TRY(run_whole(k, a, tag, false));
	return hf_aead_settle(a, tag, false);
}

hf_err hf_gcm_seal(const struct hf_gcm_key *k, const struct hf_aead *a)
{
	HF_TRY(hf_module_check());
	return seal_raw(k, a);
}

hf_err hf_gcm_open(const struct hf_gcm_key *k, const struct hf_aead *a)
{
	HF_TRY(hf_module_check());
	return open_raw(k, a);
}

enum {
	BATCH_BLOCKS = 64, /* of key stream made at once */
};

/* Short messages of a batch with one key, whose key stream is made at once. */
struct shared {
	struct hf_gcm_job *jobs[BATCH_BLOCKS];
	size_t n_jobs;
	uint8_t stream[BATCH_BLOCKS * 16];
	size_t at[BATCH_BLOCKS]; /* where the stream of a job begins */
	size_t n_blocks;
};

static void run_shared(struct shared *s, bool seal)
{
	const struct hf_gcm_key *k;
	uint8_t tag[HF_GCM_TAG_LEN];

	if (s->n_jobs == 0)
		return;
	k = s->jobs[0]->key;
	hf_module()->sm4->ecb(k->sm4.rk, s->stream, s->stream, s->n_blocks);
	for (size_t i = 0; i < s->n_jobs; i++) {
		const struct hf_aead *a = &s->jobs[i]->a;

		hf_gcm_short_finish(k, a, s->stream + s->at[i], tag, seal);
		s->jobs[i]->result = hf_aead_settle(a, tag, seal);
	}
	s->n_jobs = 0;
	s->n_blocks = 0;
}

static void add_shared(struct shared *s, struct hf_gcm_job *job, bool seal)
{
	size_t n = 2 + job->a.in_len / 16; /* or one more than it has */

	if (s->n_jobs > 0 && (s->jobs[0]->key != job->key || s->n_blocks + n > BATCH_BLOCKS))
		run_shared(s, seal);
	s->jobs[s->n_jobs] = job;
	s->at[s->n_jobs++] = 16 * s->n_blocks;
	s->n_blocks += hf_gcm_short_counters(s->stream + 16 * s->n_blocks, &job->a);
}

/* Short messages share their key stream; the kernels are wide enough within a long one. */
static hf_err run_batch(struct hf_gcm_job *jobs, size_t n, bool seal)
{
	struct shared s = { .n_jobs = 0 };
	hf_err first = hf_module_check();

	if (first != HF_OK) {
		for (size_t i = 0; i < n; i++)
			jobs[i].result = first;
		return first;
	}
	for (size_t i = 0; i < n; i++) {
		jobs[i].result = check_lengths(&jobs[i].a);
		if (jobs[i].result != HF_OK)
			continue;
		if (hf_gcm_is_short(&jobs[i].a))
			add_shared(&s, &jobs[i], seal);
		else
			jobs[i].result = (seal ? seal_raw : open_raw)(jobs[i].key, &jobs[i].a);
	}
	run_shared(&s, seal);
	hf_wipe(s.stream, sizeof(s.stream));
	for (size_t i = 0; i < n && first == HF_OK; i++)
		first = jobs[i].result;
	return first;
}

hf_err hf_gcm_seal_batch(struct hf_gcm_job *jobs, size_t n)
{
	return run_batch(jobs, n, true);
}

hf_err hf_gcm_open_batch(struct hf_gcm_job *jobs, size_t n)
{
	return run_batch(jobs, n, false);
}

/* RFC 8998 A.1: sealed, opened, and refused with one bit of the tag changed. */
bool hf_gcm_selftest(void)
{
	static const struct hf_aead_answer want = {
		.end = { 0xb4, 0x02, 0x4a, 0x26, 0x91, 0x23, 0x3b, 0x8d },
		.tag = { 0x83, 0xde, 0x35, 0x41, 0xe4, 0xc2, 0xb5, 0x81, 0x77, 0xe0, 0x65, 0xa9,
			0xbf, 0x7b, 0x62, 0xec },
	};
	struct hf_aead_example x;
	struct hf_gcm_key k;
	bool ok;

	hf_aead_example_init(&x);
	init_raw(&k, hf_aead_example_key);
	ok = seal_raw(&k, &x.a) == HF_OK;
	ok &= hf_aead_example_is_sealed(&x, &want);
	x.a.in = x.text;
	ok &= open_raw(&k, &x.a) == HF_OK;
	ok &= hf_aead_example_is_opened(&x);
	x.tag[15] ^= 1;
	ok &= open_raw(&k, &x.a) == HF_ERR_AUTH;
	return ok;
}
