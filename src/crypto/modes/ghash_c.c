/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GHASH in plain C: the reference that every other kernel is checked against.
 *
 * Carry-less multiplication by the ordinary one: both factors are split into four numbers with
 * three empty bits between their bits. In the low 64 bits of a product of two such numbers at most
 * 15 terms meet below the top place, so a column's carry stays in the empty bits, and masking
 * leaves the sums modulo 2. The upper half of a carry-less product is the lower half of the product
 * of the mirrored factors, mirrored. Multiplication of 64-bit integers takes the same time for all
 * operands on the machines we build for; there is no table and no branch.
 *
 * A block is read as two big-endian words: bit 63 of the first is the coefficient of x^0. In this
 * mirrored order the 255-bit product comes out one place too low and is shifted up once.
 */
#include "crypto/modes/ghash_kernel.h"

#include <string.h>

#include "base/endian.h"

/* Lower 64 bits of the carry-less product. */
static inline uint64_t clmul_low(uint64_t x, uint64_t y)
{
	const uint64_t m0 = 0x1111111111111111;
	const uint64_t m1 = m0 << 1;
	const uint64_t m2 = m0 << 2;
	const uint64_t m3 = m0 << 3;
	uint64_t x0 = x & m0;
	uint64_t x1 = x & m1;
	uint64_t x2 = x & m2;
	uint64_t x3 = x & m3;
	uint64_t y0 = y & m0;
	uint64_t y1 = y & m1;
	uint64_t y2 = y & m2;
	uint64_t y3 = y & m3;
	uint64_t z0 = (x0 * y0) ^ (x1 * y3) ^ (x2 * y2) ^ (x3 * y1);
	uint64_t z1 = (x0 * y1) ^ (x1 * y0) ^ (x2 * y3) ^ (x3 * y2);
	uint64_t z2 = (x0 * y2) ^ (x1 * y1) ^ (x2 * y0) ^ (x3 * y3);
	uint64_t z3 = (x0 * y3) ^ (x1 * y2) ^ (x2 * y1) ^ (x3 * y0);

	return (z0 & m0) | (z1 & m1) | (z2 & m2) | (z3 & m3);
}

static inline uint64_t mirror64(uint64_t x)
{
	x = (x >> 1 & 0x5555555555555555) | (x & 0x5555555555555555) << 1;
	x = (x >> 2 & 0x3333333333333333) | (x & 0x3333333333333333) << 2;
	x = (x >> 4 & 0x0f0f0f0f0f0f0f0f) | (x & 0x0f0f0f0f0f0f0f0f) << 4;
	x = (x >> 8 & 0x00ff00ff00ff00ff) | (x & 0x00ff00ff00ff00ff) << 8;
	x = (x >> 16 & 0x0000ffff0000ffff) | (x & 0x0000ffff0000ffff) << 16;
	return x >> 32 | x << 32;
}

/* A factor with what Karatsuba's three products need of it. */
struct factor {
	uint64_t f[3]; /* low, high, their sum */
	uint64_t r[3]; /* the same, mirrored */
};

static inline void factor_set(struct factor *f, uint64_t high, uint64_t low)
{
	f->f[0] = low;
	f->f[1] = high;
	f->f[2] = low ^ high;
	f->r[0] = mirror64(low);
	f->r[1] = mirror64(high);
	f->r[2] = f->r[0] ^ f->r[1];
}

/* Reduces v (v[3] highest) by x^128 + x^7 + x^2 + x + 1, mirrored; v[0] and v[1] are folded up. */
static inline void reduce(uint64_t *high, uint64_t *low, uint64_t v[4])
{
	for (size_t i = 0; i < 2; i++) {
		v[i + 2] ^= v[i] ^ v[i] >> 1 ^ v[i] >> 2 ^ v[i] >> 7;
		v[i + 1] ^= v[i] << 63 ^ v[i] << 62 ^ v[i] << 57;
	}
	*high = v[3];
	*low = v[2];
}

/* (high, low) = (high, low) * h in GF(2^128). */
static inline void multiply(uint64_t *high, uint64_t *low, const struct factor *h)
{
	struct factor y;
	uint64_t lo[3];
	uint64_t hi[3];
	uint64_t v[4];

	factor_set(&y, *high, *low);
	for (size_t i = 0; i < 3; i++) {
		lo[i] = clmul_low(y.f[i], h->f[i]);
		hi[i] = mirror64(clmul_low(y.r[i], h->r[i])) >> 1;
	}
	lo[2] ^= lo[0] ^ lo[1];
	hi[2] ^= hi[0] ^ hi[1];
	v[0] = lo[0];
	v[1] = hi[0] ^ lo[2];
	v[2] = lo[1] ^ hi[2];
	v[3] = hi[1];

	v[3] = v[3] << 1 | v[2] >> 63;
	v[2] = v[2] << 1 | v[1] >> 63;
	v[1] = v[1] << 1 | v[0] >> 63;
	v[0] <<= 1;
	reduce(high, low, v);
}

static void init_c(struct hf_gcm_key *k, const uint8_t h[16])
{
	memset(k->h, 0, sizeof(k->h));
	k->h[0][0] = hf_get_be64(h);
	k->h[0][1] = hf_get_be64(h + 8);
}

static void blocks_c(const struct hf_gcm_key *k, uint8_t y[16], const uint8_t *in, size_t n_blocks)
{
	struct factor f;
	uint64_t high = hf_get_be64(y);
	uint64_t low = hf_get_be64(y + 8);

	factor_set(&f, k->h[0][0], k->h[0][1]);
	for (; n_blocks > 0; n_blocks--) {
		high ^= hf_get_be64(in);
		low ^= hf_get_be64(in + 8);
		multiply(&high, &low, &f);
		in += 16;
	}
	hf_put_be64(y, high);
	hf_put_be64(y + 8, low);
}

const struct hf_ghash_kernel hf_ghash_kernel_c = {
	.name = "c",
	.needs = 0,
	.init = init_c,
	.blocks = blocks_c,
};
