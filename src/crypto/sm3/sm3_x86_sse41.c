/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM3 of many messages with SSE4.1, 4 in a register; sm3_x86_lanes.h has the mathematics.
 *
 * Preconditions: HF_CPU_SSE41. Constant time: no look-up in memory, no branch on data. Measured on
 * a Zen 5 server core at 4.2 GHz, messages of 4 KiB: 8 messages 1.0 GB/s (4.3 cycles a byte), 1.9
 * times the C reference; 4 messages 1.2 times.
 */
#include <immintrin.h>

#include "base/attr.h"
#include "base/cpu.h"

#define VEC          __m128i
#define LANES        4
#define VEC_OP(op)   _mm_##op
#define VEC_BITS(op) _mm_##op##_si128

static HF_ALWAYS_INLINE VEC vec_repeat(__m128i v)
{
	return v;
}

/* Rows to columns: 4 x 4 words. */
static HF_ALWAYS_INLINE void vec_rows(VEC v[LANES])
{
	VEC low01 = _mm_unpacklo_epi32(v[0], v[1]);
	VEC low23 = _mm_unpacklo_epi32(v[2], v[3]);
	VEC high01 = _mm_unpackhi_epi32(v[0], v[1]);
	VEC high23 = _mm_unpackhi_epi32(v[2], v[3]);

	v[0] = _mm_unpacklo_epi64(low01, low23);
	v[1] = _mm_unpackhi_epi64(low01, low23);
	v[2] = _mm_unpacklo_epi64(high01, high23);
	v[3] = _mm_unpackhi_epi64(high01, high23);
}

#include "crypto/sm3/sm3_x86_lanes.h"

enum {
	WORTH_FROM = 4, /* messages; fewer are faster one after another */
};

static void compress_sse41(uint32_t h[8], const uint8_t *in, size_t n_blocks)
{
	hf_sm3_kernel_c.compress(h, in, n_blocks);
}

static void lanes_sse41(uint32_t *h, const uint8_t *const in[], size_t n, size_t n_blocks)
{
	while (n >= WORTH_FROM) {
		size_t now = n < GROUPS * LANES ? n : GROUPS * LANES;

		if (now > LANES)
			groups(h, in, now, n_blocks, GROUPS);
		else
			groups(h, in, now, n_blocks, 1);
		h += 8 * now;
		in += now;
		n -= now;
	}
	for (size_t i = 0; i < n; i++)
		compress_sse41(h + 8 * i, in[i], n_blocks);
}

const struct hf_sm3_kernel hf_sm3_kernel_sse41 = {
	.name = "sse41",
	.needs = HF_CPU_SSE41,
	.compress = compress_sse41,
	.lanes = lanes_sse41,
};
