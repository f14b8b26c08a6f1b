/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GHASH with VPCLMULQDQ and AVX2: as ghash_x86_pclmul.c, but two blocks a register and 16 blocks
 * for one reduction. An odd block goes first, alone.
 *
 * Preconditions: HF_CPU_VPCLMUL, HF_CPU_AVX2 and HF_CPU_PCLMUL. Constant time: no look-up, no
 * branch on data.
 */
#include "base/attr.h"
#include "crypto/modes/ghash_clmul.h"
#include "crypto/modes/ghash_kernel.h"
#include "crypto/module.h"

enum {
	AT_ONCE = HF_GCM_POWERS, /* blocks for one reduction */
};

static HF_ALWAYS_INLINE __m256i load_pair(const void *p)
{
	return _mm256_loadu_si256((const __m256i *)p);
}

/* The sum of both lanes. */
static HF_ALWAYS_INLINE __m128i fold(__m256i v)
{
	return _mm_xor_si128(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
}

/* n <= 16 blocks into acc. */
static HF_ALWAYS_INLINE __m128i add_blocks(
	const struct hf_gcm_key *k, __m128i acc, const uint8_t *in, const size_t n)
{
	const __m256i swap = _mm256_broadcastsi128_si256(
		_mm_setr_epi8(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
	const uint64_t(*h)[2] = k->h + (HF_GCM_POWERS - n);
	const __m128i zero = _mm_setzero_si128();
	struct hf_ghash_product p = { zero, zero, zero };
	__m256i low = _mm256_setzero_si256();
	__m256i mid = _mm256_setzero_si256();
	__m256i high = _mm256_setzero_si256();

	if (n % 2 != 0) {
		acc = _mm_xor_si128(acc, hf_ghash_swap(hf_ghash_load(in)));
		hf_ghash_add_product(&p, acc, hf_ghash_load(h[0]));
		acc = zero;
	}
	for (size_t i = n % 2; i < n; i += 2) {
		__m256i x = _mm256_shuffle_epi8(load_pair(in + 16 * i), swap);
		__m256i y = load_pair(h[i]);

		x = _mm256_xor_si256(x, _mm256_zextsi128_si256(acc));
		acc = zero;
		low = _mm256_xor_si256(low, _mm256_clmulepi64_epi128(x, y, 0x00));
		high = _mm256_xor_si256(high, _mm256_clmulepi64_epi128(x, y, 0x11));
		mid = _mm256_xor_si256(mid, _mm256_xor_si256(_mm256_clmulepi64_epi128(x, y, 0x01),
						    _mm256_clmulepi64_epi128(x, y, 0x10)));
	}
	p.low = _mm_xor_si128(p.low, fold(low));
	p.mid = _mm_xor_si128(p.mid, fold(mid));
	p.high = _mm_xor_si128(p.high, fold(high));
	return hf_ghash_reduce(&p);
}

static void init_vpclmul_avx2(struct hf_gcm_key *k, const uint8_t h[16])
{
	hf_ghash_clmul_init(k, h);
}

static void blocks_vpclmul_avx2(
	const struct hf_gcm_key *k, uint8_t y[16], const uint8_t *in, size_t n_blocks)
{
	__m128i acc = hf_ghash_swap(hf_ghash_load(y));

	for (; n_blocks >= AT_ONCE; n_blocks -= AT_ONCE) {
		acc = add_blocks(k, acc, in, AT_ONCE);
		in += (size_t)16 * AT_ONCE;
	}
	if (n_blocks > 0)
		acc = add_blocks(k, acc, in, n_blocks);
	_mm_storeu_si128((__m128i *)(void *)y, hf_ghash_swap(acc));
}

const struct hf_ghash_kernel hf_ghash_kernel_vpclmul_avx2 = {
	.name = "vpclmul_avx2",
	.needs = HF_CPU_VPCLMUL | HF_CPU_AVX2 | HF_CPU_PCLMUL,
	.init = init_vpclmul_avx2,
	.blocks = blocks_vpclmul_avx2,
};
