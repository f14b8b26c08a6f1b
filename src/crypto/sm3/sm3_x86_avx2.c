/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM3 of many messages with AVX2, 8 in a register; sm3_x86_lanes.h has the mathematics.
 *
 * Preconditions: HF_CPU_AVX2. Constant time: no look-up in memory, no branch on data. Measured on a
 * Zen 5 server core at 4.4 GHz, messages of 4 KiB: 8 messages 1.75 GB/s (2.4 cycles a byte), 16
 * messages 2.2 GB/s (2.0); 3.3 and 4.1 times the C reference.
 */
#include <immintrin.h>

#include "base/attr.h"
#include "base/cpu.h"

#define VEC          __m256i
#define LANES        8
#define VEC_OP(op)   _mm256_##op
#define VEC_BITS(op) _mm256_##op##_si256

static HF_ALWAYS_INLINE VEC vec_repeat(__m128i v)
{
	return _mm256_broadcastsi128_si256(v);
}

/* Rows to columns: 8 x 8 words. */
static HF_ALWAYS_INLINE void vec_rows(VEC v[LANES])
{
	VEC t[LANES];

	HF_UNROLL
	for (size_t i = 0; i < 8; i += 2) {
		t[i] = _mm256_unpacklo_epi32(v[i], v[i + 1]);
		t[i + 1] = _mm256_unpackhi_epi32(v[i], v[i + 1]);
	}
	/* Half k of v[4 * i + j] holds word 4 * k + j of the rows 4 * i to 4 * i + 3. */
	HF_UNROLL
	for (size_t i = 0; i < 8; i += 4) {
		v[i] = _mm256_unpacklo_epi64(t[i], t[i + 2]);
		v[i + 1] = _mm256_unpackhi_epi64(t[i], t[i + 2]);
		v[i + 2] = _mm256_unpacklo_epi64(t[i + 1], t[i + 3]);
		v[i + 3] = _mm256_unpackhi_epi64(t[i + 1], t[i + 3]);
	}
	HF_UNROLL
	for (size_t j = 0; j < 4; j++) {
		t[j] = _mm256_permute2x128_si256(v[j], v[j + 4], 0x20);
		v[j + 4] = _mm256_permute2x128_si256(v[j], v[j + 4], 0x31);
		v[j] = t[j];
	}
}

#include "crypto/sm3/sm3_x86_lanes.h"

enum {
	WORTH_FROM = 3, /* messages; fewer are faster one after another */
};

size_t hf_sm3_lanes_avx2(uint32_t *h, const uint8_t *const in[], size_t n, size_t n_blocks)
{
	size_t done = 0;

	while (n - done >= WORTH_FROM) {
		size_t now = n - done < GROUPS * LANES ? n - done : GROUPS * LANES;

		if (now > LANES)
			groups(h + 8 * done, in + done, now, n_blocks, GROUPS);
		else
			groups(h + 8 * done, in + done, now, n_blocks, 1);
		done += now;
	}
	return done;
}

static void compress_avx2(uint32_t h[8], const uint8_t *in, size_t n_blocks)
{
	hf_sm3_kernel_c.compress(h, in, n_blocks);
}

static void lanes_avx2(uint32_t *h, const uint8_t *const in[], size_t n, size_t n_blocks)
{
	for (size_t i = hf_sm3_lanes_avx2(h, in, n, n_blocks); i < n; i++)
		compress_avx2(h + 8 * i, in[i], n_blocks);
}

const struct hf_sm3_kernel hf_sm3_kernel_avx2 = {
	.name = "avx2",
	.needs = HF_CPU_AVX2,
	.compress = compress_avx2,
	.lanes = lanes_avx2,
};
