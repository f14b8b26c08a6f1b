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
#include "crypto/sm3/sm3_word.h"

const uint32_t hf_sm3_t[HF_SM3_ROUNDS] = HF_SM3_T;

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
