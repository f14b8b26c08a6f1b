/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM3 of many messages with NEON: as sm3_x86_avx2.c, with 4 messages in a register.
 *
 * A rotation is SHL and SRI, unless it is by 16 (REV32) or by 8 (TBL). So P0 and P1 are written
 * with one general rotation, P0(x) = x + ((x + (x <<< 8)) <<< 9),  P1(x) = x + ((x + (x <<< 8)) <<<
 * 15). BSL chooses bit by bit: GG is one of it, and the majority of three is z where x and y
 * differ, else y. The sixteen last words of the message and the eight of the state fill 24 of 32
 * registers.
 *
 * One message alone takes the C reference: its rounds wait for each other, whatever they are made
 * of.
 *
 * Preconditions: HF_CPU_NEON. Constant time: no look-up in memory, no branch on data. Instructions
 * a byte (script/bench kernels): 4 messages 10.7, against 32 of the C reference; the gain in time
 * is not measured.
 */
#include <arm_neon.h>
#include <stdbool.h>

#include "base/attr.h"
#include "base/cpu.h"
#include "crypto/sm3/sm3_kernel.h"

enum {
	GROUP = 4,      /* messages in a register */
	WORDS = 16,     /* of a block, and of the expanded message that are at hand */
	WORTH_FROM = 2, /* messages; one is faster by itself */
};

#define ROL(x, n) vsriq_n_u32(vshlq_n_u32((x), (n)), (x), 32 - (n))

/* x + (x <<< 8) */
static HF_ALWAYS_INLINE uint32x4_t plus_rol8(uint32x4_t x)
{
	const uint8x16_t place = { 3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14 };

	return veorq_u32(x, vreinterpretq_u32_u8(vqtbl1q_u8(vreinterpretq_u8_u32(x), place)));
}

static HF_ALWAYS_INLINE uint32x4_t xor3(uint32x4_t x, uint32x4_t y, uint32x4_t z)
{
	return veorq_u32(veorq_u32(x, y), z);
}

static HF_ALWAYS_INLINE uint32x4_t majority(uint32x4_t x, uint32x4_t y, uint32x4_t z)
{
	return vbslq_u32(veorq_u32(x, y), z, y);
}

static HF_ALWAYS_INLINE uint32x4_t choose(uint32x4_t x, uint32x4_t y, uint32x4_t z)
{
	return vbslq_u32(x, y, z);
}

/* Rows to columns: 4 x 4 words. */
static HF_ALWAYS_INLINE void transpose(uint32x4_t v[4])
{
	uint64x2_t a = vreinterpretq_u64_u32(vtrn1q_u32(v[0], v[1]));
	uint64x2_t b = vreinterpretq_u64_u32(vtrn2q_u32(v[0], v[1]));
	uint64x2_t c = vreinterpretq_u64_u32(vtrn1q_u32(v[2], v[3]));
	uint64x2_t d = vreinterpretq_u64_u32(vtrn2q_u32(v[2], v[3]));

	v[0] = vreinterpretq_u32_u64(vtrn1q_u64(a, c));
	v[1] = vreinterpretq_u32_u64(vtrn1q_u64(b, d));
	v[2] = vreinterpretq_u32_u64(vtrn2q_u64(a, c));
	v[3] = vreinterpretq_u32_u64(vtrn2q_u64(b, d));
}

/* One block of each message: word j of all of them into w[j]. */
static HF_ALWAYS_INLINE void load_words(
	uint32x4_t w[WORDS], const uint8_t *const from[GROUP], size_t at)
{
	HF_UNROLL
	for (size_t j = 0; j < WORDS; j += 4) {
		HF_UNROLL
		for (size_t i = 0; i < GROUP; i++)
			w[j + i] = vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(from[i] + at + 4 * j)));
		transpose(w + j);
	}
}

/* W_j into the place of W_{j-16}: W_j stands at j mod 16. GB/T 32905-2016 5.3.2 */
static HF_ALWAYS_INLINE void expand(uint32x4_t w[WORDS], const size_t j)
{
	uint32x4_t x = xor3(w[j % 16], w[(j + 7) % 16], ROL(w[(j + 13) % 16], 15));
	uint32x4_t y = plus_rol8(x);

	x = veorq_u32(x, ROL(y, 15));
	w[j % 16] = xor3(x, ROL(w[(j + 3) % 16], 7), w[(j + 10) % 16]);
}

/* Round i mod 16, as one_round() of sm3_c.c. 5.3.3 */
static HF_ALWAYS_INLINE void one_round(uint32x4_t v[8], const uint32x4_t w[WORDS],
	const uint32_t *t, const size_t i, const bool is_early)
{
	uint32x4_t *a = v + (0 - i) % 4;
	uint32x4_t *b = v + (1 - i) % 4;
	uint32x4_t *c = v + (2 - i) % 4;
	uint32x4_t *d = v + (3 - i) % 4;
	uint32x4_t *e = a + 4;
	uint32x4_t *f = b + 4;
	uint32x4_t *g = c + 4;
	uint32x4_t *h = d + 4;
	uint32x4_t ff = is_early ? xor3(*a, *b, *c) : majority(*a, *b, *c);
	uint32x4_t gg = is_early ? xor3(*e, *f, *g) : choose(*e, *f, *g);
	uint32x4_t a12 = ROL(*a, 12);
	uint32x4_t sum = vaddq_u32(vaddq_u32(vld1q_dup_u32(t), *e), a12);
	uint32x4_t ss1 = ROL(sum, 7);
	uint32x4_t tt1 = vaddq_u32(*d, veorq_u32(w[i % 16], w[(i + 4) % 16]));
	uint32x4_t tt2 = vaddq_u32(*h, w[i % 16]);
	uint32x4_t y;

	tt1 = vaddq_u32(tt1, ff);
	tt2 = vaddq_u32(vaddq_u32(tt2, gg), ss1);
	*d = vaddq_u32(tt1, veorq_u32(ss1, a12));
	y = plus_rol8(tt2);
	*h = veorq_u32(tt2, ROL(y, 9));
	*b = ROL(*b, 9);
	*f = ROL(*f, 19);
}

static HF_ALWAYS_INLINE void rounds(uint32x4_t v[8], uint32x4_t w[WORDS])
{
	HF_UNROLL
	for (size_t i = 0; i < 16; i++) {
		if (i >= 12)
			expand(w, i + 4);
		one_round(v, w, hf_sm3_t + i, i, true);
	}
	for (size_t j = 16; j < HF_SM3_ROUNDS; j += 16) {
		HF_UNROLL
		for (size_t i = 0; i < 16; i++) {
			expand(w, i + 4);
			one_round(v, w, hf_sm3_t + j + i, i, false);
		}
	}
}

/* n <= 4 messages; those that are missing are copies of the first. */
static void group(uint32_t *h, const uint8_t *const in[], size_t n, size_t n_blocks)
{
	const uint8_t *from[GROUP];
	uint32x4_t v[8];
	uint32x4_t w[WORDS];

	HF_UNROLL
	for (size_t i = 0; i < GROUP; i++) {
		from[i] = in[i < n ? i : 0];
		v[i] = vld1q_u32(h + 8 * (i < n ? i : 0));
		v[i + 4] = vld1q_u32(h + 8 * (i < n ? i : 0) + 4);
	}
	transpose(v);
	transpose(v + 4);
	for (size_t at = 0; at < HF_SM3_BLOCK_LEN * n_blocks; at += HF_SM3_BLOCK_LEN) {
		uint32x4_t old[8];

		load_words(w, from, at);
		HF_UNROLL
		for (size_t i = 0; i < 8; i++)
			old[i] = v[i];
		rounds(v, w);
		HF_UNROLL
		for (size_t i = 0; i < 8; i++)
			v[i] = veorq_u32(v[i], old[i]);
	}
	transpose(v);
	transpose(v + 4);
	HF_UNROLL
	for (size_t i = 0; i < GROUP; i++)
		if (i < n) {
			vst1q_u32(h + 8 * i, v[i]);
			vst1q_u32(h + 8 * i + 4, v[i + 4]);
		}
}

static void lanes_neon(uint32_t *h, const uint8_t *const in[], size_t n, size_t n_blocks)
{
	while (n >= WORTH_FROM) {
		size_t now = n < GROUP ? n : GROUP;

		group(h, in, now, n_blocks);
		h += 8 * now;
		in += now;
		n -= now;
	}
	hf_sm3_kernel_c.lanes(h, in, n, n_blocks);
}

static void compress_neon(uint32_t h[8], const uint8_t *in, size_t n_blocks)
{
	hf_sm3_kernel_c.compress(h, in, n_blocks);
}

const struct hf_sm3_kernel hf_sm3_kernel_neon = {
	.name = "neon",
	.needs = HF_CPU_NEON,
	.compress = compress_neon,
	.lanes = lanes_neon,
};
