/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM3 compression in plain C for small ends, GB/T 32905-2016 5.3: stands in for sm3_c.c where
 * HUFU_SMALL is set. A loop of 64 rounds: a fifth of the code, 1.4 times slower.
 */
#include <string.h>

#include "base/endian.h"
#include "base/wipe.h"
#include "crypto/sm3/sm3_kernel.h"

static inline uint32_t rotl(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

const uint32_t hf_sm3_t[HF_SM3_ROUNDS] = { 0x79cc4519, 0xf3988a32, 0xe7311465, 0xce6228cb,
	0x9cc45197, 0x3988a32f, 0x7311465e, 0xe6228cbc, 0xcc451979, 0x988a32f3, 0x311465e7,
	0x6228cbce, 0xc451979c, 0x88a32f39, 0x11465e73, 0x228cbce6, 0x9d8a7a87, 0x3b14f50f,
	0x7629ea1e, 0xec53d43c, 0xd8a7a879, 0xb14f50f3, 0x629ea1e7, 0xc53d43ce, 0x8a7a879d,
	0x14f50f3b, 0x29ea1e76, 0x53d43cec, 0xa7a879d8, 0x4f50f3b1, 0x9ea1e762, 0x3d43cec5,
	0x7a879d8a, 0xf50f3b14, 0xea1e7629, 0xd43cec53, 0xa879d8a7, 0x50f3b14f, 0xa1e7629e,
	0x43cec53d, 0x879d8a7a, 0x0f3b14f5, 0x1e7629ea, 0x3cec53d4, 0x79d8a7a8, 0xf3b14f50,
	0xe7629ea1, 0xcec53d43, 0x9d8a7a87, 0x3b14f50f, 0x7629ea1e, 0xec53d43c, 0xd8a7a879,
	0xb14f50f3, 0x629ea1e7, 0xc53d43ce, 0x8a7a879d, 0x14f50f3b, 0x29ea1e76, 0x53d43cec,
	0xa7a879d8, 0x4f50f3b1, 0x9ea1e762, 0x3d43cec5 };

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

/* W_{j+16} into the place of W_j: w holds sixteen words, W_j at j mod 16; 5.3.2 */
static void expand(uint32_t w[16], unsigned j)
{
	uint32_t x = w[j % 16] ^ w[(j + 7) % 16] ^ rotl(w[(j + 13) % 16], 15);

	w[j % 16] = p1(x) ^ rotl(w[(j + 3) % 16], 7) ^ w[(j + 10) % 16];
}

/* Round j; v is A to H. 5.3.3 */
static void one_round(uint32_t v[8], uint32_t wj, uint32_t wj4, unsigned j)
{
	uint32_t a12 = rotl(v[0], 12);
	uint32_t ss1 = rotl(a12 + v[4] + hf_sm3_t[j], 7);
	uint32_t ff = j < 16 ? parity(v[0], v[1], v[2]) : majority(v[0], v[1], v[2]);
	uint32_t gg = j < 16 ? parity(v[4], v[5], v[6]) : choose(v[4], v[5], v[6]);
	uint32_t tt1 = ff + v[3] + (ss1 ^ a12) + (wj ^ wj4);
	uint32_t tt2 = gg + v[7] + ss1 + wj;

	v[3] = v[2];
	v[2] = rotl(v[1], 9);
	v[1] = v[0];
	v[0] = tt1;
	v[7] = v[6];
	v[6] = rotl(v[5], 19);
	v[5] = v[4];
	v[4] = p0(tt2);
}

static void compress(uint32_t state[8], const uint8_t *in, size_t n_blocks)
{
	uint32_t w[16];
	uint32_t v[8];

	for (; n_blocks > 0; n_blocks--, in += HF_SM3_BLOCK_LEN) {
		memcpy(v, state, sizeof(v));
		for (unsigned i = 0; i < 16; i++)
			w[i] = hf_get_be32(in + 4 * i);
		for (unsigned j = 0; j < HF_SM3_ROUNDS; j++) {
			uint32_t wj = w[j % 16];

			one_round(v, wj, w[(j + 4) % 16], j);
			expand(w, j);
		}
		for (unsigned i = 0; i < 8; i++)
			state[i] ^= v[i];
	}
	hf_wipe(w, sizeof(w));
	hf_wipe(v, sizeof(v));
}

static void lanes(uint32_t *h, const uint8_t *const in[], size_t n, size_t n_blocks)
{
	for (size_t i = 0; i < n; i++)
		compress(h + 8 * i, in[i], n_blocks);
}

const struct hf_sm3_kernel hf_sm3_kernel_c = {
	.name = "c",
	.needs = 0,
	.compress = compress,
	.lanes = lanes,
};
