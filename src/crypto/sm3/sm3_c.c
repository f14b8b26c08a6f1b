/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM3 compression in plain C, GB/T 32905-2016 5.3: the reference, and the oracle of every kernel.
 * Rounds are unrolled with the names of the registers rotated, so nothing is moved. The message is
 * expanded four rounds ahead and among them: the rounds wait for each other, and the expansion
 * fills the time. (Expanded first and in a loop of its own, it halves the speed.)
 */
#include <stdbool.h>
#include <string.h>

#include "base/attr.h"
#include "base/endian.h"
#include "base/wipe.h"
#include "crypto/sm3/sm3_kernel.h"

static HF_ALWAYS_INLINE uint32_t rotl(uint32_t x, unsigned n)
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

/*
 * Round i mod 16. Nothing is moved: v holds A to D and E to H, and their places turn by one a
 * round, so that the new A stands where D was, and the new E where H was. 5.3.3
 */
static HF_ALWAYS_INLINE void one_round(
	uint32_t v[8], const uint32_t w[16], uint32_t t, unsigned i, bool is_early)
{
	uint32_t *a = v + (0 - i) % 4;
	uint32_t *b = v + (1 - i) % 4;
	uint32_t *c = v + (2 - i) % 4;
	uint32_t *d = v + (3 - i) % 4;
	uint32_t *e = a + 4;
	uint32_t *f = b + 4;
	uint32_t *g = c + 4;
	uint32_t *h = d + 4;
	uint32_t a12 = rotl(*a, 12);
	uint32_t ss1 = rotl(a12 + t + *e, 7);
	uint32_t ff = is_early ? parity(*a, *b, *c) : majority(*a, *b, *c);
	uint32_t gg = is_early ? parity(*e, *f, *g) : choose(*e, *f, *g);

	*d += ff + (w[i % 16] ^ w[(i + 4) % 16]) + (ss1 ^ a12);
	*h = p0(*h + gg + w[i % 16] + ss1);
	*b = rotl(*b, 9);
	*f = rotl(*f, 19);
}

static void compress(uint32_t state[8], const uint8_t *in, size_t n_blocks)
{
	uint32_t w[16];

	for (; n_blocks > 0; n_blocks--, in += 64) {
		uint32_t v[8];

		memcpy(v, state, sizeof(v));
		for (unsigned i = 0; i < 16; i++)
			w[i] = hf_get_be32(in + 4 * i);
		HF_UNROLL
		for (unsigned i = 0; i < 16; i++) {
			if (i >= 12)
				expand(w, i + 4);
			one_round(v, w, hf_sm3_t[i], i, true);
		}
		for (unsigned j = 16; j < 64; j += 16) {
			HF_UNROLL
			for (unsigned i = 0; i < 16; i++) {
				expand(w, i + 4);
				one_round(v, w, hf_sm3_t[j + i], i, false);
			}
		}
		for (unsigned i = 0; i < 8; i++)
			state[i] ^= v[i];
	}
	hf_wipe(w, sizeof(w));
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
