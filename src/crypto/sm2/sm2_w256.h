/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 256-bit integers as four 64-bit limbs, the lowest first: what field (sm2_fp) and scalars (sm2_fn)
 * have in common. No branch and no address depends on a value.
 */
#ifndef HF_CRYPTO_SM2_SM2_W256_H
#define HF_CRYPTO_SM2_SM2_W256_H

#include <stdint.h>

#include "base/attr.h"
#include "base/ct.h"
#include "base/endian.h"

/* a + b + *carry; *carry is 0 or 1, before and after. */
static inline uint64_t hf_w_adc(uint64_t *carry, uint64_t a, uint64_t b)
{
	uint64_t sum;

	HF_ADD_CARRY(*carry, sum, a, b);
	return sum;
}

/* a - b - *borrow; *borrow is 0 or 1, before and after. */
static inline uint64_t hf_w_sbb(uint64_t *borrow, uint64_t a, uint64_t b)
{
	uint64_t difference;

	HF_SUB_BORROW(*borrow, difference, a, b);
	return difference;
}

/* The low word of acc + a * b + *high; *high becomes the high word. It cannot overflow. */
static inline uint64_t hf_w_mac(uint64_t *high, uint64_t acc, uint64_t a, uint64_t b)
{
	uint64_t low;

	HF_MUL_ADD(*high, low, a, b, acc, *high);
	return low;
}

/* r = a + b, returns the carry. r may be a or b, here and below. */
static inline uint64_t hf_w256_add(uint64_t r[4], const uint64_t a[4], const uint64_t b[4])
{
	uint64_t carry = 0;

	r[0] = hf_w_adc(&carry, a[0], b[0]);
	r[1] = hf_w_adc(&carry, a[1], b[1]);
	r[2] = hf_w_adc(&carry, a[2], b[2]);
	r[3] = hf_w_adc(&carry, a[3], b[3]);
	return carry;
}

/* r = a - b, returns the borrow. */
static inline uint64_t hf_w256_sub(uint64_t r[4], const uint64_t a[4], const uint64_t b[4])
{
	uint64_t borrow = 0;

	r[0] = hf_w_sbb(&borrow, a[0], b[0]);
	r[1] = hf_w_sbb(&borrow, a[1], b[1]);
	r[2] = hf_w_sbb(&borrow, a[2], b[2]);
	r[3] = hf_w_sbb(&borrow, a[3], b[3]);
	return borrow;
}

/* t[0..4] += a * b, for t[4] = 0 before. */
static inline void hf_w256_mac_row(uint64_t t[5], const uint64_t a[4], uint64_t b)
{
	uint64_t high = 0;

	t[0] = hf_w_mac(&high, t[0], a[0], b);
	t[1] = hf_w_mac(&high, t[1], a[1], b);
	t[2] = hf_w_mac(&high, t[2], a[2], b);
	t[3] = hf_w_mac(&high, t[3], a[3], b);
	t[4] = high;
}

/* r = a where m is set, else b. */
static inline void hf_w256_pick(
	uint64_t r[4], hf_ct_mask m, const uint64_t a[4], const uint64_t b[4])
{
	r[0] = hf_ct_pick(m, a[0], b[0]);
	r[1] = hf_ct_pick(m, a[1], b[1]);
	r[2] = hf_ct_pick(m, a[2], b[2]);
	r[3] = hf_ct_pick(m, a[3], b[3]);
}

static inline hf_ct_mask hf_w256_zero(const uint64_t a[4])
{
	return hf_ct_zero(a[0] | a[1] | a[2] | a[3]);
}

static inline hf_ct_mask hf_w256_same(const uint64_t a[4], const uint64_t b[4])
{
	return hf_ct_zero((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]));
}

static inline hf_ct_mask hf_w256_less(const uint64_t a[4], const uint64_t b[4])
{
	uint64_t t[4];

	return hf_ct_bit(hf_w256_sub(t, a, b));
}

/* From and to 32 bytes, the highest first. */
static inline void hf_w256_get(uint64_t r[4], const uint8_t bytes[32])
{
	for (int i = 0; i < 4; i++)
		r[i] = hf_get_be64(bytes + 24 - 8 * i);
}

static inline void hf_w256_put(uint8_t bytes[32], const uint64_t a[4])
{
	for (int i = 0; i < 4; i++)
		hf_put_be64(bytes + 24 - 8 * i, a[i]);
}

/* The n <= 8 bits of a from bit pos on; bits above 255 are 0. pos and n are public. */
static inline unsigned hf_w256_bits(const uint64_t a[4], unsigned pos, unsigned n)
{
	unsigned limb = pos / 64;
	unsigned shift = pos % 64;
	uint64_t v = limb < 4 ? a[limb] >> shift : 0;

	if (shift + n > 64 && limb < 3)
		v |= a[limb + 1] << (64 - shift);
	return (unsigned)(v & ((1u << n) - 1));
}

#endif
