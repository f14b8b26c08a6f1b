/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GHASH with VPCLMULQDQ and AVX-512: what the kernels of GHASH and of GCM share. Mathematics in
 * ghash_clmul.h; here four blocks are in a register and 16 have one reduction.
 */
#ifndef HF_CRYPTO_MODES_GHASH_X86_VPCLMUL512_H
#define HF_CRYPTO_MODES_GHASH_X86_VPCLMUL512_H

#include "base/attr.h"
#include "crypto/modes/ghash_clmul.h"

enum {
	HF_GHASH_512_UNIT = HF_GCM_POWERS, /* blocks for one reduction */
};

/* A sum of unreduced products, as struct hf_ghash_product, in each lane. */
struct hf_ghash_512 {
	__m512i low;
	__m512i mid;
	__m512i high;
};

/* The sum of the four blocks of a register. */
static HF_ALWAYS_INLINE __m128i hf_ghash_512_fold(__m512i v)
{
	__m256i half = _mm256_xor_si256(_mm512_castsi512_si256(v), _mm512_extracti64x4_epi64(v, 1));

	return _mm_xor_si128(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

/* The bytes of each block in the order of a number. */
static HF_ALWAYS_INLINE __m512i hf_ghash_512_swap(__m512i x)
{
	return _mm512_shuffle_epi8(x, _mm512_broadcast_i32x4(_mm_setr_epi8(15, 14, 13, 12, 11, 10,
					      9, 8, 7, 6, 5, 4, 3, 2, 1, 0)));
}

static HF_ALWAYS_INLINE struct hf_ghash_512 hf_ghash_512_zero(void)
{
	const __m512i zero = _mm512_setzero_si512();

	return (struct hf_ghash_512){ zero, zero, zero };
}

static HF_ALWAYS_INLINE void hf_ghash_512_add(struct hf_ghash_512 *p, __m512i x, __m512i h)
{
	p->low = _mm512_xor_si512(p->low, _mm512_clmulepi64_epi128(x, h, 0x00));
	p->high = _mm512_xor_si512(p->high, _mm512_clmulepi64_epi128(x, h, 0x11));
	p->mid = _mm512_ternarylogic_epi64(p->mid, _mm512_clmulepi64_epi128(x, h, 0x01),
		_mm512_clmulepi64_epi128(x, h, 0x10), 0x96);
}

static HF_ALWAYS_INLINE __m128i hf_ghash_512_reduce(const struct hf_ghash_512 *p)
{
	struct hf_ghash_product s = { hf_ghash_512_fold(p->low), hf_ghash_512_fold(p->mid),
		hf_ghash_512_fold(p->high) };

	return hf_ghash_reduce(&s);
}

/* Which 64-bit halves of blocks belong to the register at block `at`, of n in all. */
static HF_ALWAYS_INLINE __mmask8 hf_ghash_512_mask(size_t n, size_t at)
{
	if (n >= at + 4)
		return 0xff;
	return n <= at ? 0 : (__mmask8)((1u << 2 * (n - at)) - 1);
}

/* The powers for n <= 16 blocks, those of the register at block `at`. */
static HF_ALWAYS_INLINE __m512i hf_ghash_512_powers(const struct hf_gcm_key *k, size_t n, size_t at)
{
	const uint64_t(*h)[2] = k->h + (HF_GCM_POWERS - n);

	return _mm512_maskz_loadu_epi64(hf_ghash_512_mask(n, at), (const uint8_t *)h + 16 * at);
}

/* n <= 16 blocks in memory into acc. */
static HF_ALWAYS_INLINE __m128i hf_ghash_512_blocks(
	const struct hf_gcm_key *k, __m128i acc, const uint8_t *in, const size_t n)
{
	struct hf_ghash_512 p = hf_ghash_512_zero();

	HF_UNROLL
	for (size_t at = 0; at < HF_GHASH_512_UNIT; at += 4) {
		__m512i x = _mm512_maskz_loadu_epi64(hf_ghash_512_mask(n, at), in + 16 * at);

		x = hf_ghash_512_swap(x);
		if (at == 0)
			x = _mm512_xor_si512(x, _mm512_zextsi128_si512(acc));
		hf_ghash_512_add(&p, x, hf_ghash_512_powers(k, n, at));
	}
	return hf_ghash_512_reduce(&p);
}

/* Any number of blocks into acc. */
static inline __m128i hf_ghash_512_all(
	const struct hf_gcm_key *k, __m128i acc, const uint8_t *in, size_t n_blocks)
{
	for (; n_blocks >= HF_GHASH_512_UNIT; n_blocks -= HF_GHASH_512_UNIT) {
		acc = hf_ghash_512_blocks(k, acc, in, HF_GHASH_512_UNIT);
		in += (size_t)16 * HF_GHASH_512_UNIT;
	}
	if (n_blocks > 0)
		acc = hf_ghash_512_blocks(k, acc, in, n_blocks);
	return acc;
}

#endif
