/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The field of SM2, GB/T 32918.5-2017 2: integers modulo p = 2^256 - 2^224 - 2^96 + 2^64 - 1.
 * An element is kept as a * 2^256 mod p (Montgomery's form), fully reduced, so that equal elements
 * have equal limbs. Everything here takes the same time for all values.
 */
#ifndef HF_CRYPTO_SM2_SM2_FP_H
#define HF_CRYPTO_SM2_SM2_FP_H

#include <stddef.h>
#include <stdint.h>

#include "base/ct.h"
#include "crypto/sm2/sm2_w256.h"

struct hf_fp {
	uint64_t v[4];
};

/* clang-format off */
#define HF_FP_P0 UINT64_C(0xffffffffffffffff)
#define HF_FP_P1 UINT64_C(0xffffffff00000000)
#define HF_FP_P2 UINT64_C(0xffffffffffffffff)
#define HF_FP_P3 UINT64_C(0xfffffffeffffffff)
/* clang-format on */

extern const struct hf_fp hf_fp_one; /* 1 */
extern const struct hf_fp hf_fp_b;   /* the curve's b */

/* r = a + carry * 2^256 - p if that is not negative, else a. Needs a + carry * 2^256 < 2 p. */
static inline void hf_fp_settle(uint64_t r[4], uint64_t carry, const uint64_t a[4])
{
	static const uint64_t p[4] = { HF_FP_P0, HF_FP_P1, HF_FP_P2, HF_FP_P3 };
	uint64_t t[4];
	uint64_t borrow = hf_w256_sub(t, a, p);

	hf_w256_pick(r, hf_ct_bit(borrow & ~carry), a, t);
}

/* r = a + b. r may be a or b, in all functions of this header. */
static inline void hf_fp_add(struct hf_fp *r, const struct hf_fp *a, const struct hf_fp *b)
{
	uint64_t t[4];
	uint64_t carry = hf_w256_add(t, a->v, b->v);

	hf_fp_settle(r->v, carry, t);
}

/* r = a - b. */
static inline void hf_fp_sub(struct hf_fp *r, const struct hf_fp *a, const struct hf_fp *b)
{
	uint64_t t[4];
	hf_ct_mask m = hf_ct_bit(hf_w256_sub(t, a->v, b->v));
	const uint64_t back[4] = { m, HF_FP_P1 & m, m, HF_FP_P3 & m };

	(void)hf_w256_add(r->v, t, back);
}

/* r = a / 2: half of a or of a + p, whichever is even. */
static inline void hf_fp_half(struct hf_fp *r, const struct hf_fp *a)
{
	hf_ct_mask m = hf_ct_bit(a->v[0]);
	const uint64_t odd[4] = { m, HF_FP_P1 & m, m, HF_FP_P3 & m };
	uint64_t t[4];
	uint64_t top = hf_w256_add(t, a->v, odd);

	r->v[0] = t[0] >> 1 | t[1] << 63;
	r->v[1] = t[1] >> 1 | t[2] << 63;
	r->v[2] = t[2] >> 1 | t[3] << 63;
	r->v[3] = t[3] >> 1 | top << 63;
}

/* r = a where m is set, else b. */
static inline void hf_fp_pick(
	struct hf_fp *r, hf_ct_mask m, const struct hf_fp *a, const struct hf_fp *b)
{
	hf_w256_pick(r->v, m, a->v, b->v);
}

static inline hf_ct_mask hf_fp_zero(const struct hf_fp *a)
{
	return hf_w256_zero(a->v);
}

static inline hf_ct_mask hf_fp_same(const struct hf_fp *a, const struct hf_fp *b)
{
	return hf_w256_same(a->v, b->v);
}

/* r = a * b and r = a * a. */
void hf_fp_mul(struct hf_fp *r, const struct hf_fp *a, const struct hf_fp *b);
void hf_fp_sqr(struct hf_fp *r, const struct hf_fp *a);

/* r = -a. */
void hf_fp_neg(struct hf_fp *r, const struct hf_fp *a);

/* r = 1 / a; 0 gives 0. */
void hf_fp_inv(struct hf_fp *r, const struct hf_fp *a);

/* r with r * r = a. The mask is clear, and r means nothing, if a is no square. */
hf_ct_mask hf_fp_sqrt(struct hf_fp *r, const struct hf_fp *a);

/* From 32 bytes, the highest first. The mask is clear if they are p or more; r is then reduced. */
hf_ct_mask hf_fp_get(struct hf_fp *r, const uint8_t bytes[32]);
void hf_fp_put(uint8_t bytes[32], const struct hf_fp *a);

#endif
