/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arithmetic of SM2 on eight numbers at once with AVX-512 IFMA: place i of every register belongs
 * to number i. For the kernel in sm2_x86_ifma_avx512.c and sm2_point_x86_ifma_avx512.c.
 *
 * A number is five limbs of 52 bits, the lowest first: VPMADD52LUQ and VPMADD52HUQ add the lower
 * and upper 52 bits of a product of two limbs to a 64-bit sum, which has room for 2^12 of them.
 * They see the lower 52 bits of their factors only, so factors are carried: every limb below 2^52.
 *
 * Products are Montgomery's with R = 2^260: mul(a, b) = a b / R. R is 16 p (and 16 n) and a little,
 * so that numbers need not be reduced between products. "F(c)" below means: less than c p, carried.
 *   mul: F(a), F(b) -> F(1 + a b / 16), for a, b <= 16
 *   a sum of F(a) and F(b), carried: F(a + b)
 *   a - b, computed as a + c p - b with F(b) below c p, carried: F(a + c)
 *   fold: any sum or difference that is not negative and below 2^264 -> F(1.01)
 * The multiple of p in a difference is written so that no limb becomes negative.
 *
 * Reduction modulo p: p + 1 = 2^256 - 2^224 - 2^96 + 2^64 has no lowest limb, so that the factor m
 * of each step is the limb itself, and in limbs it is c1 at 1, -1 at 2 and c4 at 4, with
 * c1 = 2^52 - 2^44 + 2^12 and c4 = 2^48 - 2^16: m p clears the limb with four products. The
 * -1 may make a sum negative for a while: shifts there are arithmetic.
 *
 * Preconditions: HF_CPU_AVX512 and HF_CPU_AVX512_IFMA. Constant time: no branch, no address and no
 * instruction of variable time depends on a number; masks choose.
 */
#ifndef HF_CRYPTO_SM2_SM2_X86_IFMA_H
#define HF_CRYPTO_SM2_SM2_X86_IFMA_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum {
	HF_X8_LIMBS = 5,
	HF_X8_BITS = 52, /* of a limb */
};

/* Eight numbers. */
struct hf_x8 {
	__m512i v[HF_X8_LIMBS];
};

/* One number in limbs of 52 bits: constants. */
struct hf_x1 {
	uint64_t v[HF_X8_LIMBS];
};

/* clang-format off */
#define HF_X1_P   { { 0xfffffffffffff, 0xff00000000fff, 0xfffffffffffff, 0xfffffffffffff, 0x0fffffffeffff } }
#define HF_X1_N   { { 0xbf40939d54123, 0x6b21c6052b53b, 0xfffffff7203df, 0xfffffffffffff, 0x0fffffffeffff } }
/* 1 and b of the curve times R mod p; R^2 mod p; R^2 mod n. */
#define HF_X1_ONE { { 0x0000000000010, 0x0ffffffff0000, 0x0000000000000, 0x0000000000000, 0x0000000100000 } }
#define HF_X1_B   { { 0x30632bc0dd422, 0xb09b537ab70d2, 0xa51c3c71cf379, 0x2c8527981505e, 0x040fe188da20e } }
#define HF_X1_RRP { { 0x0020000000300, 0xffffffff00000, 0x0000100000002, 0x0200000001000, 0x0000004000000 } }
#define HF_X1_RRN { { 0xc16674a517de6, 0x507a6e5f7c418, 0xfe0d44507dc1c, 0x3b620fc84c3af, 0x0b5e412c02b3d } }
/* 2 p, 4 p, 8 p, 16 p with 2^56 more in the lower limbs, taken from the next ones. */
#define HF_X1_2P  { { 0x10ffffffffffffe, 0x10fe00000001fef, 0x10fffffffffffef, 0x10fffffffffffef, 0x01fffffffdffef } }
#define HF_X1_4P  { { 0x10ffffffffffffc, 0x10fc00000003fef, 0x10fffffffffffef, 0x10fffffffffffef, 0x03fffffffbffef } }
#define HF_X1_8P  { { 0x10ffffffffffff8, 0x10f800000007fef, 0x10fffffffffffef, 0x10fffffffffffef, 0x07fffffff7ffef } }
#define HF_X1_16P { { 0x10ffffffffffff0, 0x10f00000000ffef, 0x10fffffffffffef, 0x10fffffffffffef, 0x0fffffffefffef } }
/* clang-format on */

static HF_ALWAYS_INLINE __m512i hf_x8_word(uint64_t w)
{
	return _mm512_set1_epi64((long long)w);
}

/* The same number in all places. */
static HF_ALWAYS_INLINE struct hf_x8 hf_x8_all(struct hf_x1 a)
{
	struct hf_x8 r;

	HF_UNROLL
	for (size_t i = 0; i < HF_X8_LIMBS; i++)
		r.v[i] = hf_x8_word(a.v[i]);
	return r;
}

/* Makes every limb less than 2^52, but for the highest. */
static HF_ALWAYS_INLINE struct hf_x8 hf_x8_carry(struct hf_x8 a)
{
	const __m512i low = hf_x8_word((UINT64_C(1) << HF_X8_BITS) - 1);

	HF_UNROLL
	for (size_t i = 0; i < HF_X8_LIMBS - 1; i++) {
		a.v[i + 1] = _mm512_add_epi64(a.v[i + 1], _mm512_srai_epi64(a.v[i], HF_X8_BITS));
		a.v[i] = _mm512_and_si512(a.v[i], low);
	}
	return a;
}

/* Sums and differences limb by limb, not carried. */
static HF_ALWAYS_INLINE struct hf_x8 hf_x8_sum(struct hf_x8 a, struct hf_x8 b)
{
	HF_UNROLL
	for (size_t i = 0; i < HF_X8_LIMBS; i++)
		a.v[i] = _mm512_add_epi64(a.v[i], b.v[i]);
	return a;
}

static HF_ALWAYS_INLINE struct hf_x8 hf_x8_difference(struct hf_x8 a, struct hf_x8 b)
{
	HF_UNROLL
	for (size_t i = 0; i < HF_X8_LIMBS; i++)
		a.v[i] = _mm512_sub_epi64(a.v[i], b.v[i]);
	return a;
}

/* a where m is set, else b. */
static HF_ALWAYS_INLINE struct hf_x8 hf_x8_pick(__mmask8 m, struct hf_x8 a, struct hf_x8 b)
{
	HF_UNROLL
	for (size_t i = 0; i < HF_X8_LIMBS; i++)
		b.v[i] = _mm512_mask_mov_epi64(b.v[i], m, a.v[i]);
	return b;
}

/* Where carried numbers are 0, and where they are the same. */
static HF_ALWAYS_INLINE __mmask8 hf_x8_zero(struct hf_x8 a)
{
	__m512i any = a.v[0];

	HF_UNROLL
	for (size_t i = 1; i < HF_X8_LIMBS; i++)
		any = _mm512_or_si512(any, a.v[i]);
	return _mm512_testn_epi64_mask(any, any);
}

static HF_ALWAYS_INLINE __mmask8 hf_x8_same(struct hf_x8 a, struct hf_x8 b)
{
	HF_UNROLL
	for (size_t i = 0; i < HF_X8_LIMBS; i++)
		a.v[i] = _mm512_xor_si512(a.v[i], b.v[i]);
	return hf_x8_zero(a);
}

/* a - b and, through *less, where that is negative and means nothing. Both carried. */
static HF_ALWAYS_INLINE struct hf_x8 hf_x8_sub(__mmask8 *less, struct hf_x8 a, struct hf_x8 b)
{
	struct hf_x8 r = hf_x8_carry(hf_x8_difference(a, b));

	*less = _mm512_movepi64_mask(r.v[HF_X8_LIMBS - 1]);
	return r;
}

/* a - b where that is not negative, else a. Both carried. */
static HF_ALWAYS_INLINE struct hf_x8 hf_x8_settle(struct hf_x8 a, struct hf_x8 b)
{
	__mmask8 less;
	struct hf_x8 r = hf_x8_sub(&less, a, b);

	return hf_x8_pick(less, a, r);
}

/* The n <= 8 bits from bit pos on of carried numbers. pos and n are public. */
static HF_ALWAYS_INLINE __m512i hf_x8_bits(const struct hf_x8 *a, unsigned pos, unsigned n)
{
	unsigned limb = pos / HF_X8_BITS;
	unsigned shift = pos % HF_X8_BITS;
	__m512i v = _mm512_srlv_epi64(a->v[limb], hf_x8_word(shift));

	if (shift + n > HF_X8_BITS && limb + 1 < HF_X8_LIMBS)
		v = _mm512_or_si512(
			v, _mm512_sllv_epi64(a->v[limb + 1], hf_x8_word(HF_X8_BITS - shift)));
	return _mm512_and_si512(v, hf_x8_word((1u << n) - 1));
}

/* t = a b: lower halves at i + j, upper halves above. */
static HF_ALWAYS_INLINE void hf_x8_product(
	__m512i t[10], const struct hf_x8 *a, const struct hf_x8 *b)
{
	HF_UNROLL
	for (size_t i = 0; i < 10; i++)
		t[i] = _mm512_setzero_si512();
	HF_UNROLL
	for (size_t i = 0; i < HF_X8_LIMBS; i++) {
		HF_UNROLL
		for (size_t j = 0; j < HF_X8_LIMBS; j++) {
			t[i + j] = _mm512_madd52lo_epu64(t[i + j], a->v[i], b->v[j]);
			t[i + j + 1] = _mm512_madd52hi_epu64(t[i + j + 1], a->v[i], b->v[j]);
		}
	}
}

/* t = a a: the mixed products once, doubled, and then the squares. */
static HF_ALWAYS_INLINE void hf_x8_square(__m512i t[10], const struct hf_x8 *a)
{
	HF_UNROLL
	for (size_t i = 0; i < 10; i++)
		t[i] = _mm512_setzero_si512();
	HF_UNROLL
	for (size_t i = 0; i < HF_X8_LIMBS; i++) {
		HF_UNROLL
		for (size_t j = i + 1; j < HF_X8_LIMBS; j++) {
			t[i + j] = _mm512_madd52lo_epu64(t[i + j], a->v[i], a->v[j]);
			t[i + j + 1] = _mm512_madd52hi_epu64(t[i + j + 1], a->v[i], a->v[j]);
		}
	}
	HF_UNROLL
	for (size_t i = 1; i < 9; i++)
		t[i] = _mm512_add_epi64(t[i], t[i]);
	HF_UNROLL
	for (size_t i = 0; i < HF_X8_LIMBS; i++) {
		t[2 * i] = _mm512_madd52lo_epu64(t[2 * i], a->v[i], a->v[i]);
		t[2 * i + 1] = _mm512_madd52hi_epu64(t[2 * i + 1], a->v[i], a->v[i]);
	}
}

/* t / R mod p, carried. */
static HF_ALWAYS_INLINE struct hf_x8 hf_x8_reduce_p(__m512i t[10])
{
	const __m512i low = hf_x8_word((UINT64_C(1) << HF_X8_BITS) - 1);
	const __m512i c1 = hf_x8_word(0xff00000001000);
	const __m512i c4 = hf_x8_word(0xffffffff0000);
	struct hf_x8 r;

	HF_UNROLL
	for (size_t i = 0; i < HF_X8_LIMBS; i++) {
		__m512i m = t[i];

		t[i + 1] = _mm512_add_epi64(t[i + 1], _mm512_srai_epi64(m, HF_X8_BITS));
		t[i + 1] = _mm512_madd52lo_epu64(t[i + 1], m, c1);
		t[i + 2] = _mm512_sub_epi64(t[i + 2], _mm512_and_si512(m, low));
		t[i + 2] = _mm512_madd52hi_epu64(t[i + 2], m, c1);
		t[i + 4] = _mm512_madd52lo_epu64(t[i + 4], m, c4);
		t[i + 5] = _mm512_madd52hi_epu64(t[i + 5], m, c4);
	}
	HF_UNROLL
	for (size_t i = 0; i < HF_X8_LIMBS; i++)
		r.v[i] = t[HF_X8_LIMBS + i];
	return hf_x8_carry(r);
}

/* The same modulo n: the factor of a step is the limb times -1 / n. */
static HF_ALWAYS_INLINE struct hf_x8 hf_x8_reduce_n(__m512i t[10])
{
	static const struct hf_x1 modulus = HF_X1_N;
	const __m512i zero = _mm512_setzero_si512();
	const __m512i factor = hf_x8_word(0xf9e8872350975);
	struct hf_x8 n = hf_x8_all(modulus);
	struct hf_x8 r;

	HF_UNROLL
	for (size_t i = 0; i < HF_X8_LIMBS; i++) {
		__m512i m = _mm512_madd52lo_epu64(zero, t[i], factor);

		HF_UNROLL
		for (size_t j = 0; j < HF_X8_LIMBS; j++) {
			t[i + j] = _mm512_madd52lo_epu64(t[i + j], m, n.v[j]);
			t[i + j + 1] = _mm512_madd52hi_epu64(t[i + j + 1], m, n.v[j]);
		}
		t[i + 1] = _mm512_add_epi64(t[i + 1], _mm512_srli_epi64(t[i], HF_X8_BITS));
	}
	HF_UNROLL
	for (size_t i = 0; i < HF_X8_LIMBS; i++)
		r.v[i] = t[HF_X8_LIMBS + i];
	return hf_x8_carry(r);
}

static HF_ALWAYS_INLINE struct hf_x8 hf_fp8_mul(struct hf_x8 a, struct hf_x8 b)
{
	__m512i t[10];

	hf_x8_product(t, &a, &b);
	return hf_x8_reduce_p(t);
}

static HF_ALWAYS_INLINE struct hf_x8 hf_fp8_sqr(struct hf_x8 a)
{
	__m512i t[10];

	hf_x8_square(t, &a);
	return hf_x8_reduce_p(t);
}

static HF_ALWAYS_INLINE struct hf_x8 hf_fn8_mul(struct hf_x8 a, struct hf_x8 b)
{
	__m512i t[10];

	hf_x8_product(t, &a, &b);
	return hf_x8_reduce_n(t);
}

static HF_ALWAYS_INLINE struct hf_x8 hf_fn8_sqr(struct hf_x8 a)
{
	__m512i t[10];

	hf_x8_square(t, &a);
	return hf_x8_reduce_n(t);
}

/*
 * The bits q from 2^256 on are taken away and q (2^256 - p) = q (2^224 + 2^96 - 2^64 + 1) is added.
 * No limb may be negative.
 */
static HF_ALWAYS_INLINE struct hf_x8 hf_fp8_fold(struct hf_x8 a)
{
	__m512i q = _mm512_srli_epi64(a.v[4], 48);

	a.v[4] = _mm512_and_si512(a.v[4], hf_x8_word((UINT64_C(1) << 48) - 1));
	a.v[4] = _mm512_add_epi64(a.v[4], _mm512_slli_epi64(q, 16));
	a.v[1] = _mm512_add_epi64(a.v[1], _mm512_slli_epi64(q, 44));
	a.v[1] = _mm512_sub_epi64(a.v[1], _mm512_slli_epi64(q, 12));
	a.v[0] = _mm512_add_epi64(a.v[0], q);
	return hf_x8_carry(a);
}

#endif
