/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the GHASH kernels with PCLMULQDQ share: multiplication of blocks that are read as big-endian
 * 128-bit numbers (bit 127 is the coefficient of x^0), and the powers of H.
 *
 * The carry-less product of two such numbers comes out one place low, so the powers are kept
 * divided by x: k->h[i] is H^(16 - i) / x, the more significant half second. They descend, so that
 * the powers for n blocks are the last n, in the order of the blocks.
 *
 * Reduction: the low half of a 256-bit product holds the coefficients from x^128 on, and x^128 is
 * 1 + x + x^2 + x^7: mirrored, the same bits one half up and, for x + x^2 + x^7, a product with
 * 0xc2 << 56. Two steps of 64 bits fold the low half into the high one.
 */
#ifndef HF_CRYPTO_MODES_GHASH_CLMUL_H
#define HF_CRYPTO_MODES_GHASH_CLMUL_H

#include <immintrin.h>

#include "base/ct.h"
#include "base/endian.h"
#include "crypto/gcm.h"

/* A sum of unreduced products: of the low halves, of the high ones, and crosswise. */
struct hf_ghash_product {
	__m128i low;
	__m128i mid;
	__m128i high;
};

static inline __m128i hf_ghash_load(const void *p)
{
	return _mm_loadu_si128((const __m128i *)p);
}

static inline __m128i hf_ghash_swap(__m128i x)
{
	return _mm_shuffle_epi8(
		x, _mm_setr_epi8(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
}

static inline void hf_ghash_add_product(struct hf_ghash_product *p, __m128i x, __m128i h)
{
	p->low = _mm_xor_si128(p->low, _mm_clmulepi64_si128(x, h, 0x00));
	p->high = _mm_xor_si128(p->high, _mm_clmulepi64_si128(x, h, 0x11));
	p->mid = _mm_xor_si128(p->mid,
		_mm_xor_si128(_mm_clmulepi64_si128(x, h, 0x01), _mm_clmulepi64_si128(x, h, 0x10)));
}

static inline __m128i hf_ghash_reduce(const struct hf_ghash_product *p)
{
	const __m128i poly = _mm_set_epi64x((long long)0xc200000000000000, 0);
	__m128i low = _mm_xor_si128(p->low, _mm_slli_si128(p->mid, 8));
	__m128i high = _mm_xor_si128(p->high, _mm_srli_si128(p->mid, 8));

	low = _mm_xor_si128(_mm_shuffle_epi32(low, 0x4e), _mm_clmulepi64_si128(low, poly, 0x10));
	low = _mm_xor_si128(_mm_shuffle_epi32(low, 0x4e), _mm_clmulepi64_si128(low, poly, 0x10));
	return _mm_xor_si128(low, high);
}

static inline void hf_ghash_clmul_init(struct hf_gcm_key *k, const uint8_t h[16])
{
	uint64_t high = hf_get_be64(h);
	uint64_t low = hf_get_be64(h + 8);
	uint64_t top = hf_ct_bit(high >> 63);
	__m128i one;
	__m128i power;

	/* H / x: mirrored, one place up; the coefficient of x^0 that falls out is x^127 + x^6 + x
	 * + 1. */
	high = (high << 1 | low >> 63) ^ (top & 0xc200000000000000);
	low = (low << 1) ^ (top & 1);
	one = _mm_set_epi64x((long long)high, (long long)low);
	power = one;
	for (size_t i = HF_GCM_POWERS; i-- > 0;) {
		struct hf_ghash_product p = { _mm_setzero_si128(), _mm_setzero_si128(),
			_mm_setzero_si128() };

		_mm_storeu_si128((__m128i *)(void *)k->h[i], power);
		hf_ghash_add_product(&p, power, one);
		power = hf_ghash_reduce(&p);
	}
}

#endif
