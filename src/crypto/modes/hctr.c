/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HCTR. The message is its first block M and the rest N; T the tweak, E the cipher.
 *
 *   H(X) = (X_1 h^m + ... + X_m h) h + |X| h   in the field of GHASH: X padded with zeros to whole
 *                                              blocks, then a block with its length in bits
 *   Z1 = M ^ H(N || T)        S = Z1 ^ Z2       C = U || D
 *   Z2 = E(Z1)                D_i = N_i ^ E(S ^ i), i = 1, 2, ..., the last one cut short
 *   U  = Z2 ^ H(D || T)
 *
 * Decryption is the same with N and D, Z1 and Z2 in each other's place and E backwards once: S is a
 * sum of both, so the key stream is the same.
 */
#include "crypto/hctr.h"

#include <stdbool.h>
#include <string.h>

#include "base/ct.h"
#include "base/endian.h"
#include "base/wipe.h"
#include "crypto/fault.h"
#include "crypto/modes/ghash_kernel.h"
#include "crypto/modes/modes.h"
#include "crypto/module.h"
#include "crypto/selftest.h"
#include "crypto/sm4/sm4_kernel.h"

enum {
	BLOCK = HF_SM4_BLOCK_LEN,
	GROUP = HF_MODES_GROUP,
};

hf_err hf_hctr_init(struct hf_hctr_key *k, const uint8_t key[HF_SM4_KEY_LEN],
	const uint8_t hash_key[HF_SM4_KEY_LEN])
{
	HF_TRY(hf_module_check());
	hf_sm4_init(&k->k.sm4, key);
	hf_module()->ghash->init(&k->k, hash_key);
	return HF_OK;
}

void hf_hctr_clear(struct hf_hctr_key *k)
{
	hf_wipe(k, sizeof(*k));
}

/* y ^= H(rest || tweak) */
static void add_hash(const struct hf_hctr_key *k, uint8_t y[BLOCK], const uint8_t *rest, size_t len,
	const uint8_t tweak[HF_HCTR_TWEAK_LEN])
{
	const struct hf_ghash_kernel *ghash = hf_module()->ghash;
	size_t part = len % BLOCK;
	uint8_t end[3 * BLOCK] = { 0 }; /* part || tweak, padded; the length */
	uint8_t h[BLOCK] = { 0 };
	size_t end_len = part == 0 ? BLOCK : 2 * BLOCK;

	ghash->blocks(&k->k, h, rest, len / BLOCK);
	if (part > 0)
		memcpy(end, rest + len - part, part);
	memcpy(end + part, tweak, HF_HCTR_TWEAK_LEN);
	hf_put_be64(end + end_len + 8, ((uint64_t)len + HF_HCTR_TWEAK_LEN) * 8);
	ghash->blocks(&k->k, h, end, end_len / BLOCK + 1);
	hf_modes_xor(y, y, h, BLOCK);
	hf_wipe(end, sizeof(end));
	hf_wipe(h, sizeof(h));
}

/* out = in ^ E(s ^ 1) || E(s ^ 2) || ... */
static void add_stream(const struct hf_hctr_key *k, const uint8_t s[BLOCK], uint8_t *out,
	const uint8_t *in, size_t len)
{
	uint8_t y[GROUP * BLOCK];
	uint64_t low = hf_get_be64(s + 8);
	uint64_t i = 1;

	while (len > 0) {
		size_t n = len < sizeof(y) ? len : sizeof(y);
		size_t blocks = (n + BLOCK - 1) / BLOCK;

		for (size_t b = 0; b < blocks; b++, i++) {
			memcpy(y + b * BLOCK, s, 8);
			hf_put_be64(y + b * BLOCK + 8, low ^ i);
		}
		hf_module()->sm4->ecb(k->k.sm4.rk, y, y, blocks);
		hf_modes_xor(out, in, y, n);
		in += n;
		out += n;
		len -= n;
	}
	hf_wipe(y, sizeof(y));
}

static hf_err crypt(const struct hf_hctr_key *k, const uint8_t tweak[HF_HCTR_TWEAK_LEN],
	uint8_t *out, const uint8_t *in, size_t len, bool encrypt)
{
	uint8_t z1[BLOCK];
	uint8_t z2[BLOCK];
	uint8_t s[BLOCK];
	hf_err e;

	HF_TRY(hf_module_check());
	if (len < HF_HCTR_MESSAGE_MIN)
		return HF_ERR_ARG;
	if (len > HF_HCTR_MESSAGE_MAX)
		return HF_ERR_LIMIT;
	memcpy(z1, in, BLOCK);
	HF_FAULT("sm4-hctr", z1[0]);
	add_hash(k, z1, in + BLOCK, len - BLOCK, tweak);
	e = (encrypt ? hf_sm4_ecb_encrypt : hf_sm4_ecb_decrypt)(&k->k.sm4, z2, z1, 1);
	if (e != HF_OK)
		goto out;
	hf_modes_xor(s, z1, z2, BLOCK);
	add_stream(k, s, out + BLOCK, in + BLOCK, len - BLOCK);
	add_hash(k, z2, out + BLOCK, len - BLOCK, tweak);
	memcpy(out, z2, BLOCK);
out:
	hf_wipe(z1, sizeof(z1));
	hf_wipe(z2, sizeof(z2));
	hf_wipe(s, sizeof(s));
	return e;
}

hf_err hf_hctr_encrypt(const struct hf_hctr_key *k, const uint8_t tweak[HF_HCTR_TWEAK_LEN],
	uint8_t *out, const uint8_t *in, size_t len)
{
	return crypt(k, tweak, out, in, len, true);
}

hf_err hf_hctr_decrypt(const struct hf_hctr_key *k, const uint8_t tweak[HF_HCTR_TWEAK_LEN],
	uint8_t *out, const uint8_t *in, size_t len)
{
	return crypt(k, tweak, out, in, len, false);
}

/* GB/T 17964-2021 annex B, the example of four blocks: its first and last, and back. */
bool hf_hctr_selftest(void)
{
	static const uint8_t key[HF_SM4_KEY_LEN] = { 0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6,
		0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c };
	static const uint8_t text[64] = { 0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40, 0x9f, 0x96, 0xe9,
		0x3d, 0x7e, 0x11, 0x73, 0x93, 0x17, 0x2a, 0xae, 0x2d, 0x8a, 0x57, 0x1e, 0x03, 0xac,
		0x9c, 0x9e, 0xb7, 0x6f, 0xac, 0x45, 0xaf, 0x8e, 0x51, 0x30, 0xc8, 0x1c, 0x46, 0xa3,
		0x5c, 0xe4, 0x11, 0xe5, 0xfb, 0xc1, 0x19, 0x1a, 0x0a, 0x52, 0xef, 0xf6, 0x9f, 0x24,
		0x45, 0xdf, 0x4f, 0x9b, 0x17, 0xad, 0x2b, 0x41, 0x7b, 0xe6, 0x6c, 0x37, 0x10 };
	static const uint8_t first[BLOCK] = { 0x9c, 0xd7, 0x48, 0x1d, 0x3b, 0x7c, 0xa9, 0x04, 0xb1,
		0x4b, 0x40, 0x84, 0xd9, 0xd4, 0xc8, 0x3e };
	static const uint8_t last[BLOCK] = { 0x7d, 0xd8, 0x5c, 0x65, 0x2a, 0xfe, 0x16, 0xa4, 0x7d,
		0xc6, 0x8e, 0xb8, 0x84, 0x06, 0x8a, 0xe3 };
	uint8_t hash_key[HF_SM4_KEY_LEN];
	uint8_t tweak[HF_HCTR_TWEAK_LEN];
	uint8_t b[64];
	struct hf_hctr_key k;
	bool ok;

	for (size_t i = 0; i < BLOCK; i++) {
		hash_key[i] = (uint8_t)i;
		tweak[i] = (uint8_t)(0xf0 + i);
	}
	ok = hf_hctr_init(&k, key, hash_key) == HF_OK;
	ok = ok && hf_hctr_encrypt(&k, tweak, b, text, sizeof(b)) == HF_OK;
	ok = ok && hf_ct_eq(b, first, BLOCK) && hf_ct_eq(b + 48, last, BLOCK);
	ok = ok && hf_hctr_decrypt(&k, tweak, b, b, sizeof(b)) == HF_OK;
	return ok && hf_ct_eq(b, text, sizeof(b));
}
