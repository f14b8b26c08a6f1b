/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GCM of the chosen SM4 and GHASH kernels in turn: the kernel of processors that have none in one
 * piece. What costs most in a short message is the number of calls, so a short message is one call
 * of either: the counter blocks from J0 on make the key stream, and additional data, ciphertext and
 * lengths are hashed from one buffer.
 */
#include "crypto/modes/gcm_kernel.h"

#include <string.h>

#include "base/endian.h"
#include "base/wipe.h"
#include "crypto/module.h"

enum {
	BLOCK = HF_SM4_BLOCK_LEN,
	SEGMENT = 8192, /* bytes ciphered and hashed in turn, so that they are still in the L1 cache
			 */
};

static size_t padded(size_t len)
{
	return (len + BLOCK - 1) / BLOCK * BLOCK;
}

static void ghash_padded(
	const struct hf_gcm_key *k, uint8_t y[BLOCK], const uint8_t *in, size_t len)
{
	const struct hf_ghash_kernel *ghash = hf_module()->ghash;
	uint8_t last[BLOCK] = { 0 };

	ghash->blocks(k, y, in, len / BLOCK);
	if (len % BLOCK == 0)
		return;
	memcpy(last, in + (len - len % BLOCK), len % BLOCK);
	ghash->blocks(k, y, last, 1);
}

/* Most texts are whole words but for a few bytes. */
static void xor_bytes(uint8_t *out, const uint8_t *a, const uint8_t *b, size_t len)
{
	size_t i = 0;

	for (; i + 8 <= len; i += 8) {
		uint64_t x;
		uint64_t y;

		memcpy(&x, a + i, 8);
		memcpy(&y, b + i, 8);
		x ^= y;
		memcpy(out + i, &x, 8);
	}
	for (; i < len; i++)
		out[i] = (uint8_t)(a[i] ^ b[i]);
}

size_t hf_gcm_short_counters(uint8_t *stream, const struct hf_aead *a)
{
	size_t n = 1 + padded(a->in_len) / BLOCK;

	for (size_t i = 0; i < n; i++) {
		memcpy(stream + BLOCK * i, a->nonce, HF_GCM_NONCE_LEN);
		hf_put_be32(stream + BLOCK * i + HF_GCM_NONCE_LEN, (uint32_t)(i + 1));
	}
	return n;
}

void hf_gcm_short_finish(const struct hf_gcm_key *k, const struct hf_aead *a, const uint8_t *stream,
	uint8_t tag[HF_GCM_TAG_LEN], bool seal)
{
	uint8_t hashed[HF_GCM_SHORT_AAD + HF_GCM_SHORT_LEN + BLOCK];
	size_t aad_len = padded(a->aad_len);
	size_t end = aad_len + padded(a->in_len);
	uint8_t *text = hashed + aad_len;

	if (a->aad_len > 0)
		memcpy(hashed, a->aad, a->aad_len);
	memset(hashed + a->aad_len, 0, aad_len - a->aad_len);
	memset(text + a->in_len, 0, end - aad_len - a->in_len);
	if (!seal && a->in_len > 0)
		memcpy(text, a->in, a->in_len);
	xor_bytes(a->out, a->in, stream + BLOCK, a->in_len);
	if (seal && a->in_len > 0)
		memcpy(text, a->out, a->in_len);
	hf_put_be64(hashed + end, (uint64_t)a->aad_len * 8);
	hf_put_be64(hashed + end + 8, (uint64_t)a->in_len * 8);
	memset(tag, 0, HF_GCM_TAG_LEN);
	hf_module()->ghash->blocks(k, tag, hashed, end / BLOCK + 1);
	xor_bytes(tag, tag, stream, HF_GCM_TAG_LEN);
}

static void blocks_parts(const struct hf_gcm_key *k, uint8_t counter[BLOCK], uint8_t hash[BLOCK],
	uint8_t *out, const uint8_t *in, size_t n_blocks, bool seal)
{
	const struct hf_module *m = hf_module();

	while (n_blocks > 0) {
		size_t n = n_blocks < SEGMENT / BLOCK ? n_blocks : SEGMENT / BLOCK;

		if (!seal)
			m->ghash->blocks(k, hash, in, n);
		m->sm4->ctr32(k->sm4.rk, counter, out, in, n);
		if (seal)
			m->ghash->blocks(k, hash, out, n);
		out += BLOCK * n;
		in += BLOCK * n;
		n_blocks -= n;
	}
}

/* The last part of a block, if there is one. */
static void last_part(const struct hf_gcm_key *k, uint8_t counter[BLOCK], uint8_t hash[BLOCK],
	const struct hf_aead *a, bool seal)
{
	size_t len = a->in_len % BLOCK;
	size_t at = a->in_len - len;
	uint8_t stream[BLOCK] = { 0 };

	if (len == 0)
		return;
	hf_module()->sm4->ctr32(k->sm4.rk, counter, stream, stream, 1);
	if (!seal)
		ghash_padded(k, hash, a->in + at, len);
	xor_bytes(a->out + at, a->in + at, stream, len);
	if (seal)
		ghash_padded(k, hash, a->out + at, len);
	hf_wipe(stream, sizeof(stream));
}

static void message_long(
	const struct hf_gcm_key *k, const struct hf_aead *a, uint8_t tag[HF_GCM_TAG_LEN], bool seal)
{
	uint8_t counter[BLOCK] = { [15] = 1 };
	uint8_t lengths[BLOCK];
	uint8_t mask[BLOCK] = { 0 };

	memcpy(counter, a->nonce, HF_GCM_NONCE_LEN);
	hf_module()->sm4->ctr32(k->sm4.rk, counter, mask, mask, 1);
	memset(tag, 0, HF_GCM_TAG_LEN);
	ghash_padded(k, tag, a->aad, a->aad_len);
	blocks_parts(k, counter, tag, a->out, a->in, a->in_len / BLOCK, seal);
	last_part(k, counter, tag, a, seal);
	hf_put_be64(lengths, (uint64_t)a->aad_len * 8);
	hf_put_be64(lengths + 8, (uint64_t)a->in_len * 8);
	hf_module()->ghash->blocks(k, tag, lengths, 1);
	xor_bytes(tag, tag, mask, HF_GCM_TAG_LEN);
	hf_wipe(mask, sizeof(mask));
}

static void message_parts(
	const struct hf_gcm_key *k, const struct hf_aead *a, uint8_t tag[HF_GCM_TAG_LEN], bool seal)
{
	uint8_t stream[BLOCK + HF_GCM_SHORT_LEN];
	size_t n;

	if (!hf_gcm_is_short(a)) {
		message_long(k, a, tag, seal);
		return;
	}
	n = hf_gcm_short_counters(stream, a);
	hf_module()->sm4->ecb(k->sm4.rk, stream, stream, n);
	hf_gcm_short_finish(k, a, stream, tag, seal);
	hf_wipe(stream, n * BLOCK);
}

static void init_parts(struct hf_gcm_key *k)
{
	(void)k;
}

const struct hf_gcm_kernel hf_gcm_kernel_parts = {
	.name = "parts",
	.needs = 0,
	.sm4 = NULL,
	.ghash = NULL,
	.init = init_parts,
	.blocks = blocks_parts,
	.message = message_parts,
};
