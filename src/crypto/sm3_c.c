/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM3 compression in plain C, GB/T 32905-2016 5.3: the reference, and the oracle of every kernel.
 * Rounds are unrolled by four with the names of the registers rotated, so nothing is moved; the
 * message expansion runs sixteen words ahead.
 */
#include "base/endian.h"
#include "crypto/sm3_kernel.h"

static inline uint32_t rotl(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

/* T_j <<< j mod 32; 5.3.3 */
static const uint32_t sm3_t[64] = {
	0x79cc4519,
	0xf3988a32,
	0xe7311465,
	0xce6228cb,
	0x9cc45197,
	0x3988a32f,
	0x7311465e,
	0xe6228cbc,
	0xcc451979,
	0x988a32f3,
	0x311465e7,
	0x6228cbce,
	0xc451979c,
	0x88a32f39,
	0x11465e73,
	0x228cbce6,
	0x9d8a7a87,
	0x3b14f50f,
	0x7629ea1e,
	0xec53d43c,
	0xd8a7a879,
	0xb14f50f3,
	0x629ea1e7,
	0xc53d43ce,
	0x8a7a879d,
	0x14f50f3b,
	0x29ea1e76,
	0x53d43cec,
	0xa7a879d8,
	0x4f50f3b1,
	0x9ea1e762,
	0x3d43cec5,
	0x7a879d8a,
	0xf50f3b14,
	0xea1e7629,
	0xd43cec53,
	0xa879d8a7,
	0x50f3b14f,
	0xa1e7629e,
	0x43cec53d,
	0x879d8a7a,
	0x0f3b14f5,
	0x1e7629ea,
	0x3cec53d4,
	0x79d8a7a8,
	0xf3b14f50,
	0xe7629ea1,
	0xcec53d43,
	0x9d8a7a87,
	0x3b14f50f,
	0x7629ea1e,
	0xec53d43c,
	0xd8a7a879,
	0xb14f50f3,
	0x629ea1e7,
	0xc53d43ce,
	0x8a7a879d,
	0x14f50f3b,
	0x29ea1e76,
	0x53d43cec,
	0xa7a879d8,
	0x4f50f3b1,
	0x9ea1e762,
	0x3d43cec5,
};

/* Permutations P0 and P1; 4.4 */
static inline uint32_t p0(uint32_t x)
{
	return x ^ rotl(x, 9) ^ rotl(x, 17);
}

static inline uint32_t p1(uint32_t x)
{
	return x ^ rotl(x, 15) ^ rotl(x, 23);
}

/* Boolean functions FF and GG of rounds 0..15 and 16..63; 4.3 */
static inline uint32_t parity(uint32_t x, uint32_t y, uint32_t z)
{
	return x ^ y ^ z;
}

static inline uint32_t majority(uint32_t x, uint32_t y, uint32_t z)
{
	return (x & (y | z)) | (y & z);
}

static inline uint32_t choose(uint32_t x, uint32_t y, uint32_t z)
{
	return ((y ^ z) & x) ^ z;
}

/* clang-format off */
/* One round; the new A stands in d and the new E in h afterwards. w0 is W_j, w4 is W_{j+4}. */
#define SM3_ROUND(ff, gg, a, b, c, d, e, f, g, h, t, w0, w4) do { \
		uint32_t a12 = rotl(a, 12); \
		uint32_t ss1 = rotl(a12 + (e) + (t), 7); \
		(d) += ff(a, b, c) + (ss1 ^ a12) + ((w0) ^ (w4)); \
		(h) += gg(e, f, g) + ss1 + (w0); \
		(b) = rotl(b, 9); \
		(f) = rotl(f, 19); \
		(h) = p0(h); \
	} while (0)

#define SM3_FOUR(ff, gg, j) do { \
		SM3_ROUND(ff, gg, a, b, c, d, e, f, g, h, sm3_t[(j)],     w[(j)],     w[(j) + 4]); \
		SM3_ROUND(ff, gg, d, a, b, c, h, e, f, g, sm3_t[(j) + 1], w[(j) + 1], w[(j) + 5]); \
		SM3_ROUND(ff, gg, c, d, a, b, g, h, e, f, sm3_t[(j) + 2], w[(j) + 2], w[(j) + 6]); \
		SM3_ROUND(ff, gg, b, c, d, a, f, g, h, e, sm3_t[(j) + 3], w[(j) + 3], w[(j) + 7]); \
	} while (0)
/* clang-format on */

/* Message expansion; 5.3.2 */
static void expand(uint32_t w[68], const uint8_t *in)
{
	for (unsigned i = 0; i < 16; i++)
		w[i] = hf_get_be32(in + 4 * i);
	for (unsigned i = 16; i < 68; i++)
		w[i] = p1(w[i - 16] ^ w[i - 9] ^ rotl(w[i - 3], 15)) ^ rotl(w[i - 13], 7) ^
		       w[i - 6];
}

static void compress(uint32_t state[8], const uint8_t *in, size_t n_blocks)
{
	uint32_t w[68];

	for (; n_blocks > 0; n_blocks--, in += 64) {
		uint32_t a = state[0];
		uint32_t b = state[1];
		uint32_t c = state[2];
		uint32_t d = state[3];
		uint32_t e = state[4];
		uint32_t f = state[5];
		uint32_t g = state[6];
		uint32_t h = state[7];

		expand(w, in);
		for (unsigned j = 0; j < 16; j += 4)
			SM3_FOUR(parity, parity, j);
		for (unsigned j = 16; j < 64; j += 4)
			SM3_FOUR(majority, choose, j);
		state[0] ^= a;
		state[1] ^= b;
		state[2] ^= c;
		state[3] ^= d;
		state[4] ^= e;
		state[5] ^= f;
		state[6] ^= g;
		state[7] ^= h;
	}
}

static void lanes(uint32_t *h, const uint8_t *const in[], size_t n_blocks)
{
	compress(h, in[0], n_blocks);
}

const struct hf_sm3_kernel hf_sm3_kernel_c = { "c", 0, 1, compress, lanes };
