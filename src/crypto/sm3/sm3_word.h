/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM3 on 32-bit words, GB/T 32905-2016 4 and 5.3.2, for the reference: sm3_c.c or, where HUFU_SMALL
 * is set, sm3_c_small.c. The table of constants is defined there: in sight of the rounds, unrolled
 * ones take them as immediates.
 */
#ifndef HF_CRYPTO_SM3_SM3_WORD_H
#define HF_CRYPTO_SM3_SM3_WORD_H

#include <stdint.h>

#include "base/attr.h"

/* T_j <<< j mod 32, 4.2 and 5.3.3: what hf_sm3_t is. */
#define HF_SM3_T \
	{ \
		0x79cc4519, 0xf3988a32, 0xe7311465, 0xce6228cb, 0x9cc45197, 0x3988a32f, \
			0x7311465e, 0xe6228cbc, 0xcc451979, 0x988a32f3, 0x311465e7, 0x6228cbce, \
			0xc451979c, 0x88a32f39, 0x11465e73, 0x228cbce6, 0x9d8a7a87, 0x3b14f50f, \
			0x7629ea1e, 0xec53d43c, 0xd8a7a879, 0xb14f50f3, 0x629ea1e7, 0xc53d43ce, \
			0x8a7a879d, 0x14f50f3b, 0x29ea1e76, 0x53d43cec, 0xa7a879d8, 0x4f50f3b1, \
			0x9ea1e762, 0x3d43cec5, 0x7a879d8a, 0xf50f3b14, 0xea1e7629, 0xd43cec53, \
			0xa879d8a7, 0x50f3b14f, 0xa1e7629e, 0x43cec53d, 0x879d8a7a, 0x0f3b14f5, \
			0x1e7629ea, 0x3cec53d4, 0x79d8a7a8, 0xf3b14f50, 0xe7629ea1, 0xcec53d43, \
			0x9d8a7a87, 0x3b14f50f, 0x7629ea1e, 0xec53d43c, 0xd8a7a879, 0xb14f50f3, \
			0x629ea1e7, 0xc53d43ce, 0x8a7a879d, 0x14f50f3b, 0x29ea1e76, 0x53d43cec, \
			0xa7a879d8, 0x4f50f3b1, 0x9ea1e762, 0x3d43cec5 \
	}

static HF_ALWAYS_INLINE uint32_t rotl(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

/* Permutations P0 and P1; 4.4 */
static HF_ALWAYS_INLINE uint32_t p0(uint32_t x)
{
	return x ^ rotl(x, 9) ^ rotl(x, 17);
}

static HF_ALWAYS_INLINE uint32_t p1(uint32_t x)
{
	return x ^ rotl(x, 15) ^ rotl(x, 23);
}

/* Boolean functions FF and GG of rounds 0..15 and 16..63; 4.3 */
static HF_ALWAYS_INLINE uint32_t parity(uint32_t x, uint32_t y, uint32_t z)
{
	return x ^ y ^ z;
}

static HF_ALWAYS_INLINE uint32_t majority(uint32_t x, uint32_t y, uint32_t z)
{
	return (x & (y | z)) | (y & z);
}

static HF_ALWAYS_INLINE uint32_t choose(uint32_t x, uint32_t y, uint32_t z)
{
	return ((y ^ z) & x) ^ z;
}

/* W_j into the place of W_{j-16}: w holds the last sixteen words, W_j at j mod 16; 5.3.2 */
static HF_ALWAYS_INLINE void expand(uint32_t w[16], unsigned j)
{
	uint32_t x = w[j % 16] ^ w[(j + 7) % 16] ^ rotl(w[(j + 13) % 16], 15);

	w[j % 16] = p1(x) ^ rotl(w[(j + 3) % 16], 7) ^ w[(j + 10) % 16];
}

#endif
