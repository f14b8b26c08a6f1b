/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM3 with the instructions that AArch64 has for it, GB/T 32905-2016 5.3.
 *
 * Mathematics. Registers hold four words each: (D, C, B, A) and (H, G, F, E) from lane 0 up, and
 * the message four words a register. A round is three instructions:
 *     SM3SS1           SS1 = ((A <<< 12) + E + (T_j <<< j)) <<< 7
 *     SM3TT1A, SM3TT1B A's register turns by one: FF + D + SS2 + W'_j comes in, B is rotated by 9
 *     SM3TT2A, SM3TT2B E's register likewise: P0(GG + H + SS1 + W_j), F is rotated by 19
 * A is for rounds 0 to 15, B for the others. W' = W_j + W_{j+4} is one XOR for four rounds.
 * SM3PARTW1 and SM3PARTW2 make the next four words of the message, whose last depends on the first.
 *
 * Many messages go one after another: two at once need more registers than there are for what the
 * compiler keeps ahead, and take 16 % more instructions.
 *
 * Preconditions: HF_CPU_ARM_SM3. Constant time: no look-up, no branch on data. Instructions a byte
 * (script/bench kernels): 6.1, against 32 of the C reference; the gain in time is not measured.
 */
#include <arm_neon.h>

#include "base/attr.h"
#include "base/cpu.h"
#include "crypto/sm3/sm3_kernel.h"

/* Four words to the other order of lanes. */
static HF_ALWAYS_INLINE uint32x4_t reverse(uint32x4_t x)
{
	x = vrev64q_u32(x);
	return vextq_u32(x, x, 2);
}

/* W_{j+16} .. W_{j+19} into the place of W_j .. W_{j+3}, j = 4 * i; 5.3.2 */
static HF_ALWAYS_INLINE uint32x4_t expanded(const uint32x4_t w[4], const size_t i)
{
	uint32x4_t w0 = w[i % 4];
	uint32x4_t w4 = w[(i + 1) % 4];
	uint32x4_t w8 = w[(i + 2) % 4];
	uint32x4_t w12 = w[(i + 3) % 4];
	uint32x4_t x = vsm3partw1q_u32(vextq_u32(w4, w8, 3), w0, w12);

	return vsm3partw2q_u32(x, vextq_u32(w8, w12, 2), vextq_u32(w0, w4, 3));
}

/* Round j, whose word is in lane j % 4 of wj; 5.3.3. The lane must be a constant. */
#define ROUND(ab, lane) \
	do { \
		uint32x4_t ss1_ = vsm3ss1q_u32(v[0], v[1], vdupq_laneq_u32(t, lane)); \
		v[0] = vsm3tt1##ab##q_u32(v[0], ss1_, wj4, lane); \
		v[1] = vsm3tt2##ab##q_u32(v[1], ss1_, wj, lane); \
	} while (0)

/*
 * Rounds 4 * i to 4 * i + 3 on v = { (D, C, B, A), (H, G, F, E) }, and the four words that come
 * sixteen after theirs. W_j is in lane j % 4 of w[j / 4 % 4].
 */
static HF_ALWAYS_INLINE void four_rounds(
	uint32x4_t v[2], uint32x4_t w[4], uint32x4_t t, const size_t i)
{
	uint32x4_t wj = w[i % 4];
	uint32x4_t wj4 = veorq_u32(wj, w[(i + 1) % 4]);

	if (i < 13)
		w[i % 4] = expanded(w, i);
	if (i < 4) {
		ROUND(a, 0);
		ROUND(a, 1);
		ROUND(a, 2);
		ROUND(a, 3);
	} else {
		ROUND(b, 0);
		ROUND(b, 1);
		ROUND(b, 2);
		ROUND(b, 3);
	}
}

static void compress_arm(uint32_t h[8], const uint8_t *in, size_t n_blocks)
{
	uint32x4_t v[2] = { reverse(vld1q_u32(h)), reverse(vld1q_u32(h + 4)) };

	for (; n_blocks > 0; n_blocks--, in += HF_SM3_BLOCK_LEN) {
		uint32x4_t old[2] = { v[0], v[1] };
		uint32x4_t w[4];
		size_t first = 0;

		HF_FORGET(first); /* or 64 constants are kept for the next block: on the stack */
		HF_UNROLL
		for (size_t j = 0; j < 4; j++)
			w[j] = vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(in + 16 * j)));
		HF_UNROLL
		for (size_t i = 0; i < HF_SM3_ROUNDS / 4; i++)
			four_rounds(v, w, vld1q_u32(hf_sm3_t + first + 4 * i), i);
		v[0] = veorq_u32(v[0], old[0]);
		v[1] = veorq_u32(v[1], old[1]);
	}
	vst1q_u32(h, reverse(v[0]));
	vst1q_u32(h + 4, reverse(v[1]));
}

static void lanes_arm(uint32_t *h, const uint8_t *const in[], size_t n, size_t n_blocks)
{
	for (size_t i = 0; i < n; i++)
		compress_arm(h + 8 * i, in[i], n_blocks);
}

const struct hf_sm3_kernel hf_sm3_kernel_arm_sm3 = {
	.name = "armsm3",
	.needs = HF_CPU_NEON | HF_CPU_ARM_SM3,
	.compress = compress_arm,
	.lanes = lanes_arm,
};
