/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CTR_DRBG of SP 800-90A 10.2.1 with SM4: the state is a key and a counter V; every step encrypts
 * V + 1, V + 2 and takes the result, with what is mixed in, for the next key and counter.
 */
#include "crypto/ctr_drbg.h"

#include <stdbool.h>
#include <string.h>

#include "base/ct.h"
#include "base/endian.h"
#include "base/wipe.h"
#include "crypto/fault.h"
#include "crypto/modes/modes.h"
#include "crypto/module.h"
#include "crypto/selftest.h"
#include "crypto/sm4_mac.h"

enum {
	BLOCK = HF_SM4_BLOCK_LEN,
	SEED_LEN = HF_SM4_KEY_LEN + BLOCK,
};

/* V = V + 1 mod 2^128, without a branch on it. */
static void step(uint8_t v[BLOCK])
{
	uint64_t low = hf_get_be64(v + 8) + 1;
	uint64_t high = hf_get_be64(v) + (hf_ct_zero(low) & 1);

	hf_put_be64(v, high);
	hf_put_be64(v + 8, low);
}

/* E(V + 1), E(V + 2), ..., len bytes of whole blocks; V is left at the last one. */
static hf_err stream(struct hf_ctr_drbg *d, uint8_t *out, size_t len)
{
	struct hf_sm4_key k;
	hf_err e;

	for (size_t at = 0; at < len; at += BLOCK) {
		step(d->v);
		memcpy(out + at, d->v, BLOCK);
	}
	hf_sm4_init(&k, d->key);
	e = hf_sm4_ecb_encrypt(&k, out, out, len / BLOCK);
	hf_sm4_clear(&k);
	return e;
}

/* CTR_DRBG_Update, 10.2.1.2. */
static hf_err update(struct hf_ctr_drbg *d, const uint8_t provided[SEED_LEN])
{
	uint8_t temp[SEED_LEN];
	hf_err e = stream(d, temp, sizeof(temp));

	if (e == HF_OK) {
		hf_modes_xor(temp, temp, provided, sizeof(temp));
		memcpy(d->key, temp, sizeof(d->key));
		memcpy(d->v, temp + sizeof(d->key), sizeof(d->v));
	}
	hf_wipe(temp, sizeof(temp));
	return e;
}

/*
 * One block of Block_Cipher_df: BCC, 10.3.3, over a counter, the lengths and the inputs. The byte
 * 0x80 and the zeros behind them are padding method 2, so BCC is a CBC-MAC.
 */
static hf_err df_block(uint8_t out[BLOCK], const struct hf_sm4_mac_key *k, uint32_t i,
	const struct hf_bytes *in, size_t n)
{
	uint8_t head[BLOCK + 8] = { 0 };
	struct hf_sm4_mac m;
	uint32_t len = 0;
	hf_err e;

	for (size_t j = 0; j < n; j++)
		len += (uint32_t)in[j].len;
	hf_put_be32(head, i);
	hf_put_be32(head + BLOCK, len);
	hf_put_be32(head + BLOCK + 4, SEED_LEN);
	e = hf_sm4_mac_start(&m, k, 0);
	if (e == HF_OK)
		e = hf_sm4_mac_feed(&m, head, sizeof(head));
	for (size_t j = 0; j < n && e == HF_OK; j++)
		e = hf_sm4_mac_feed(&m, in[j].p, in[j].len);
	if (e == HF_OK)
		e = hf_sm4_mac_done(&m, out, BLOCK);
	hf_sm4_mac_end(&m);
	return e;
}

/* Block_Cipher_df, 10.3.2: n inputs, one after the other, to a seed. */
static hf_err derive(uint8_t seed[SEED_LEN], const struct hf_bytes *in, size_t n)
{
	uint8_t key[HF_SM4_KEY_LEN];
	uint8_t temp[SEED_LEN];
	struct hf_sm4_mac_key bcc = { 0 };
	struct hf_sm4_key k = { 0 };
	hf_err e;

	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	e = hf_sm4_mac_key_init(&bcc, HF_SM4_CBC_MAC, HF_SM4_PAD_BIT, key, sizeof(key));
	if (e == HF_OK)
		e = df_block(temp, &bcc, 0, in, n);
	if (e == HF_OK)
		e = df_block(temp + BLOCK, &bcc, 1, in, n);
	if (e == HF_OK) {
		hf_sm4_init(&k, temp);
		e = hf_sm4_ecb_encrypt(&k, seed, temp + BLOCK, 1);
	}
	if (e == HF_OK)
		e = hf_sm4_ecb_encrypt(&k, seed + BLOCK, seed, 1);
	hf_wipe(temp, sizeof(temp));
	hf_sm4_mac_key_clear(&bcc);
	hf_sm4_clear(&k);
	return e;
}

static bool is_too_long(size_t a, size_t b)
{
	return a > HF_CTR_DRBG_INPUT_MAX || b > HF_CTR_DRBG_INPUT_MAX;
}

static hf_err seed_with(struct hf_ctr_drbg *d, const struct hf_bytes *in, size_t n)
{
	uint8_t seed[SEED_LEN];
	hf_err e = derive(seed, in, n);

	if (e == HF_OK)
		e = update(d, seed);
	d->n_requests = e == HF_OK ? 1 : 0;
	hf_wipe(seed, sizeof(seed));
	return e;
}

hf_err hf_ctr_drbg_instantiate(struct hf_ctr_drbg *d, struct hf_bytes entropy,
	struct hf_bytes nonce, struct hf_bytes personal)
{
	const struct hf_bytes in[] = { entropy, nonce, personal };

	HF_TRY(hf_module_check());
	if (entropy.len < HF_CTR_DRBG_ENTROPY_MIN || nonce.len < HF_CTR_DRBG_NONCE_MIN ||
		is_too_long(entropy.len, nonce.len) || is_too_long(personal.len, 0))
		return HF_ERR_ARG;
	hf_ctr_drbg_clear(d);
	return seed_with(d, in, 3);
}

hf_err hf_ctr_drbg_reseed(
	struct hf_ctr_drbg *d, struct hf_bytes entropy, struct hf_bytes additional)
{
	const struct hf_bytes in[] = { entropy, additional };

	HF_TRY(hf_module_check());
	if (d->n_requests == 0)
		return HF_ERR_STATE;
	if (entropy.len < HF_CTR_DRBG_ENTROPY_MIN || is_too_long(entropy.len, additional.len))
		return HF_ERR_ARG;
	return seed_with(d, in, 2);
}

hf_err hf_ctr_drbg_generate(
	struct hf_ctr_drbg *d, uint8_t *out, size_t out_len, struct hf_bytes additional)
{
	uint8_t more[SEED_LEN] = { 0 };
	uint8_t block[BLOCK];
	hf_err e = HF_OK;

	HF_TRY(hf_module_check());
	if (out_len > HF_CTR_DRBG_OUT_MAX || is_too_long(additional.len, 0))
		return HF_ERR_ARG;
	if (d->n_requests == 0 || d->n_requests > HF_CTR_DRBG_REQUESTS_MAX)
		return HF_ERR_STATE;
	if (additional.len > 0)
		e = derive(more, &additional, 1);
	if (e == HF_OK && additional.len > 0)
		e = update(d, more);
	if (e == HF_OK)
		e = stream(d, block, out_len > 0 ? BLOCK : 0);
	HF_FAULT("sm4-ctr-drbg", block[0]);
	if (e == HF_OK)
		e = update(d, more);
	if (e == HF_OK && out_len > 0)
		memcpy(out, block, out_len);
	d->n_requests++;
	hf_wipe(block, sizeof(block));
	hf_wipe(more, sizeof(more));
	return e;
}

void hf_ctr_drbg_clear(struct hf_ctr_drbg *d)
{
	hf_wipe(d, sizeof(*d));
}

/* GM/T 0105-2021: seeded, reseeded, and the second block. */
bool hf_ctr_drbg_selftest(void)
{
	static const uint8_t entropy[] = { 0x2d, 0x4c, 0x9f, 0x46, 0xb9, 0x81, 0xc6, 0xa0, 0xb2,
		0xb5, 0xd8, 0xc6, 0x93, 0x91, 0xe5, 0x69, 0xff, 0x13, 0x85, 0x14, 0x37, 0xeb, 0xc0,
		0xfc, 0x00, 0xd6, 0x16, 0x34, 0x02, 0x52, 0xfe, 0xd5 };
	static const uint8_t nonce[] = { 0x0b, 0xf8, 0x14, 0xb4, 0x11, 0xf6, 0x5e, 0xc4, 0x86, 0x6b,
		0xe1, 0xab, 0xb5, 0x9d, 0x3c, 0x32 };
	static const uint8_t again[] = { 0x93, 0x50, 0x0f, 0xae, 0x4f, 0xa3, 0x2b, 0x86, 0x03, 0x3b,
		0x7a, 0x7b, 0xac, 0x9d, 0x37, 0xe7, 0x10, 0xdc, 0xc6, 0x7c, 0xa2, 0x66, 0xbc, 0x86,
		0x07, 0xd6, 0x65, 0x93, 0x77, 0x66, 0xd2, 0x07 };
	static const uint8_t want[BLOCK] = { 0xe7, 0x32, 0xa5, 0x24, 0xde, 0x8a, 0xd2, 0x39, 0xaa,
		0x29, 0x3a, 0xc8, 0xae, 0x58, 0x8f, 0x9d };
	const struct hf_bytes none = { NULL, 0 };
	struct hf_ctr_drbg d;
	uint8_t out[BLOCK] = { 0 };
	bool ok;

	ok = hf_ctr_drbg_instantiate(&d, (struct hf_bytes){ entropy, sizeof(entropy) },
		     (struct hf_bytes){ nonce, sizeof(nonce) }, none) == HF_OK;
	ok = ok && hf_ctr_drbg_reseed(&d, (struct hf_bytes){ again, sizeof(again) }, none) == HF_OK;
	ok = ok && hf_ctr_drbg_generate(&d, out, sizeof(out), none) == HF_OK;
	ok = ok && hf_ctr_drbg_generate(&d, out, sizeof(out), none) == HF_OK;
	return ok && hf_ct_eq(out, want, sizeof(want));
}
