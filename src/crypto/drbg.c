/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM3 Hash_DRBG, GM/T 0105-2021 B.1: SP 800-90A 10.1.1 with SM3 and seedlen 440, but reseeding from
 * 01 || entropy || V || additional, and one hash block a generate call.
 */
#include "crypto/drbg.h"

#include <stdbool.h>
#include <string.h>

#include "base/ct.h"
#include "base/endian.h"
#include "base/wipe.h"
#include "crypto/fault.h"
#include "crypto/module.h"
#include "crypto/selftest.h"
#include "crypto/sm3.h"

enum {
	/* Bytes of one seed. At the 4 bits a byte that are claimed of the source (health.h) the
	 * entropy input has 256 bits, twice the security strength, and the nonce half of it. */
	ENTROPY_LEN = 64,
	NONCE_LEN = 16,
	DRAW_LEN = ENTROPY_LEN + NONCE_LEN,
	STARTUP_DRAW = 256, /* bytes that are tested at once at the start */
	SEED_BITS = 8 * HF_DRBG_SEED_LEN,
};

struct piece {
	const void *p;
	size_t len;
};

/* Hash_df, SP 800-90A 10.3.1: SM3(counter || 440 || pieces) until 55 bytes are there. */
static void hash_df(uint8_t out[HF_DRBG_SEED_LEN], const struct piece *pieces, size_t n)
{
	uint8_t block[HF_SM3_LEN];
	uint8_t head[5];

	hf_put_be32(head + 1, SEED_BITS);
	for (size_t at = 0; at < HF_DRBG_SEED_LEN; at += HF_SM3_LEN) {
		size_t take =
			HF_DRBG_SEED_LEN - at < HF_SM3_LEN ? HF_DRBG_SEED_LEN - at : HF_SM3_LEN;
		struct hf_sm3 s;

		head[0] = (uint8_t)(at / HF_SM3_LEN + 1);
		hf_sm3_init(&s);
		hf_sm3_feed(&s, head, sizeof(head));
		for (size_t i = 0; i < n; i++)
			hf_sm3_feed(&s, pieces[i].p, pieces[i].len);
		hf_sm3_done(&s, block);
		memcpy(out + at, block, take);
	}
	hf_wipe(block, sizeof(block));
}

/* v = v + add mod 2^440, big-endian, without a branch on either. */
static void add_to(uint8_t v[HF_DRBG_SEED_LEN], const uint8_t *add, size_t add_len)
{
	unsigned carry = 0;

	for (size_t i = 0; i < HF_DRBG_SEED_LEN; i++) {
		size_t at = HF_DRBG_SEED_LEN - 1 - i;
		unsigned sum = v[at] + carry;

		if (i < add_len)
			sum += add[add_len - 1 - i];
		v[at] = (uint8_t)sum;
		carry = sum >> 8;
	}
}

/* C = Hash_df(00 || V); the count starts over. */
static void finish_seed(struct hf_drbg *d)
{
	static const uint8_t label = 0x00;
	const struct piece pieces[] = { { &label, 1 }, { d->v, sizeof(d->v) } };

	hash_df(d->c, pieces, 2);
	d->n_requests = 1;
	d->seeded_ms = d->now_ms == NULL ? 0 : d->now_ms(d->now_ctx);
}

static bool is_too_long(size_t a, size_t b, size_t c)
{
	return a > HF_DRBG_INPUT_MAX || b > HF_DRBG_INPUT_MAX || c > HF_DRBG_INPUT_MAX;
}

hf_err hf_drbg_instantiate(struct hf_drbg *d, const uint8_t *entropy, size_t entropy_len,
	const uint8_t *nonce, size_t nonce_len, const uint8_t *personal, size_t personal_len)
{
	const struct piece pieces[] = { { entropy, entropy_len }, { nonce, nonce_len },
		{ personal, personal_len } };

	HF_TRY(hf_module_check());
	if (entropy_len < HF_DRBG_ENTROPY_MIN || nonce_len < NONCE_LEN ||
		is_too_long(entropy_len, nonce_len, personal_len))
		return HF_ERR_ARG;
	hash_df(d->v, pieces, 3);
	finish_seed(d);
	return HF_OK;
}

hf_err hf_drbg_reseed(struct hf_drbg *d, const uint8_t *entropy, size_t entropy_len,
	const uint8_t *additional, size_t additional_len)
{
	static const uint8_t label = 0x01;
	uint8_t v[HF_DRBG_SEED_LEN];
	const struct piece pieces[] = { { &label, 1 }, { entropy, entropy_len }, { v, sizeof(v) },
		{ additional, additional_len } };

	HF_TRY(hf_module_check());
	if (d->n_requests == 0)
		return HF_ERR_STATE;
	if (entropy_len < HF_DRBG_ENTROPY_MIN || is_too_long(entropy_len, additional_len, 0))
		return HF_ERR_ARG;
	memcpy(v, d->v, sizeof(v));
	hash_df(d->v, pieces, 4);
	finish_seed(d);
	hf_wipe(v, sizeof(v));
	return HF_OK;
}

static bool is_reseed_due(const struct hf_drbg *d)
{
	/* GM/T 0105-2021, level 1. */
	if (d->n_requests > HF_DRBG_REQUESTS_MAX)
		return true;
	return d->now_ms != NULL && d->now_ms(d->now_ctx) - d->seeded_ms > HF_DRBG_RESEED_MS;
}

/* SM3(label || V || in) */
static void hash_v(uint8_t out[HF_SM3_LEN], const struct hf_drbg *d, uint8_t label,
	const uint8_t *in, size_t len)
{
	struct hf_sm3 s;

	hf_sm3_init(&s);
	hf_sm3_feed(&s, &label, 1);
	hf_sm3_feed(&s, d->v, sizeof(d->v));
	hf_sm3_feed(&s, in, len);
	hf_sm3_done(&s, out);
}

hf_err hf_drbg_generate(struct hf_drbg *d, uint8_t *out, size_t out_len, const uint8_t *additional,
	size_t additional_len)
{
	uint8_t block[HF_SM3_LEN];
	uint8_t count[8];

	HF_TRY(hf_module_check());
	if (out_len > HF_DRBG_OUT_MAX || additional_len > HF_DRBG_INPUT_MAX)
		return HF_ERR_ARG;
	if (d->n_requests == 0 || is_reseed_due(d))
		return HF_ERR_STATE;
	if (additional_len > 0) {
		hash_v(block, d, 0x02, additional, additional_len);
		add_to(d->v, block, sizeof(block));
	}
	hf_sm3(block, d->v, sizeof(d->v));
	HF_FAULT("sm3-drbg", block[0]);
	memcpy(out, block, out_len);

	hash_v(block, d, 0x03, NULL, 0);
	add_to(d->v, block, sizeof(block));
	add_to(d->v, d->c, sizeof(d->c));
	hf_put_be64(count, d->n_requests);
	add_to(d->v, count, sizeof(count));
	d->n_requests++;
	hf_wipe(block, sizeof(block));
	return hf_module_check_out(out, out_len);
}

/* Entropy that has passed the health tests. */
static hf_err draw(struct hf_drbg *d, uint8_t *out, size_t len)
{
	hf_err e = hf_rng_fill(&d->entropy, out, len);

	if (e == HF_OK)
		e = hf_health_feed(&d->health, out, len);
	return e == HF_OK ? HF_OK : HF_ERR_ENTROPY;
}

/* SP 800-90B 4.3: the source is tested before anything of it is used; these samples are not. */
static hf_err test_source(struct hf_drbg *d)
{
	uint8_t samples[STARTUP_DRAW];
	hf_err e = HF_OK;

	for (size_t n = 0; e == HF_OK && n < HF_HEALTH_STARTUP; n += sizeof(samples))
		e = draw(d, samples, sizeof(samples));
	hf_wipe(samples, sizeof(samples));
	return e;
}

/* A seed, with the continuous test of GM/T 0103: two blocks in a row must differ. */
static hf_err draw_seed(struct hf_drbg *d, uint8_t out[DRAW_LEN])
{
	uint8_t before[DRAW_LEN];
	hf_err e = draw(d, before, sizeof(before));
	bool repeats = false;

	if (e == HF_OK)
		e = draw(d, out, sizeof(before));
	if (e == HF_OK)
		repeats = hf_ct_eq(before, out, sizeof(before));
	HF_FAULT("entropy continuous", repeats);
	if (e == HF_OK && repeats) {
		(void)hf_module_fail("entropy continuous");
		e = HF_ERR_ENTROPY;
	}
	hf_wipe(before, sizeof(before));
	return e;
}

hf_err hf_drbg_init(struct hf_drbg *d, const struct hf_rng *entropy, uint64_t (*now_ms)(void *ctx),
	void *now_ctx, const void *personal, size_t personal_len)
{
	uint8_t seed[DRAW_LEN];
	hf_err e;

	memset(d, 0, sizeof(*d));
	d->entropy = *entropy;
	d->now_ms = now_ms;
	d->now_ctx = now_ctx;
	e = hf_module_check();
	if (e == HF_OK)
		e = test_source(d);
	if (e == HF_OK)
		e = draw_seed(d, seed);
	if (e == HF_OK)
		e = hf_drbg_instantiate(d, seed, ENTROPY_LEN, seed + ENTROPY_LEN, NONCE_LEN,
			personal, personal_len);
	hf_wipe(seed, sizeof(seed));
	if (e != HF_OK)
		hf_drbg_clear(d);
	return e;
}

static hf_err reseed(struct hf_drbg *d)
{
	uint8_t seed[DRAW_LEN];
	hf_err e;

	if (d->entropy.fill == NULL)
		return HF_ERR_STATE;
	e = draw_seed(d, seed);
	if (e == HF_OK)
		e = hf_drbg_reseed(d, seed, sizeof(seed), NULL, 0);
	hf_wipe(seed, sizeof(seed));
	return e;
}

hf_err hf_drbg_fill(struct hf_drbg *d, uint8_t *out, size_t out_len)
{
	hf_err e = HF_OK;

	for (size_t at = 0; e == HF_OK && at < out_len;) {
		size_t n = out_len - at < HF_DRBG_OUT_MAX ? out_len - at : HF_DRBG_OUT_MAX;

		if (is_reseed_due(d))
			e = reseed(d);
		if (e == HF_OK)
			e = hf_drbg_generate(d, out + at, n, NULL, 0);
		at += n;
	}
	if (e != HF_OK)
		hf_wipe(out, out_len);
	return e;
}

static hf_err rng_fill(void *ctx, uint8_t *out, size_t len)
{
	return hf_drbg_fill(ctx, out, len);
}

struct hf_rng hf_drbg_rng(struct hf_drbg *d)
{
	return (struct hf_rng){ .fill = rng_fill, .ctx = d };
}

void hf_drbg_clear(struct hf_drbg *d)
{
	hf_wipe(d, sizeof(*d));
}

/* What must be refused: short entropy, a request when a reseed is due, any after the end. */
static bool refuses_misuse(struct hf_drbg *d)
{
	static const uint8_t zeros[HF_DRBG_SEED_LEN];
	uint8_t out[HF_DRBG_OUT_MAX];

	if (hf_drbg_reseed(d, zeros, HF_DRBG_ENTROPY_MIN - 1, NULL, 0) != HF_ERR_ARG)
		return false;
	d->n_requests = HF_DRBG_REQUESTS_MAX + 1;
	if (hf_drbg_generate(d, out, sizeof(out), NULL, 0) != HF_ERR_STATE)
		return false;
	hf_drbg_clear(d);
	return hf_drbg_generate(d, out, sizeof(out), NULL, 0) == HF_ERR_STATE &&
	       memcmp(d->v, zeros, sizeof(zeros)) == 0 && memcmp(d->c, zeros, sizeof(zeros)) == 0;
}

/*
 * SP 800-90A 11.3: instantiate, reseed, generate twice, which is the case sm3-hash-gm-1 of
 * tests/vectors/drbg.txt, and what must be refused.
 */
bool hf_drbg_selftest(void)
{
	static const uint8_t entropy[32] = { 0x63, 0x36, 0x33, 0x77, 0xe4, 0x1e, 0x86, 0x46, 0x8d,
		0xeb, 0x0a, 0xb4, 0xa8, 0xed, 0x68, 0x3f, 0x6a, 0x13, 0x4e, 0x47, 0xe0, 0x14, 0xc7,
		0x00, 0x45, 0x4e, 0x81, 0xe9, 0x53, 0x58, 0xa5, 0x69 };
	static const uint8_t nonce[16] = { 0x80, 0x8a, 0xa3, 0x8f, 0x2a, 0x72, 0xa6, 0x23, 0x59,
		0x91, 0x5a, 0x9f, 0x8a, 0x04, 0xca, 0x68 };
	static const uint8_t again[32] = { 0xe6, 0x2b, 0x8a, 0x8e, 0xe8, 0xf1, 0x41, 0xb6, 0x98,
		0x05, 0x66, 0xe3, 0xbf, 0xe3, 0xc0, 0x49, 0x03, 0xda, 0xd4, 0xac, 0x2c, 0xdf, 0x9f,
		0x22, 0x80, 0x01, 0x0a, 0x67, 0x39, 0xbc, 0x83, 0xd3 };
	static const uint8_t want[32] = { 0x00, 0xd9, 0x8d, 0x35, 0xa2, 0xfa, 0xb8, 0xdf, 0x23,
		0xe9, 0xe1, 0xfb, 0x9a, 0xad, 0x14, 0x3d, 0x62, 0xc0, 0x75, 0x9e, 0xb7, 0x9e, 0x15,
		0xc3, 0x7e, 0x8f, 0x2b, 0xc5, 0x06, 0x4e, 0x68, 0xda };
	struct hf_drbg d = { .n_requests = 0 };
	uint8_t out[32];
	bool is_good;

	is_good = hf_drbg_instantiate(&d, entropy, 32, nonce, 16, NULL, 0) == HF_OK &&
		  hf_drbg_reseed(&d, again, 32, NULL, 0) == HF_OK &&
		  hf_drbg_generate(&d, out, 32, NULL, 0) == HF_OK &&
		  hf_drbg_generate(&d, out, 32, NULL, 0) == HF_OK &&
		  memcmp(out, want, sizeof(out)) == 0 && refuses_misuse(&d);
	hf_drbg_clear(&d);
	return is_good;
}
