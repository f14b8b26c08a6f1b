/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Field arithmetic of SM2 in plain C. p = -1 mod 2^64, so the Montgomery factor of each limb is the
 * limb itself, and m * p = m * (2^256 - 2^224 - 2^96 + 2^64 - 1) needs shifts only: the reduction
 * has no multiplication at all.
 */
#include "crypto/sm2/sm2_fp.h"

#include "base/wipe.h"
#include "crypto/sm2/sm2_inv.h"

const struct hf_fp hf_fp_one = { { 0x0000000000000001, 0x00000000ffffffff, 0x0000000000000000,
	0x0000000100000000 } };
/* b of GB/T 32918.5-2017 2, times 2^256. */
const struct hf_fp hf_fp_b = { { 0x90d230632bc0dd42, 0x71cf379ae9b537ab, 0x527981505ea51c3c,
	0x240fe188ba20e2c8 } };

/* 2^512 mod p: what carries a number into Montgomery's form. */
static const struct hf_fp fp_rr = { { 0x0000000200000003, 0x00000002ffffffff, 0x0000000100000001,
	0x0000000400000002 } };

/*
 * One step of the division by 2^64: adding m * p for m = w[0] clears that limb and leaves
 * (m << 192) - (m << 160) - (m << 32) + m above it. Four limbs hold it without overflow, since what
 * is added stays below 2^256 - 2^192.
 */
static inline void fp_reduce_step(uint64_t w[4])
{
	uint64_t m = w[0];
	uint64_t low = m << 32;
	uint64_t high = m >> 32;
	uint64_t carry = 0;
	uint64_t borrow = 0;

	w[0] = hf_w_adc(&carry, w[1], m);
	w[1] = hf_w_adc(&carry, w[2], 0);
	w[2] = hf_w_adc(&carry, w[3], 0);
	w[3] = m + carry;
	w[0] = hf_w_sbb(&borrow, w[0], low);
	w[1] = hf_w_sbb(&borrow, w[1], high);
	w[2] = hf_w_sbb(&borrow, w[2], low);
	w[3] = w[3] - high - borrow;
}

/* r = t / 2^256 mod p for t < p * 2^256: the lower half is divided, the upper half joins then. */
static inline void fp_reduce(uint64_t r[4], const uint64_t t[8])
{
	uint64_t w[4] = { t[0], t[1], t[2], t[3] };
	uint64_t carry;

	fp_reduce_step(w);
	fp_reduce_step(w);
	fp_reduce_step(w);
	fp_reduce_step(w);
	carry = hf_w256_add(w, w, t + 4);
	hf_fp_settle(r, carry, w);
}

void hf_fp_mul(struct hf_fp *r, const struct hf_fp *a, const struct hf_fp *b)
{
	uint64_t t[8] = { 0 };

	hf_w256_mac_row(t, a->v, b->v[0]);
	hf_w256_mac_row(t + 1, a->v, b->v[1]);
	hf_w256_mac_row(t + 2, a->v, b->v[2]);
	hf_w256_mac_row(t + 3, a->v, b->v[3]);
	fp_reduce(r->v, t);
}

/* t[0..1] = v * v + t[0..1] + *carry, which stays below 2^128. */
static inline void square_add(uint64_t t[2], uint64_t *carry, uint64_t v)
{
	uint64_t high = 0;
	uint64_t low = hf_w_mac(&high, 0, v, v);

	t[0] = hf_w_adc(carry, t[0], low);
	t[1] = hf_w_adc(carry, t[1], high);
}

/* The six mixed products once, doubled, and then the four squares. */
void hf_fp_sqr(struct hf_fp *r, const struct hf_fp *a)
{
	const uint64_t *v = a->v;
	uint64_t t[8] = { 0 };
	uint64_t high = 0;
	uint64_t carry = 0;

	t[1] = hf_w_mac(&high, 0, v[0], v[1]);
	t[2] = hf_w_mac(&high, 0, v[0], v[2]);
	t[3] = hf_w_mac(&high, 0, v[0], v[3]);
	t[4] = high;
	high = 0;
	t[3] = hf_w_mac(&high, t[3], v[1], v[2]);
	t[4] = hf_w_mac(&high, t[4], v[1], v[3]);
	t[5] = high;
	high = 0;
	t[5] = hf_w_mac(&high, t[5], v[2], v[3]);
	t[6] = high;

	t[7] = t[6] >> 63;
	t[6] = t[6] << 1 | t[5] >> 63;
	t[5] = t[5] << 1 | t[4] >> 63;
	t[4] = t[4] << 1 | t[3] >> 63;
	t[3] = t[3] << 1 | t[2] >> 63;
	t[2] = t[2] << 1 | t[1] >> 63;
	t[1] <<= 1;

	square_add(t, &carry, v[0]);
	square_add(t + 2, &carry, v[1]);
	square_add(t + 4, &carry, v[2]);
	square_add(t + 6, &carry, v[3]);
	fp_reduce(r->v, t);
}

void hf_fp_neg(struct hf_fp *r, const struct hf_fp *a)
{
	static const struct hf_fp zero = { { 0 } };

	hf_fp_sub(r, &zero, a);
}

/* r = a^(2^n) * b. */
static void fp_shift_mul(struct hf_fp *r, const struct hf_fp *a, unsigned n, const struct hf_fp *b)
{
	struct hf_fp t = *a;

	for (unsigned i = 0; i < n; i++)
		hf_fp_sqr(&t, &t);
	hf_fp_mul(r, &t, b);
}

/* a holds x 2^256; the factor 2^(50 + 768), in Montgomery's product, makes of 1 / (2^50 a) 2^256 /
 * x. */
void hf_fp_inv(struct hf_fp *r, const struct hf_fp *a)
{
	static const struct hf_inv_modulus p = { { HF_FP_P0, HF_FP_P1, HF_FP_P2, HF_FP_P3 }, 1 };
	static const struct hf_fp factor = { { 0x00580000006c0000, 0x004bffffffdc0000,
		0x00300000003c0000, 0x0090000000280000 } };
	struct hf_fp t;

	hf_inv(t.v, a->v, &p);
	hf_fp_mul(r, &t, &factor);
	hf_wipe(&t, sizeof(t));
}

/*
 * p = 3 mod 4: a^((p + 1) / 4); in binary 31 ones, 0, 128 ones, 31 zeros, 1, 62 zeros. Runs of
 * ones, a^(2^n - 1), are made of shorter ones.
 */
hf_ct_mask hf_fp_sqrt(struct hf_fp *r, const struct hf_fp *a)
{
	struct hf_fp n31;
	struct hf_fp t;
	struct hf_fp u;

	fp_shift_mul(&t, a, 1, a);    /* 2 */
	fp_shift_mul(&u, &t, 1, a);   /* 3 */
	fp_shift_mul(&t, &u, 3, &u);  /* 6 */
	fp_shift_mul(&t, &t, 6, &t);  /* 12 */
	fp_shift_mul(&t, &t, 3, &u);  /* 15 */
	fp_shift_mul(&t, &t, 15, &t); /* 30 */
	fp_shift_mul(&n31, &t, 1, a); /* 31 */
	fp_shift_mul(&t, &n31, 1, a); /* 32 */
	fp_shift_mul(&t, &t, 32, &t); /* 64 */
	fp_shift_mul(&t, &t, 64, &t); /* 128 */

	fp_shift_mul(&t, &n31, 129, &t);
	fp_shift_mul(&t, &t, 32, a);
	for (int i = 0; i < 62; i++)
		hf_fp_sqr(&t, &t);
	hf_fp_sqr(&u, &t);
	*r = t;
	return hf_fp_same(&u, a);
}

hf_ct_mask hf_fp_get(struct hf_fp *r, const uint8_t bytes[32])
{
	static const uint64_t p[4] = { HF_FP_P0, HF_FP_P1, HF_FP_P2, HF_FP_P3 };
	struct hf_fp t;
	hf_ct_mask ok;

	hf_w256_get(t.v, bytes);
	ok = hf_w256_less(t.v, p);
	hf_fp_mul(r, &t, &fp_rr);
	return ok;
}

void hf_fp_put(uint8_t bytes[32], const struct hf_fp *a)
{
	static const struct hf_fp plain_one = { { 1, 0, 0, 0 } };
	struct hf_fp t;

	hf_fp_mul(&t, a, &plain_one);
	hf_w256_put(bytes, t.v);
}
